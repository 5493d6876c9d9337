"""The one place that changes the state of a download.

It asks `domain.downloads.states.after`, changes the row *where it is still in the state the
caller saw*,
and tells the news after the commit. Nothing is locked while files move; a move returns False if
somebody else moved, finished or deleted the download first, and then changed nothing.
What is being finalized cannot be paused: its file may be in its place already.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from types import MappingProxyType

from sidecar.clock import Clock
from sidecar.domain.downloads.states import Download, Move, Status, Validator, next_status
from sidecar.domain.items.item import Item
from sidecar.domain.transfers.failures import Failure
from sidecar.events import Bus, DownloadChanged, WorkArrived
from sidecar.messages import msg
from sidecar.store.database import Database
from sidecar.store.downloads.order import find_last_place
from sidecar.store.downloads.queries import NAMES, from_columns
from sidecar.store.schema.tables import DownloadRow

log = logging.getLogger(__name__)

Columns = Mapping[str, object]
ONE_ROW = "id = ?"
# Not waited for: after a power cut the row is pending or finalizing again, and recovery goes on.
FOUND_AGAIN = frozenset({Move.CLAIM, Move.ARRIVE})

# The subquery is answered once, from its index, and the rows by (device, item): no other is read.
HEARD = """UPDATE downloads
    SET last_used_seq =
        (SELECT ifnull(max(last_used_seq), 0) + 1 FROM downloads WHERE last_used_seq > 0)
    WHERE device_id IN (SELECT id FROM devices) AND item_id = ?
    RETURNING id"""

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


class DownloadTransitions:
    """Changes states and tells of it. Safe to use from any thread."""

    def __init__(self, db: Database, bus: Bus, clock: Clock) -> None:
        self._db = db
        self._bus = bus
        self._clock = clock

    def move(self, download: Download, move: Move, **changes: object) -> bool:
        """Make one move, if the download is still in the state that the caller saw.

        Raises:
            IllegalMove: The move is not in the table; a bug.
        """
        which = ONE_ROW
        if move is Move.PAUSE:
            which = f"{ONE_ROW} AND NOT finalizing"
        if download.status is Status.DOWNLOADING and move is not Move.ARRIVE:
            changes = {**NOT_FINAL, **changes}
        if download.status is Status.COMPLETED:
            # What is kept besides its file goes with it, and whether that was seen.
            changes = {"original_size": None, **UNSEEN, **changes}
        return self.apply(which, (download.id,), download.status, move, changes) is not None

    def mark_arrived(
        self, download: Download, *, size: int, content_hash: str, mime_type: str | None
    ) -> bool:
        """The file is in its place and synced; a kept original is known by its validator."""
        no_part: Columns = {} if download.original_size is not None else {"validator": None}
        return self.move(
            download,
            Move.ARRIVE,
            file_size=size,
            bytes_downloaded=size,
            content_hash=content_hash,
            mime_type=mime_type,
            completed_at=self._clock.now(),
            finalizing=False,
            gone_since=None,
            **no_part,
            **UNBLEMISHED,
        )

    def postpone(
        self,
        download: Download,
        *,
        until: datetime | None,
        failure: Failure,
        retry_count: int,
        from_zero: bool = False,
    ) -> bool:
        """An attempt failed; another is due at `until`, at once if that is None."""
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
        """It failed; it is tried again at `until`, or only when a person says so if None."""
        return self.move(
            download,
            Move.GIVE_UP,
            **_failure_columns(failure, until, retry_count, from_zero=from_zero),
        )

    def pause(self, download: Download) -> bool:
        """Stop until resumed; a cooldown stays in force."""
        return self.move(download, Move.PAUSE)

    def resume(self, download: Download) -> bool:
        """Queue what was paused, at its old place in the queue."""
        return self.move(download, Move.RESUME)

    def retry(self, download: Download, *, from_zero: bool = False) -> bool:
        """Queue what failed, with all its tries, from the part file or from zero."""
        return self.move(download, Move.RETRY, **UNBLEMISHED, **(FROM_ZERO if from_zero else {}))

    def mark_missing(
        self,
        download: Download,
        *,
        code: str = "removed",
        text: str = msg("It was removed from the device, and not by the sidecar"),
    ) -> bool:
        """The file is no longer on the device, or no longer ours, and it was not us.

        Args:
            download: Whose file.
            code: Why it is not there, for programs; kept until it is wanted again.
            text: The same for people.
        """
        return self.move(download, Move.VANISH, error_code=code, error_message=text)

    def evict(self, download: Download) -> bool:
        """The file was removed to make room."""
        return self.move(download, Move.EVICT)

    def delete(self, download: Download) -> bool:
        """The file was removed because nobody holds it, or somebody said so."""
        return self.move(download, Move.DELETE)

    def mark_damaged(self, download: Download, failure: Failure, *, has_part: bool = False) -> bool:
        """The file is not what arrived, or not what is wanted: fetch it again.

        Args:
            download: Whose file.
            failure: Why.
            has_part: The original that was kept becomes its part file: nothing of it is fetched
                unless the server has another one by now.
        """
        changes = {**UNBLEMISHED, "error_code": failure.code, "error_message": failure.message}
        part: Columns = (
            {"validator": download.validator, "bytes_downloaded": download.original_size}
            if has_part
            else {}
        )
        return self.move(download, Move.DAMAGED, **{**FROM_ZERO, **part, **changes})

    def want_again(
        self, download: Download, *, user_id: str, priority: int = 0, item: Item | None = None
    ) -> bool:
        """Queue what was removed, at its old path, as if it were new.

        Args:
            download: What was removed.
            user_id: Whose token fetches from now on.
            priority: As it is queued.
            item: What the server says of it now, if that is known.
        """
        told: Columns = (
            {}
            if item is None
            else {
                "expected_size": item.size,
                "source_etag": item.source_etag,
                "source_path": item.source_path,
            }
        )
        return self.move(
            download,
            Move.WANT_AGAIN,
            user_id=user_id,
            priority=priority,
            queued_at=self._clock.now(),
            place=find_last_place(self._db),
            started_at=None,
            **told,
            **UNBLEMISHED,
            **FROM_ZERO,
        )

    def mark_used(self, item_id: str) -> int:
        """Note that an item was used last of all, on every device; return how many have it.

        A counter, not a time: what was used before it has a smaller one.
        """
        with self._db.write_lazily():
            return len(self._db.execute_sql(HEARD, [item_id]))

    # -- the transfer that runs

    def transfer_started(
        self, download_id: int, validator: Validator, held: int, *, anew: bool = False
    ) -> bool:
        """Commit what the part file's bytes belong to, and that only `held` of them count.

        Args:
            download_id: Whose part file.
            validator: What every response of the transfer agrees on.
            held: Bytes at its start.
            anew: No byte of the part counted so far. Nothing is waited for then: a power cut can
                only bring back a row that counts none.
        """
        write = self._db.write_lazily if anew else self._db.write
        with write():
            return self._note(download_id, validator=validator, bytes_downloaded=held)

    def record_synced(self, download_id: int, held: int) -> bool:
        """Note that `held` bytes of the part file are on the disk.

        Cheap, not synced itself: after a power cut the row may be older than the file, which
        costs those bytes and nothing else.
        """
        with self._db.write_lazily():
            return self._note(download_id, bytes_downloaded=held)

    def record_rescan(self, download_id: int, item: Item) -> bool:
        """Note what the server says of the item by now: it may have looked at the file again."""
        with self._db.write_lazily():
            return self._note(
                download_id,
                expected_size=item.size,
                source_etag=item.source_etag,
                source_path=item.source_path,
                seconds=item.seconds,
            )

    def mark_finalizing(
        self,
        download_id: int,
        *,
        size: int,
        content_hash: str,
        mime_type: str | None,
        **was: object,
    ) -> bool:
        """Commit that the part is whole and synced, with all that `mark_arrived` needs to know.

        Only after this may the part be renamed: a False means it was paused or cancelled.
        """
        with self._db.write():
            return self._note(
                download_id,
                finalizing=True,
                bytes_downloaded=size,
                file_size=size,
                content_hash=content_hash,
                mime_type=mime_type,
                **was,
            )

    def tags_completed(
        self, download: Download, *, size: int, content_hash: str, format_name: str
    ) -> bool:
        """The file is about to be replaced by a copy with better tags; return whether it may be.

        Committed before the rename: until then the copy is a part file, by which a crash between
        the two is put in order. Only the row that the caller saw is changed.
        """
        changes: Columns = {
            "file_size": size,
            "bytes_downloaded": size,
            "content_hash": content_hash,
            "format": format_name,
            "source_size": download.source_size or download.file_size,
            "source_hash": download.source_hash or download.content_hash,
            "completed_at": self._clock.now(),
        }
        which = f"{ONE_ROW} AND file_size = ? AND file_path = ? AND missing_since IS NULL"
        values = (download.id, download.file_size, download.file_path)
        with self._db.write():
            now = self.update(which, values, Status.COMPLETED, changes)
            if now is not None:
                self.publish(now, Status.COMPLETED, Status.COMPLETED)
        return now is not None

    # -- one row

    def apply(
        self, which: str, values: Sequence[object], was: Status, move: Move, changes: Columns
    ) -> Download | None:
        """Make a move of the row that `which` finds with these values, and tell of it."""
        now = next_status(was, move)
        write = self._db.write_lazily if move in FOUND_AGAIN else self._db.write
        with write():
            download = self.update(which, values, was, {"status": now, **changes})
            if download is not None:
                self.publish(download, was, now)
        return download

    def update(
        self, which: str, values: Sequence[object], was: Status, changes: Columns
    ) -> Download | None:
        """Change columns of the row that `which` finds, if it is still in the state `was`.

        Written out: five of these belong to each file, and peewee takes longer to put one
        together than SQLite to run it.
        """
        to = ", ".join(f"{name} = ?" for name in changes)
        stored = [getattr(DownloadRow, name).db_value(value) for name, value in changes.items()]
        rows = self._db.execute_sql(
            f"UPDATE downloads SET {to} WHERE {which} AND status = ? RETURNING {NAMES}",  # noqa: S608 - names of our own columns
            [*stored, *values, str(was)],
        )
        return from_columns(rows[0]) if rows else None

    def publish(self, download: Download, was: Status | None, now: Status | None) -> None:
        """Tell of a change once it is committed."""
        self._db.after_commit(partial(self._publish, download, was, now))

    def _note(self, download_id: int, **columns: object) -> bool:
        """Change columns of a running download; no news."""
        return self.update(ONE_ROW, (download_id,), Status.DOWNLOADING, columns) is not None

    def _publish(self, download: Download, was: Status | None, now: Status | None) -> None:
        if was is not now:
            log.info("download %d: %s -> %s", download.id, was or "asked for", now or "cancelled")
        self._bus.publish(DownloadChanged(download, was, now))
        if now is Status.PENDING:
            self._bus.publish(WorkArrived())


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
