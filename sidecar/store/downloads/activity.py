"""What happened to files: which came, went or failed, and what people confirmed.

Each entry is written in the transaction of what it tells of. Whom it concerned then is written
with it, by a trigger, so that later changes of holds show nobody what was not theirs. Only the
newest are kept.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Download, Move
from sidecar.messages import msg, restore, store
from sidecar.store.database import Database
from sidecar.store.downloads.filter import search_key
from sidecar.store.schema.fields import EPOCH, MILLISECOND

MOST_KEPT = 20_000
# As many entries of this process are told from those of others.
MOST_OWN = 5_000
ENTRIES = """INSERT INTO activity
    (at, kind, device_id, item_id, title, artist, item_type, bytes, by_user, text) VALUES """
ENTRY = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
OF_NOBODY = "DELETE FROM activity_of WHERE activity_id = ?"
OF_ONE = "INSERT OR IGNORE INTO activity_of (activity_id, user_id, text) VALUES (?, ?, NULL)"
TOO_OLD = "DELETE FROM activity WHERE id <= (SELECT max(id) FROM activity) - ?"
MOVES = """SELECT id, kind, device_id, item_id FROM activity
    WHERE id > ? AND kind IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?"""
COLUMNS = "a.id, a.at, a.kind, a.device_id, a.item_id, a.title, a.artist, a.item_type, a.bytes"
OF_FILE = """SELECT 1 FROM downloads AS d
    WHERE d.device_id = a.device_id AND d.item_id = a.item_id"""
CONCERNS = """SELECT activity_id, user_id, text FROM activity_of
    WHERE activity_id IN (SELECT CAST(value AS INTEGER) FROM json_each(?))
    ORDER BY activity_id, user_id"""


class Happening(StrEnum):
    """What happened."""

    CAME = "came"
    WENT = "went"
    FAILED = "failed"
    AGAIN = "again"
    CONFIRMED = "confirmed"


HAPPENINGS = {
    Move.ARRIVE: Happening.CAME,
    Move.EVICT: Happening.WENT,
    Move.DELETE: Happening.WENT,
    Move.VANISH: Happening.WENT,
    Move.GIVE_UP: Happening.FAILED,
    Move.DAMAGED: Happening.AGAIN,
}
TEXTS = {
    Move.EVICT: msg("Removed to free up space"),
    Move.DELETE: msg("Deleted"),
}


@dataclass(frozen=True, slots=True)
class Concern:
    """A person whom an entry concerned, and why the file was wanted for them."""

    user_id: str
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """An entry.

    Attributes:
        title: Of the item; empty for what people confirmed.
        by_user: Who did it; None if the sidecar did it by itself.
        text: Why, or what was confirmed, for people; None if there is nothing to say.
        concerns: Whom it concerned.
    """

    id: int
    at: datetime
    kind: Happening
    device_id: str
    item_id: str | None
    title: str
    artist: str | None
    item_type: str | None
    bytes: int | None
    by_user: str | None
    text: str | None
    concerns: tuple[Concern, ...]


@dataclass(frozen=True, slots=True)
class MoveOfFile:
    """What happened to a file, by the id of its entry; `is_own` if this process wrote that."""

    id: int
    kind: Happening
    device_id: str
    item_id: str
    is_own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityFilter:
    """Which entries are listed; None and empty mean any.

    Attributes:
        viewer: Only what concerned this account.
        text: Only about files with these words in their title, artist or album.
        before: Only older entries than this one.
    """

    viewer: str | None = None
    device_id: str | None = None
    item_id: str | None = None
    kinds: frozenset[Happening] = frozenset()
    text: str = ""
    before: int | None = None


class ActivityLog:
    """Writes and reads entries. Safe to use from any thread."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._own: deque[int] = deque(maxlen=MOST_OWN)

    def newest(self) -> int:
        """Return the id of the newest entry; 0 if there is none."""
        ((newest,),) = self._db.sql("SELECT coalesce(max(id), 0) FROM activity")
        return int(newest)

    def moves(self, after: int, most: int) -> Sequence[MoveOfFile]:
        """Return what happened to files after an entry, the oldest first, at most so many."""
        kinds = json.dumps(sorted({*HAPPENINGS.values()}))
        rows = self._db.sql(MOVES, (after, kinds, most))
        own = {*self._own}
        return [
            MoveOfFile(number, Happening(kind), device_id, item_id, number in own)
            for number, kind, device_id, item_id in rows
        ]

    def note_move(
        self,
        download: Download,
        move: Move,
        *,
        by_user: str | None = None,
        owners: Collection[str] = (),
    ) -> None:
        """Write down a move of a download, as it is after it, if people want to know of it.

        Args:
            download: The download.
            move: What happened.
            by_user: Who did it.
            owners: Whom it concerns, if they do not hold it any more.
        """
        # With its move there is nothing to undo alone.
        with nullcontext() if self._db.is_writing else self._db.write_lazily():
            for number in self.note_moves([download], move, by_user=by_user):
                if owners:
                    self._db.execute_sql(OF_NOBODY, [number])
                for one in owners:
                    self._db.execute_sql(OF_ONE, [number, one])

    def note_moves(
        self, downloads: Sequence[Download], move: Move, *, by_user: str | None = None
    ) -> Sequence[int]:
        """Do so for many downloads, in the `write` around this; return the ids of the entries."""
        kind = HAPPENINGS.get(move)
        if kind is None or not downloads:
            return ()
        numbers = self._put(
            kind,
            [
                (
                    one.device_id,
                    one.item_id,
                    one.title,
                    one.artist,
                    one.item_type,
                    one.file_size or one.size,
                    by_user,
                    TEXTS.get(move, None if kind is Happening.CAME else one.error_message),
                )
                for one in downloads
            ],
        )
        self._own.extend(numbers)
        return numbers

    def confirm(self, user_id: str, device_id: str, text: str) -> None:
        """Write down what a person confirmed or answered."""
        with self._db.write():
            said = (device_id, None, "", None, None, None, user_id, text)
            [number] = self._put(Happening.CONFIRMED, [said])
            self._db.execute_sql(OF_ONE, [number, user_id])

    def drop_old(self) -> None:
        """Delete all but the newest entries."""
        with self._db.write_lazily():
            self._db.execute_sql(TOO_OLD, [MOST_KEPT])

    def page(self, which: ActivityFilter, size: int) -> list[Activity]:
        """Return the newest entries that match, at most `size`."""
        source = "activity AS a"
        asked: list[str] = []
        values: list[object] = []
        if which.viewer is not None:
            source = "activity_of AS o CROSS JOIN activity AS a ON a.id = o.activity_id"
            asked.append("o.user_id = ?")
            values.append(which.viewer)
        number = "a.id" if which.viewer is None else "o.activity_id"
        if which.before is not None:
            asked.append(f"{number} < ?")
            values.append(which.before)
        if which.device_id is not None:
            asked.append("a.device_id = ?")
            values.append(which.device_id)
        if which.item_id is not None:
            asked.append("a.item_id = ?")
            values.append(which.item_id)
        if which.kinds:
            asked.append("a.kind IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(sorted(which.kinds)))
        if words := search_key(which.text).split():
            asked.append(f"EXISTS ({OF_FILE}{' AND instr(d.search_key, ?) > 0' * len(words)})")
            values += words
        where = " AND ".join(asked) or "TRUE"
        with self._db.read():
            rows = self._db.sql(
                f"SELECT {COLUMNS}, a.by_user, a.text FROM {source} WHERE {where}"  # noqa: S608 - ours
                f" ORDER BY {number} DESC LIMIT ?",
                (*values, size),
            )
            concerns: dict[int, list[Concern]] = {}
            for number_of, user_id, text in self._db.sql(
                CONCERNS, (json.dumps([row[0] for row in rows]),)
            ):
                why = None if text is None else restore(text)
                concerns.setdefault(number_of, []).append(Concern(user_id, why))
        return [_activity(row, concerns.get(row[0], [])) for row in rows]

    def _put(self, kind: Happening, entries: Sequence[Sequence[object]]) -> Sequence[int]:
        now, name = (self._clock.now() - EPOCH) // MILLISECOND, str(kind)
        values: list[object] = []
        for *facts, text in entries:
            values += (now, name, *facts, store(text) if isinstance(text, str) else None)
        asked = f"{ENTRIES}{', '.join([ENTRY] * len(entries))} RETURNING id"
        return [number for (number,) in self._db.execute_sql(asked, values)]


def _activity(row: Sequence[Any], concerns: Sequence[Concern]) -> Activity:
    number, at, kind, device_id, item_id, title, artist, item_type, size, by_user, text = row
    return Activity(
        id=number,
        at=EPOCH + at * MILLISECOND,
        kind=Happening(kind),
        device_id=device_id,
        item_id=item_id,
        title=title,
        artist=artist,
        item_type=item_type,
        bytes=size,
        by_user=by_user,
        text=None if text is None else restore(text),
        concerns=tuple(concerns),
    )
