"""Changes the state of downloads; no other code does.

It takes the new state from `domain.downloads.download.next_status`, changes the row only if it is
still in the state that the caller saw, and publishes an event after the commit. No lock is held
while files move: a move returns False, and changes nothing, if the download was moved, finished or
deleted meanwhile. A download that is being finalized cannot be paused: its file may be there.

Of a running download the caller has also seen which process claimed it. So a process whose lease
is over, and whose downloads others have claimed since, changes nothing any more.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import MappingProxyType

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Download, Move, Status, Validator, next_status
from sidecar.domain.items.item import Item
from sidecar.domain.transfers.failures import Failure
from sidecar.events import Bus, DownloadChanged, WorkArrived
from sidecar.messages import msg
from sidecar.store.database import Database
from sidecar.store.downloads.activity import ActivityLog
from sidecar.store.downloads.order import find_last_place
from sidecar.store.downloads.queries import NAMES, from_columns, to_stored

log = logging.getLogger(__name__)

Columns = Mapping[str, object]
ONE_ROW = "id = ?"
CLAIMED = "coalesce(claimed_by, '') = ?"

# The subquery runs once, on its index; the rows are found by (device, item). No other is read.
HEARD = """UPDATE downloads
    SET last_used_seq =
        (SELECT coalesce(max(last_used_seq), 0) + 1 FROM downloads WHERE last_used_seq > 0)
    WHERE device_id IN (SELECT id FROM devices) AND item_id = ?
    RETURNING id"""

# Rows in any state but the one that was seen are left alone, as by a move of one.
MANY = "id IN (SELECT CAST(value AS INTEGER) FROM json_each(?))"
UNBLEMISHED: Columns = MappingProxyType(
    {"error_code": None, "error_message": None, "retry_count": 0, "retry_next_at": None}
)
UNSEEN: Columns = MappingProxyType({"missing_since": None, "is_asked_about": False})
NOT_FINAL: Columns = MappingProxyType(
    {
        "finalizing": False,
        "file_size": None,
        "content_hash": None,
        "source_size": None,
        "source_hash": None,
        "format_note": None,
        "original_size": None,
    }
)
FROM_ZERO: Columns = MappingProxyType(
    {"bytes_downloaded": 0, "validator": None, "completed_at": None, **NOT_FINAL}
)
HAS_ARRIVED: Columns = MappingProxyType(
    {
        "status": Status.COMPLETED,
        "finalizing": False,
        "claimed_by": None,
        "gone_since": None,
        **UNBLEMISHED,
    }
)

# The rows of many downloads in one statement: one parameter has a list of values for each. No
# column of `given` has the name of one of a download: PostgreSQL could not tell them apart.
PRIORITISED = f"""UPDATE downloads SET priority = given.rank FROM (
    SELECT CAST(json_extract(value, '$[0]') AS INTEGER) AS number,
        CAST(json_extract(value, '$[1]') AS INTEGER) AS rank
    FROM json_each(?)
) AS given WHERE downloads.id = given.number AND downloads.status = ? RETURNING {NAMES}"""  # noqa: S608 - names of our own columns
FINALIZING = """UPDATE downloads SET finalizing = 1, bytes_downloaded = given.bytes,
    file_size = given.bytes, content_hash = given.hash, mime_type = given.mime,
    format = coalesce(given.target, format), original_size = given.original,
    format_note = given.note, source_size = given.of_bytes, source_hash = given.of_hash
FROM (
    SELECT CAST(json_extract(value, '$[0]') AS INTEGER) AS number,
        CAST(json_extract(value, '$[1]') AS INTEGER) AS bytes,
        json_extract(value, '$[2]') AS hash, json_extract(value, '$[3]') AS mime,
        json_extract(value, '$[4]') AS target,
        CAST(json_extract(value, '$[5]') AS INTEGER) AS original,
        json_extract(value, '$[6]') AS note,
        CAST(json_extract(value, '$[7]') AS INTEGER) AS of_bytes,
        json_extract(value, '$[8]') AS of_hash
    FROM json_each(?)
) AS given WHERE downloads.id = given.number AND +downloads.status = 'downloading'
    AND coalesce(downloads.claimed_by, '') = ? RETURNING downloads.id"""
# What `FINALIZING` takes besides the file, in its order.
MORE_OF_FILE = ("format", "original_size", "format_note", "source_size", "source_hash")
ARRIVED = f"""UPDATE downloads SET {", ".join(f"{name} = ?" for name in HAS_ARRIVED)},
    completed_at = ?, bytes_downloaded = given.bytes, file_size = given.bytes,
    content_hash = given.hash, mime_type = given.mime,
    validator = CASE WHEN given.has_original = 1 THEN validator END
