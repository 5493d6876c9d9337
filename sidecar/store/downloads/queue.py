"""The queue of downloads. All changes of the downloads table are in this package.

    enqueue ─▶ pending ─claim▶ downloading: started, synced …, finalizing ─arrive▶ completed
       queue ─────────┘         transitions ──────────────────────────────────┘

The diagram of all states is in `domain.downloads.download`. Changes return False if the download
was moved, finished or deleted meanwhile; then nothing was changed. A download that is being
finalized can neither be paused nor cancelled: its file may be there already.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from functools import partial

import peewee

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Download, Move, Status
from sidecar.domain.files.naming import make_path_key
from sidecar.errors import IllegalMove
from sidecar.events import Bus, WorkArrived
from sidecar.store.database import Database
from sidecar.store.downloads import kept_parts as kept_parts_downloads
from sidecar.store.downloads import order
from sidecar.store.downloads.adopt import DownloadAdopter
from sidecar.store.downloads.identity import DownloadIdentity
from sidecar.store.downloads.insert import FilePlace, NewDownload, find_free_place, to_columns
from sidecar.store.downloads.order import FIRST_DUE
from sidecar.store.downloads.queries import (
    COLUMNS,
    NAMES,
    DownloadQueries,
    from_columns,
    to_download,
)
from sidecar.store.downloads.sightings import DownloadSightings
from sidecar.store.downloads.transitions import FROM_ZERO, ONE_ROW, UNBLEMISHED, DownloadTransitions
from sidecar.store.schema.tables import DownloadRow

__all__ = ["DownloadQueue", "Downloads", "FilePlace", "NewDownload"]

CANCELLABLE = frozenset({Status.PENDING, Status.DOWNLOADING, Status.PAUSED, Status.FAILED})


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

    def enqueue(self, wanted: NewDownload, *, want_again: bool = False) -> tuple[Download, bool]:
        """Queue an item for a device, once.

        An existing download is returned as it is, except that a pending one takes a higher
        priority. A removed one is queued again only if `want_again`.

        Returns:
            The download, and whether this call queued it.

        Raises:
            ValueError: All `places` are taken by other downloads.
        """
        with self._db.write():
            there = self._queries.by_item(wanted.device_id, wanted.item.id)
            if there is None:
                return self.add(wanted), True
            if there.status is Status.REMOVED and want_again:
                self._transitions.want_again(
                    there, user_id=wanted.user_id, priority=wanted.priority, item=wanted.item
                )
                return self._queries.get(there.id) or there, True
            if there.status is Status.PENDING and there.priority < wanted.priority:
                return self._set(there, priority=wanted.priority) or there, False
            return there, False

    def add(self, wanted: NewDownload) -> Download:
        """Queue an item that has no download on the device; inside of a `write`.

        Raises:
            ValueError: All `places` are taken by other downloads.
        """
        place = find_free_place(self._db, wanted.device_id, wanted.places)
        columns = to_columns(self._db, wanted, place, self._clock.now())
        columns |= kept_parts_downloads.take_part(self._db, wanted.device_id, wanted.item.id)
        # SQL text: peewee takes longer to build one insert than SQLite to run it.
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        rows = self._db.execute_sql(
            f"INSERT INTO downloads ({names}) VALUES ({marks}) RETURNING {NAMES}",  # noqa: S608 - names of our own columns
            [getattr(DownloadRow, name).db_value(value) for name, value in columns.items()],
        )
        download = from_columns(rows[0])
        self._transitions.publish(download, None, Status.PENDING)
        return download

    def prioritise(self, download: Download, priority: int) -> bool:
        """Change the priority of a waiting download; return whether it was changed."""
        if download.status is not Status.PENDING or download.priority == priority:
            return False
        with self._db.write():
            return self._set(download, priority=priority) is not None

    def claim(
        self,
        now: datetime,
        *,
        blocked_devices: Collection[str] = (),
        blocked_users: Collection[str] = (),
        busy: Collection[int] = (),
        own_only: Collection[str] = (),
        in_order: Collection[str] = (),
    ) -> Download | None:
        """Take the next download that is due: highest priority, then longest in the queue.

        An item that is being fetched for another device waits: it is copied from there then.

        Args:
            now: What `retry_next_at` is compared with.
            blocked_devices: Devices that cannot take files now.
            blocked_users: Accounts whose token cannot fetch now.
            busy: Downloads whose part file a worker still has open: one that is paused and
                resumed at once is pending while its last bytes are still being written.
            own_only: Devices that get only what people asked for themselves.
            in_order: Devices whose folders get their files one by one, in the order of their names.
        """
        due = DownloadRow.retry_next_at.db_value(now)
        sets = (blocked_devices, blocked_users, busy, busy, own_only, in_order)
        users, files = json.dumps(list(blocked_users)), json.dumps(list(busy))
        values = [due, *(json.dumps(list(one)) for one in sets), due, users, files]
        changes = {"started_at": now, "retry_next_at": None}
        return self._transitions.apply(
            f"id = {FIRST_DUE}", values, Status.PENDING, Move.CLAIM, changes
        )

    def bring_forward(self, error_code: str) -> None:
        """Make all downloads due that wait because of this error, since its cause is gone."""
        alike = (DownloadRow.status == Status.PENDING) & (DownloadRow.error_code == error_code)
        with self._db.write():
            if self._db.execute(DownloadRow.update(retry_next_at=None).where(alike)):
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
        if download.status not in CANCELLABLE:
            raise IllegalMove(f"a {download.status} download cannot be cancelled")
        with self._db.write():
            gone = self._db.execute(
                peewee.ModelDelete(DownloadRow).where(
                    DownloadRow.id == download.id,
                    DownloadRow.status == download.status,
                    ~DownloadRow.finalizing,
                )
            )
            if gone:
                if keep_part:
                    kept_parts_downloads.remember_part(self._db, download, self._clock.now())
                self._transitions.publish(download, download.status, None)
        return bool(gone)

    def kept_parts(self, device_id: str) -> frozenset[int]:
        """Return the cancelled downloads of a device whose part files are kept."""
        return kept_parts_downloads.list_kept_parts(self._db, device_id, self._clock.now())

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
        """Change the path of a finished file that somebody has moved on the device.

        Returns:
            False if another download has that path, or this one has changed meanwhile.
        """
        with self._db.write():
            there = self._queries.get(download.id)
            if there is None or (there.status, there.file_path) != (
                Status.COMPLETED,
                download.file_path,
            ):
                return False
            if make_path_key(there.file_path) != place.key:
                try:
                    find_free_place(self._db, there.device_id, [place])
                except ValueError:
                    return False
            return self._set(there, file_path=place.path, path_key=place.key) is not None

    def recover(self) -> list[Download]:
        """Requeue what was running when the sidecar died; at the start, before any worker runs.

        The part files stay. Returned are those that were being finalized, which stay
        `downloading`: their file is at its final path already or is still the part file. The
        caller checks that and then calls `mark_arrived` or `postpone` for each.
        """
        with self._db.write():
            query = DownloadRow.select(COLUMNS).where(DownloadRow.status == Status.DOWNLOADING)
            running = [to_download(row) for row in self._db.rows(query)]
            for download in running:
                if not download.finalizing:
                    self._transitions.move(download, Move.POSTPONE)
        return [download for download in running if download.finalizing]

    def _set(self, download: Download, **columns: object) -> Download | None:
        """Change columns other than the state, if the state is still the one the caller saw."""
        changed = self._transitions.update(ONE_ROW, (download.id,), download.status, columns)
        if changed is not None:
            self._transitions.publish(changed, changed.status, changed.status)
        return changed


class Downloads:
    """All access to the downloads table, by task.

    Attributes:
        queries: Reads downloads.
        transitions: Changes the state of a download, and records the progress of its transfer.
        queue: Adds, orders and claims downloads.
        adopter: Adopts files that are on a device already.
        sightings: Records which files the last scan of a device found.
        identity: Changes the ids of items that have others on the server now.
    """

    def __init__(self, db: Database, bus: Bus, clock: Clock) -> None:
        self.queries = DownloadQueries(db)
        self.transitions = DownloadTransitions(db, bus, clock)
        self.queue = DownloadQueue(db, bus, clock, self.queries, self.transitions)
        self.adopter = DownloadAdopter(db, clock, self.queries, self.transitions)
        self.sightings = DownloadSightings(db, bus, clock)
        self.identity = DownloadIdentity(db, bus, clock, self.transitions)
