"""The queue of downloads. All changes of the downloads table are in this package.

    add_all ─▶ pending ─claim▶ downloading: started, synced …, finalizing ─arrive▶ completed
       queue ─────────┘         transitions ──────────────────────────────────┘

The diagram of all states is in `domain.downloads.download`. Changes return False if the download
was moved, finished or deleted meanwhile; then nothing was changed. A download that is being
finalized can neither be paused nor cancelled: its file may be there already.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import accumulate
from types import MappingProxyType

from sidecar.batched import batched
from sidecar.clock import Clock
from sidecar.domain.downloads.download import Download, Move, Status
from sidecar.domain.files.naming import make_path_key
from sidecar.domain.transfers.together import Due, choose
from sidecar.errors import IllegalMove
from sidecar.events import Bus, WorkArrived
from sidecar.store.database import Database, Row
from sidecar.store.downloads import kept_parts as kept_parts_downloads
from sidecar.store.downloads import order
from sidecar.store.downloads.adopt import DownloadAdopter
from sidecar.store.downloads.folders import DeviceFolders
from sidecar.store.downloads.identity import DownloadIdentity
from sidecar.store.downloads.insert import FilePlace, NewDownload, find_free_place, to_columns
from sidecar.store.downloads.order import DUE, NOTHING, NotNow
from sidecar.store.downloads.queries import (
    COLUMNS,
    NAMES,
    DownloadQueries,
    from_columns,
    to_download,
    to_stored,
)
from sidecar.store.downloads.sightings import DownloadSightings
from sidecar.store.downloads.titles import TitleQueries
from sidecar.store.downloads.transitions import FROM_ZERO, UNBLEMISHED, UNSEEN, DownloadTransitions
from sidecar.store.schema.tables import DownloadRow

__all__ = ["DownloadQueue", "Downloads", "FilePlace", "NewDownload", "WantedAgain"]

CANCELLABLE = frozenset({Status.PENDING, Status.DOWNLOADING, Status.PAUSED, Status.FAILED})
CANCEL = """DELETE FROM downloads WHERE id IN (SELECT CAST(value AS INTEGER) FROM json_each(?))
    AND status = ? AND finalizing = 0 RETURNING id"""
# A statement of PostgreSQL takes 65,535 values, and a row has 26.
MOST_IN_A_STATEMENT = 1000
# The columns that a kept part gives to a new row, where there is none.
NO_PART: Row = {"id": None, "validator": None, "bytes_downloaded": 0}


@dataclass(frozen=True, slots=True)
class WantedAgain:
    """A removed download that is wanted again.

    Attributes:
        user_id: The account whose token fetches from now on.
        after: How many of the new ones are before it in the queue.
    """

    download: Download
    user_id: str
    priority: int
    after: int


class DownloadQueue:
    """Adds, orders and claims downloads. Safe to use from any thread."""

    def __init__(
        self,
        db: Database,
        bus: Bus,
        clock: Clock,
        queries: DownloadQueries,
        transitions: DownloadTransitions,
    ) -> None:
        self._db = db
        self._bus = bus
        self._clock = clock
        self._queries = queries
        self._transitions = transitions

    def add_all(
        self,
        new: Sequence[NewDownload],
        there: Mapping[str, DeviceFolders] = MappingProxyType({}),
        again: Sequence[WantedAgain] = (),
    ) -> list[Download]:
        """Queue items that have no download on their device, in this order.

        It takes few statements, however many they are.

        Args:
            new: The items.
            there: What is known of devices already, in the `write` around this.
            again: Removed downloads that are queued again between them.

        Returns:
            The downloads of the new ones.

        Raises:
            ValueError: All `places` of one are taken by other downloads.
        """
        asked = [(one.device_id, one.item.id) for one in new]
        devices = {one.device_id for one in new}
        folders = {one: there.get(one) or DeviceFolders(self._db, one) for one in devices}
        with self._db.write():
            last_id, parts = kept_parts_downloads.take_parts(self._db, asked)
            # A new row takes a whole gap of the order; one that takes an old id takes none.
            turns = [order.place_behind(last_id)]
            turns += [turns[0] + number * order.GAP for number in _count_fresh(asked, parts)]
            self._want_again(again, turns)
            if not new:
                return []
            now, rows = self._clock.now(), []
            for wanted, ids, turn in zip(new, asked, turns, strict=False):
                place = _choose_place(folders[wanted.device_id], wanted)
                folders[wanted.device_id].add(place, wanted.item)
                part = parts.get(ids, NO_PART)
                rows.append({**to_columns(wanted, place, turn, now), **part})
            added = {(one.device_id, one.item_id): one for one in self._insert(rows)}
            found = [added[ids] for ids in asked]
            self._transitions.publish_all(found, None, Status.PENDING)
        return found

    def _insert(self, rows: Sequence[Row]) -> list[Download]:
        # A row that goes on where another ended takes its number; the others get the next ones.
        numbered = [one for one in rows if one["id"] is not None]
        fresh = [_without_number(one) for one in rows if one["id"] is None]
        return [added for some in (numbered, fresh) if some for added in self._insert_alike(some)]

    def _insert_alike(self, rows: Sequence[Row]) -> list[Download]:
        # SQL text: peewee takes longer to build one insert than SQLite to run it.
        names = ", ".join(rows[0])
        marks = f"({', '.join('?' * len(rows[0]))})"
        added: list[Download] = []
        for some in batched(rows, MOST_IN_A_STATEMENT):
            values = [value for row in some for value in to_stored(row)]
            written = self._db.execute_sql(
                f"INSERT INTO downloads ({names}) VALUES {', '.join([marks] * len(some))}"  # noqa: S608 - names of our own columns
                f" RETURNING {NAMES}",
                values,
            )
            added += map(from_columns, written)
        return added

    def _want_again(self, again: Sequence[WantedAgain], turns: Sequence[int]) -> None:
        alike: dict[tuple[str, int], list[WantedAgain]] = {}
        for one in again:
            alike.setdefault((one.user_id, one.priority), []).append(one)
        for (user_id, priority), some in alike.items():
            self._transitions.want_all_again(
                [one.download for one in some],
                user_id=user_id,
                priority=priority,
                place=turns[0],
            )
        between = {one.download.id: turns[one.after] for one in again if one.after}
        if between:
            order.set_places(self._db, between)

    def prioritise(self, download: Download, priority: int) -> bool:
        """Change the priority of a waiting download; return whether it was changed."""
        if download.status is not Status.PENDING or download.priority == priority:
            return False
        with self._db.write():
            return self._set(download, priority=priority) is not None

    def prioritise_all(self, wanted: Iterable[tuple[Download, int]]) -> None:
        """Change the priorities of those of these downloads that wait, with one statement."""
        changed = {
            one.id: priority
            for one, priority in wanted
            if one.status is Status.PENDING and one.priority != priority
        }
        if changed:
            with self._db.write():
                self._transitions.prioritise_all(changed)

    def claim_together(
        self,
        now: datetime,
        not_now: NotNow = NOTHING,
        *,
        in_order: Collection[str] = (),
        at_most: int,
    ) -> Sequence[Download]:
        """Take what is due next: highest priority, then longest in the queue.

        An item that is being fetched for another device waits: it is copied from there then.

        Args:
            now: What `retry_next_at` is compared with.
            not_now: What cannot come now. Of its downloads a worker still has the part file open:
                one that is paused and resumed at once is pending while its last bytes are still
                being written.
            in_order: Devices whose folders get their files one by one, in the order of their names.
            at_most: So many, if they are small.
        """
        due, devices, users, files, own = not_now.values(now)
        values = (due, devices, users, files, own, files, _listed(in_order), due, users, files)
        text = DUE.format(skip_locked=self._db.dialect.skip_locked)
        # Not synced: after a power cut the rows are pending again.
        with self._db.write_lazily():
            found = [
                Due(number, device_id, size, bool(has_copies))
                for number, device_id, size, has_copies in self._db.sql(text, (*values, at_most))
            ]
            chosen = [one.id for one in choose(found, in_order)]
            return self._transitions.claim_all(chosen, now) if chosen else ()

    def bring_forward(self, error_code: str) -> None:
        """Make all downloads due that wait because of this error, since its cause is gone."""
        alike = (DownloadRow.status == Status.PENDING) & (DownloadRow.error_code == error_code)
        with self._db.write():
            if self._db.execute(DownloadRow.update(retry_next_at=None).where(alike)):
                self._db.after_commit(partial(self._bus.publish, WorkArrived()))

    def bound_waits(self, now: datetime, at_most: timedelta, *, but: Collection[str] = ()) -> None:
        """Make due what waits longer than any failure lets it: the clock was put back.

        Args:
            now: The time.
            at_most: The longest wait.
            but: Error codes of what may wait longer.
        """
        far = (
            DownloadRow.status.in_([Status.PENDING, Status.FAILED])
            & (DownloadRow.retry_next_at > now + at_most)
            & (DownloadRow.error_code.is_null() | DownloadRow.error_code.not_in(list(but)))
        )
        if self._db.row(DownloadRow.select(DownloadRow.id).where(far).limit(1)) is None:
            return
        with self._db.write():
            self._db.execute(DownloadRow.update(retry_next_at=now).where(far))
            self._db.after_commit(partial(self._bus.publish, WorkArrived()))

    def put_first(self, download: Download) -> bool:
        """Move a pending download to the front; return whether it was still pending."""
        if download.status is not Status.PENDING:
            return False
        with self._db.write():
            spot = order.find_first_spot(self._db, download.id)
            return self._set(download, priority=spot.priority, place=spot.place) is not None

    def put_before(self, download: Download, other: Download | None) -> bool:
        """Move a pending download before another, or last; return whether both were pending."""
        if download.status is not Status.PENDING or (other and download.id == other.id):
            return False
        with self._db.write():
            spot = order.find_spot_before(self._db, download.id, other.id if other else None)
            if spot is None:
                return False
            return self._set(download, priority=spot.priority, place=spot.place) is not None

    def end_cooldown(
        self, download: Download, *, from_zero: bool = False, **changes: object
    ) -> bool:
        """End the cooldown of a pending download and reset its retry count."""
        if download.status is not Status.PENDING:
            return False
        changes = {**UNBLEMISHED, **(FROM_ZERO if from_zero else {}), **changes}
        with self._db.write():
            if self._set(download, **changes) is None:
                return False
            self._db.after_commit(partial(self._bus.publish, WorkArrived()))
        return True

    def accept(self, download: Download) -> bool:
        """Accept a file whose length nothing confirms, and queue it at once.

        Only this version: a file of another length or date is not accepted.
        """
        if download.status is Status.FAILED:
            return self._transitions.move(
                download, Move.RETRY, **UNBLEMISHED, accepted=download.validator
            )
        return self.end_cooldown(download, accepted=download.validator)

    def hand_over(self, download: Download, user_id: str) -> bool:
        """Change the account that the file is fetched for, and whose token is used."""
        with self._db.write():
            return self._set(download, user_id=user_id) is not None

    def cancel(self, download: Download, *, keep_part: bool = False) -> bool:
        """Delete the row of a download without a file; the caller removes the part file.

        With `keep_part` the part file stays, and is resumed if the item is queued again.

        Raises:
            IllegalMove: The file is finished: then it is deleted, not cancelled.
        """
        return bool(self.cancel_all([download], keep_parts=[download.id] if keep_part else ()))

    def cancel_all(
        self, downloads: Collection[Download], *, keep_parts: Collection[int] = ()
    ) -> frozenset[int]:
        """Do the same for many, with few statements; return the ids of those that are gone.

        Raises:
            IllegalMove: The file of one is finished; nothing was changed.
        """
        alike: dict[Status, list[Download]] = {}
        for one in downloads:
            if one.status not in CANCELLABLE:
                raise IllegalMove(f"a {one.status} download cannot be cancelled")
            alike.setdefault(one.status, []).append(one)
        gone: set[int] = set()
        with self._db.write():
            for status, some in alike.items():
                ids = json.dumps([one.id for one in some])
                gone |= {one for (one,) in self._db.execute_sql(CANCEL, (ids, str(status)))}
            for one in downloads:
                if one.id in gone:
                    if one.id in keep_parts:
                        kept_parts_downloads.remember_part(self._db, one, self._clock.now())
                    self._transitions.publish(one, one.status, None)
        return frozenset(gone)

    def list_forgotten(self, download_ids: Collection[int]) -> frozenset[int]:
        """Return those of these downloads whose rows are gone and whose part files are not kept.

        They never come back: an id is given once.
        """
        return kept_parts_downloads.list_forgotten(self._db, download_ids, self._clock.now())

    def rename(self, download: Download, place: FilePlace) -> bool:
        """Change the path of a download that has no file at the old one yet.

        Returns:
            False if another download has that path, or this one has changed meanwhile.
        """
        with self._db.write():
            try:
                find_free_place(self._db, download.device_id, [place])
            except ValueError:
                return False
            return bool(self._set(download, file_path=place.path, path_key=place.key))

    def follow(self, download: Download, place: FilePlace) -> bool:
        """Change the path of a finished file that was moved on the device: it is not missing there.

        Returns:
            Whether it has that path now, also if somebody else has seen it there first. False if
            another download has that path, or this one has changed meanwhile.
        """
        with self._db.write():
            there = self._queries.get(download.id)
            if there is None or there.status is not Status.COMPLETED:
                return False
            if there.file_path == place.path:
                return True
            if there.file_path != download.file_path:
                return False
            if make_path_key(there.file_path) != place.key:
                try:
                    find_free_place(self._db, there.device_id, [place])
                except ValueError:
                    return False
            moved = {"file_path": place.path, "path_key": place.key, **UNSEEN}
            return self._set(there, **moved) is not None

    def recover(self, living: Callable[[], Collection[str]] = tuple) -> list[Download]:
        """Requeue what was running in processes that are not there any more.

        The part files stay. Returned are those that were being finalized, which stay
        `downloading`: their file is at its final path already or is still the part file. The
        caller checks that and then calls `mark_arrived` or `postpone` for each.

        Args:
            living: Returns the processes whose downloads are left to them.
        """
        if not self._left(living()):
            return []
        with self._db.write():
            # Asked again: one may have begun meanwhile, and claimed something.
            left = self._left(living())
            cut_off = [download for download in left if not download.finalizing]
            self._transitions.move_all(cut_off, Move.POSTPONE)
        return [download for download in left if download.finalizing]

    def list_finalizing(self) -> list[Download]:
        """Return what is being finalized, by whatever process; few ever are."""
        return [one for one in self._left(()) if one.finalizing]

    def list_abandoned(self, device_id: str) -> list[Download]:
        """Return what was removed while it was being finalized; few ever are."""
        query = DownloadRow.select(COLUMNS).where(
            DownloadRow.device_id == device_id,
            DownloadRow.status == Status.REMOVED,
            # Not the bare column: it is a number on PostgreSQL.
            DownloadRow.finalizing == 1,
        )
        return [to_download(row) for row in self._db.rows(query)]

    def forget_abandoned(self, download: Download) -> None:
        """Record that nothing of a removed download is on its device any more."""
        with self._db.write():
            self._set(download, finalizing=False)

    def claimed(self) -> frozenset[int]:
        """Return what this process has claimed, as the database knows it."""
        mine = "SELECT id FROM downloads WHERE status = 'downloading' AND claimed_by = ?"
        return frozenset(one for (one,) in self._db.sql(mine, (self._db.process_id,)))

    def list_claimed(self) -> list[Download]:
        """Return what this process has claimed and is not finalizing; few ever are."""
        mine = self._db.process_id
        return [one for one in self._left(()) if one.claimed_by == mine and not one.finalizing]

    def _left(self, living: Collection[str]) -> list[Download]:
        """Return what is downloading by none of these processes; few ever are."""
        query = DownloadRow.select(COLUMNS).where(DownloadRow.status == Status.DOWNLOADING)
        running = [to_download(row) for row in self._db.rows(query)]
        return [one for one in running if one.claimed_by not in living]

    def _set(self, download: Download, **columns: object) -> Download | None:
        """Change columns other than the state, if the state is still the one the caller saw."""
        changed = self._transitions.update_seen(download, columns)
        if changed is not None:
            self._transitions.publish(changed, changed.status, changed.status)
        return changed


def _without_number(row: Row) -> Row:
    """Leave the number of a row to the database."""
    return {name: value for name, value in row.items() if name != "id"}


def _listed(values: Collection[object]) -> str:
    return json.dumps([*values]) if values else "[]"


def _choose_place(there: DeviceFolders, wanted: NewDownload) -> FilePlace:
    for place in wanted.places:
        if there.is_free(place.key):
            return place
    raise ValueError("every offered place is taken by another download")


def _count_fresh(
    asked: Iterable[tuple[str, str]], parts: Collection[tuple[str, str]]
) -> Iterator[int]:
    """Yield after each new row how many so far take an id of their own."""
    return accumulate(ids not in parts for ids in asked)


class Downloads:
    """All access to the downloads table, by task.

    Attributes:
        queries: Reads downloads.
        titles: Lists them by title.
        transitions: Changes the state of a download, and records the progress of its transfer.
        queue: Adds, orders and claims downloads.
        adopter: Adopts files that are on a device already.
        sightings: Records which files the last scan of a device found.
        identity: Changes the ids of items that have others on the server now.
    """

    def __init__(self, db: Database, bus: Bus, clock: Clock) -> None:
        self.queries = DownloadQueries(db)
        self.titles = TitleQueries(db, self.queries)
        self.transitions = DownloadTransitions(db, bus, clock)
        self.queue = DownloadQueue(db, bus, clock, self.queries, self.transitions)
        self.adopter = DownloadAdopter(db, clock, self.queries, self.transitions)
        self.sightings = DownloadSightings(db, bus, clock)
        self.identity = DownloadIdentity(db, bus, clock, self.transitions)