FROM (
    SELECT CAST(json_extract(value, '$[0]') AS INTEGER) AS number,
        json_extract(value, '$[1]') AS process,
        CAST(json_extract(value, '$[2]') AS INTEGER) AS bytes,
        json_extract(value, '$[3]') AS hash, json_extract(value, '$[4]') AS mime,
        CAST(json_extract(value, '$[5]') AS INTEGER) AS has_original
    FROM json_each(?)
) AS given WHERE downloads.id = given.number AND +downloads.status = 'downloading'
    AND coalesce(downloads.claimed_by, '') = given.process RETURNING {NAMES}"""  # noqa: S608 - names of our own columns


@dataclass(frozen=True, slots=True)
class WholeFile:
    """The facts of a complete file; `mime_type` is None if the server gave none."""

    size: int
    content_hash: str
    mime_type: str | None


class DownloadTransitions:
    """Changes states and publishes events. Safe to use from any thread.

    Attributes:
        activity: Where moves are written down.
    """

    def __init__(self, db: Database, bus: Bus, clock: Clock) -> None:
        self._db = db
        self._bus = bus
        self._clock = clock
        self.activity = ActivityLog(db, clock)

    def move(self, download: Download, move: Move, **changes: object) -> bool:
        """Make one move, if the download is still in the state that the caller saw.

        Raises:
            IllegalMove: The move is not in the table.
        """
        which, more = self._conditions(ONE_ROW, download.status, move, changes)
        which, values = _as_seen(which, (download.id,), download.status, download.claimed_by)
        now = next_status(download.status, move)
        with self._db.write():
            moved = self.update(which, values, download.status, {"status": now, **more})
            if moved is not None:
                if move is not Move.DELETE:  # That knows whose it was.
                    self.activity.note_move(moved, move)
                self.publish(moved, download.status, now)
        return moved is not None

    def move_all(
        self, downloads: Iterable[Download], move: Move, **changes: object
    ) -> list[Download]:
        """Make the same move of many downloads, as `move` does, with few statements.

        Returns:
            Those that were still in the state that the caller saw, as they are now.
        """
        alike: dict[tuple[Status, str | None], list[int]] = {}
        for one in downloads:
            alike.setdefault((one.status, one.claimed_by), []).append(one.id)
        moved: list[Download] = []
        with self._db.write():
            for (was, claimed_by), ids in alike.items():
                which, more = self._conditions(MANY, was, move, changes)
                which, values = _as_seen(which, (json.dumps(ids),), was, claimed_by)
                now = next_status(was, move)
                rows = self._change(which, values, was, {"status": now, **more}, NAMES)
                some = [from_columns(one) for one in rows]
                self.publish_all(some, was, now)
                moved += some
        return moved

    def claim_all(self, ids: Sequence[int], now: datetime) -> Sequence[Download]:
        """Claim pending downloads for this process, in the `write` around this; keep their order.

        Args:
            ids: The downloads.
            now: When they were claimed.
        """
        was, becomes = Status.PENDING, next_status(Status.PENDING, Move.CLAIM)
        changes: Columns = {
            "status": becomes,
            "started_at": now,
            "retry_next_at": None,
            "claimed_by": self._db.process_id,
        }
        rows = self._change(MANY, (json.dumps(ids),), was, changes, NAMES)
        claimed = sorted(map(from_columns, rows), key=lambda one: ids.index(one.id))
        self.publish_all(claimed, was, becomes)
        return claimed

    def want_all_again(
        self, downloads: Sequence[Download], *, user_id: str, priority: int, place: int
    ) -> list[Download]:
        """Queue removed downloads again, as `want_again` does; return those that were queued."""
        return self.move_all(downloads, Move.WANT_AGAIN, **self._again(user_id, priority, place))

    def mark_arrived(
        self, download: Download, *, size: int, content_hash: str, mime_type: str | None
    ) -> bool:
        """Complete a download whose file is in place; see `mark_all_arrived`."""
        [is_done] = self.mark_all_arrived([(download, WholeFile(size, content_hash, mime_type))])
        return is_done

    def mark_all_arrived(self, arrived: Sequence[tuple[Download, WholeFile]]) -> Sequence[bool]:
        """Complete downloads whose files are in place, in one transaction.

        A kept original keeps its validator.

        Returns:
            For each whether it was completed, or was moved, deleted or claimed by another process
            meanwhile.
        """
        if not arrived:
            return []
        for before, _ in arrived:
            next_status(before.status, Move.ARRIVE)
        given = [
            (
                before.id,
                before.claimed_by or "",
                file.size,
                file.content_hash,
                file.mime_type,
                int(before.original_size is not None),
            )
            for before, file in arrived
        ]
        moment = {"completed_at": self._clock.now()}
        # Not synced: after a power cut the row is finalizing again, and recovery handles that.
        with self._db.write_lazily():
            values = (*to_stored(HAS_ARRIVED), *to_stored(moment), json.dumps(given))
            rows = self._db.execute_sql(ARRIVED, values)
            there = {one.id: one for one in map(from_columns, rows)}
            done = [there[before.id] for before, _ in arrived if before.id in there]
            self.activity.note_moves(done, Move.ARRIVE)
            self.publish_all(done, Status.DOWNLOADING, Status.COMPLETED)
        return [before.id in there for before, _ in arrived]

    def postpone(
        self,
        download: Download,
        *,
        until: datetime | None,
        failure: Failure,
        retry_count: int,
        from_zero: bool = False,
    ) -> bool:
        """Queue a download again after a failure: due at `until`, or at once if that is None."""
        return self.move(
            download,
            Move.POSTPONE,
            **_failure_columns(failure, until, retry_count, from_zero=from_zero),
        )

    def give_up(
        self,
        download: Download,
        *,
        until: datetime | None,
        failure: Failure,
        retry_count: int,
        from_zero: bool = False,
    ) -> bool:
        """Fail a download; it is retried at `until`, or only by a person if that is None."""
        return self.move(
            download,
            Move.GIVE_UP,
            **_failure_columns(failure, until, retry_count, from_zero=from_zero),
        )

    def pause(self, download: Download) -> bool:
        """Pause a download; its cooldown stays."""
        return self.move(download, Move.PAUSE)

    def resume(self, download: Download) -> bool:
        """Queue a paused download, at its old place."""
        return self.move(download, Move.RESUME)

    def retry(self, download: Download, *, from_zero: bool = False) -> bool:
        """Queue a failed download with its retry count reset, from the part file or from zero."""
        return self.move(download, Move.RETRY, **UNBLEMISHED, **(FROM_ZERO if from_zero else {}))

    def retry_all(self, downloads: Iterable[Download], *, from_zero: bool = False) -> None:
        """Queue many failed downloads, as `retry` does."""
        self.move_all(downloads, Move.RETRY, **UNBLEMISHED, **(FROM_ZERO if from_zero else {}))

    def mark_missing(
        self,
        download: Download,
        *,
        code: str = "removed",
        text: str = msg("It was removed from the device, and not by the sidecar"),
    ) -> bool:
        """Mark a download as removed because its file was removed or changed by others.

        Args:
            download: The download.
            code: The cause, for programs; kept until the item is wanted again.
            text: The cause, for people.
        """
        return self.move(download, Move.VANISH, error_code=code, error_message=text)

    def evict(self, download: Download) -> bool:
        """Mark a download as removed: its file was evicted."""
        return self.move(download, Move.EVICT)

    def delete(
        self, download: Download, *, by_user: str | None = None, owners: Collection[str] = ()
    ) -> bool:
        """Mark a download as removed: nobody holds its file any more, or a person deleted it.

        Args:
            download: The download.
            by_user: Who deleted it.
            owners: Whose it was until then.
        """
        with self._db.write():
            if not self.move(download, Move.DELETE):
                return False
            self.activity.note_move(download, Move.DELETE, by_user=by_user, owners=owners)
        return True

    def abandon(self, download: Download) -> bool:
        """Mark what was being finalized as removed; what of it is on the device goes later."""
        return self.move(
            download,
            Move.DELETE,
            finalizing=True,
            file_size=download.file_size,
            content_hash=download.content_hash,
            source_size=download.source_size,
        )

    def mark_damaged(self, download: Download, failure: Failure, *, has_part: bool = False) -> bool:
        """Queue a completed download again: its file is damaged or not in the wanted format.

        Args:
            download: The download.
            failure: The cause.
            has_part: The kept original becomes the part file: nothing is fetched unless the
                server has another version by now.
        """
        changes = {**UNBLEMISHED, "error_code": failure.code, "error_message": failure.message}
        part: Columns = (
            {"validator": download.validator, "bytes_downloaded": download.original_size}
            if has_part
            else {}
        )
        return self.move(download, Move.DAMAGED, **{**FROM_ZERO, **part, **changes})

    def want_again(self, download: Download, *, user_id: str, priority: int = 0) -> bool:
        """Queue a removed download again, at its old path.

        Args:
            download: The removed one.
            user_id: The account whose token fetches from now on.
            priority: Its priority.
        """
        again = self._again(user_id, priority, find_last_place(self._db))
        return self.move(download, Move.WANT_AGAIN, **again)

    def mark_used(self, item_id: str) -> int:
        """Record that an item was used just now, on all devices; return on how many it is.

        It sets a counter, not a time: what was used before has a smaller one.
        """
        with self._db.write_lazily():
            return len(self._db.execute_sql(HEARD, [item_id]))

    # -- running transfers

    def transfer_started(
        self, download_id: int, validator: Validator, held: int, *, anew: bool = False
    ) -> bool:
        """Store the validator of a part file, and that only its first `held` bytes count.

        Args:
            download_id: The download.
            validator: The one that all responses of the transfer must have.
            held: Bytes at its start.
            anew: No byte of the part file counted so far. Then the commit is not synced: a power
                cut can only bring back a row that counts none.
        """
        write = self._db.write_lazily if anew else self._db.write
        with write():
            return self._note(download_id, validator=validator, bytes_downloaded=held)

    def record_synced(self, download_id: int, held: int) -> bool:
        """Record that `held` bytes of the part file are on the disk.

        Not synced itself: after a power cut the row may be older than the file, which
        costs those bytes and nothing else.
        """
        with self._db.write_lazily():
            return self._note(download_id, bytes_downloaded=held)

    def record_rescan(self, download_id: int, item: Item) -> bool:
        """Update what the server's last scan says of the item's file."""
        with self._db.write_lazily():
            return self._note(
                download_id,
                expected_size=item.size,
                source_etag=item.source_etag,
                source_path=item.source_path,
                seconds=item.seconds,
            )

    def mark_all_finalizing(
        self, whole: Sequence[tuple[int, WholeFile, Columns]]
    ) -> Sequence[bool]:
        """Record that part files are complete and synced, with what `mark_all_arrived` needs.

        Only after this may they be renamed. All in one transaction, synced once.

        Args:
            whole: Id of the download, its file, and those of `MORE_OF_FILE` that it has.

        Returns:
            For each whether it may be renamed, or was paused or cancelled.
        """
        if not whole:
            return []
        given = [
            (
                download_id,
                file.size,
                file.content_hash,
                file.mime_type,
                *to_stored({name: more.get(name) for name in MORE_OF_FILE}),
            )
            for download_id, file, more in whole
        ]
        with self._db.write():
            asked = (json.dumps(given), self._db.process_id)
            marked = {one for (one,) in self._db.execute_sql(FINALIZING, asked)}
        return [download_id in marked for download_id, _, _ in whole]

    def tags_completed(
        self,
        download: Download,
        *,
        size: int,
        content_hash: str,
        source_hash: str,
        format_name: str,
    ) -> bool:
        """Record that the file will be replaced by a copy with better tags; return whether it may.

        Committed before the rename: after a crash between the two, recovery finds the copy as a
        part file. Only the row that the caller saw is changed.
        """
        changes: Columns = {
            "file_size": size,
            "bytes_downloaded": size,
            "content_hash": content_hash,
            "format": format_name,
            "source_size": download.file_size,
            "source_hash": source_hash,
            "completed_at": self._clock.now(),
        }
        which = f"{ONE_ROW} AND file_size = ? AND file_path = ? AND missing_since IS NULL"
        values = (download.id, download.file_size, download.file_path)
        with self._db.write():
            now = self.update(which, values, Status.COMPLETED, changes)
            if now is not None:
                self.publish(now, Status.COMPLETED, Status.COMPLETED)
        return now is not None

    def take_back_tags(self, was: Download, *, content_hash: str) -> None:
        """Record that the file was not replaced after all.

        Args:
            was: The row before `tags_completed`.
            content_hash: What was recorded then; a row that has another one is not changed.
        """
        changes: Columns = {
            "file_size": was.file_size,
            "bytes_downloaded": was.bytes_downloaded,
            "content_hash": was.content_hash,
            "format": was.format,
            "source_size": was.source_size,
            "source_hash": was.source_hash,
            "completed_at": was.completed_at,
        }
        # Whatever its name is by now: the file that stays is the one before.
        which = f"{ONE_ROW} AND content_hash = ?"
        with self._db.write():
            now = self.update(which, (was.id, content_hash), Status.COMPLETED, changes)
            if now is not None:
                self.publish(now, Status.COMPLETED, Status.COMPLETED)

    # -- one row

    def update(
        self, which: str, values: Sequence[object], was: Status, changes: Columns
    ) -> Download | None:
        """Change columns of the row that `which` finds, if it is still in the state `was`.

        SQL text: peewee takes longer to build one than SQLite to run it.
        """
        rows = self._change(which, values, was, changes, NAMES)
        return from_columns(rows[0]) if rows else None

    def update_seen(self, download: Download, changes: Columns) -> Download | None:
        """Change columns of a download, if it is still in the state that the caller saw."""
        which, values = _as_seen(ONE_ROW, (download.id,), download.status, download.claimed_by)
        return self.update(which, values, download.status, changes)

    def prioritise_all(self, priorities: Mapping[int, int]) -> None:
        """Change the priorities of those of these downloads that wait, by their ids."""
        waiting = Status.PENDING
        asked = json.dumps(list(priorities.items()))
        rows = self._db.execute_sql(PRIORITISED, (asked, str(waiting)))
        self.publish_all([from_columns(one) for one in rows], waiting, waiting)

    def publish(self, download: Download, was: Status | None, now: Status | None) -> None:
        """Publish a change once it is committed."""
        self.publish_all([download], was, now)

    def publish_all(
        self, downloads: Sequence[Download], was: Status | None, now: Status | None
    ) -> None:
        """Publish the same change of many downloads once it is committed."""
        if downloads:
            self._db.after_commit(partial(self._publish, downloads, was, now))

    def _conditions(
        self, which: str, was: Status, move: Move, changes: Columns
    ) -> tuple[str, Columns]:
        """Return which rows a move may change, and all columns that it changes."""
        if move is Move.PAUSE:
            which = f"{which} AND finalizing = 0"
        if was is Status.DOWNLOADING and move is not Move.ARRIVE:
            changes = {**NOT_FINAL, "claimed_by": None, **changes}
        if was is Status.COMPLETED:
            # The kept original and the result of the scan end with the file.
            changes = {"original_size": None, **UNSEEN, **changes}
        return which, changes

    def _again(self, user_id: str, priority: int, place: int) -> Columns:
        return {
            "user_id": user_id,
            "priority": priority,
            "queued_at": self._clock.now(),
            "place": place,
            "started_at": None,
            **UNBLEMISHED,
            **FROM_ZERO,
        }

    def _note(self, download_id: int, **columns: object) -> bool:
        """Change columns of a download that this process is busy with, without an event."""
        which, values = _as_seen(ONE_ROW, (download_id,), Status.DOWNLOADING, self._db.process_id)
        return bool(self._change(which, values, Status.DOWNLOADING, columns, "id"))

    def _change(
        self,
        which: str,
        values: Sequence[object],
        was: Status,
        changes: Columns,
        returning: str,
    ) -> list[tuple[object, ...]]:
        to = ", ".join(f"{name} = ?" for name in changes)
        # With the plus no index of a state is thought of. Otherwise SQLite would look whether one
        # fits what is bound, and so plan the statement and all its triggers anew each time.
        return self._db.execute_sql(
            f"UPDATE downloads SET {to} WHERE {which} AND +status = ? RETURNING {returning}",  # noqa: S608 - names of our own columns
            [*to_stored(changes), *values, str(was)],
        )

    def _publish(
        self, downloads: Sequence[Download], was: Status | None, now: Status | None
    ) -> None:
        for one in downloads:
            if was is not now:
                log.info("download %d: %s -> %s", one.id, was or "asked for", now or "cancelled")
            self._bus.publish(DownloadChanged(one, was, now))
        if now is Status.PENDING:
            self._bus.publish(WorkArrived())


def _as_seen(
    which: str, values: Sequence[object], was: Status, claimed_by: str | None
) -> tuple[str, Sequence[object]]:
    """Return the conditions, and those of the claim that the caller saw."""
    if was is not Status.DOWNLOADING:
        return which, values
    return f"{which} AND {CLAIMED}", (*values, claimed_by or "")


def _failure_columns(
    failure: Failure, until: datetime | None, retry_count: int, *, from_zero: bool
) -> Columns:
    return {
        "error_code": failure.code,
        "error_message": failure.message,
        "retry_next_at": until,
        "retry_count": retry_count,
        **(FROM_ZERO if from_zero else {}),
    }
