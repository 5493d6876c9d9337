"""Whose player a device is, what was dealt with of its positions and counts, and its imports.

    a change is noted ─▶ Jellyfin is told ─▶ done, and what was dealt with is remembered

A change that is not done may have arrived or not: the next import looks and goes on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sidecar.domain.player_logs.states import KnownState, UserState
from sidecar.store.database import Database
from sidecar.store.schema.fields import MomentField

MOMENT = MomentField()
MOST_IMPORTS = 20
KNOWN = "position_ms, position_at, undated, counted_at, elsewhere, rating, line"
SAVE = """INSERT INTO player_states (device_id, item_id, position_ms, position_at, undated,
        counted_at, elsewhere, rating, line) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (device_id, item_id) DO UPDATE SET position_ms = excluded.position_ms,
        position_at = excluded.position_at, undated = excluded.undated,
        counted_at = excluded.counted_at, elsewhere = excluded.elsewhere,
        rating = excluded.rating, line = excluded.line"""
LOGGED = """SELECT item_id, count(*) FROM imported_plays
    WHERE device_id = ? AND started_at <= ? GROUP BY item_id"""
IMPORTS = """SELECT i.id, i.made_at, count(c.id), min(c.title) FROM player_imports AS i
    JOIN player_changes AS c ON c.import_id = i.id AND c.is_done = 1
    WHERE i.device_id = ? AND i.user_id = ? GROUP BY i.id ORDER BY i.id DESC LIMIT ?"""
RECORD = """INSERT INTO player_changes (import_id, item_id, title, change, is_done)
    VALUES (?, ?, ?, ?, 1)"""
# The plays of some rows of `imported_plays` in the history.
FORGET_PLAYS = """DELETE FROM plays WHERE id IN (SELECT p.id FROM imported_plays AS i
    JOIN plays AS p ON p.user_id = i.user_id AND p.item_id = i.item_id
        AND p.started_at = i.started_at AND p.session_id = 'log:' || i.device_id
    WHERE i.id IN (SELECT CAST(value AS INTEGER) FROM json_each(?)))"""
COUNT_AGAIN = """UPDATE player_states SET undated = undated + (SELECT count(*) FROM imported_plays
        WHERE id IN (SELECT CAST(value AS INTEGER) FROM json_each(?)) AND was_counted = 1)
    WHERE device_id = ? AND item_id = ?"""
FORGET_IMPORTED = (
    "DELETE FROM imported_plays WHERE id IN (SELECT CAST(value AS INTEGER) FROM json_each(?))"
)
OPEN = """SELECT c.id, c.item_id, c.title, c.change FROM player_changes AS c
    JOIN player_imports AS i ON i.id = c.import_id
    WHERE i.device_id = ? AND i.user_id = ? AND c.is_done = ?
        AND (CAST(? AS INTEGER) IS NULL OR i.id = ?)
    ORDER BY c.id DESC"""


@dataclass(frozen=True, slots=True)
class Listener:
    """Whose player a device is; without a user it is nobody's."""

    user_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an import changes for one item: in Jellyfin, and of what was dealt with.

    Attributes:
        plays: Plays that were added: without a date, or those of `rows`.
        rows: Of `imported_plays`, if it was told by logs: their plays have dates.
        is_undo: Whether it takes an earlier one back.
    """

    item_id: str
    title: str
    before: UserState
    after: UserState
    known_before: KnownState
    known: KnownState
    plays: int = 0
    rows: tuple[int, ...] = ()
    is_undo: bool = False


@dataclass(frozen=True, slots=True)
class StoredChange:
    """A change with its number."""

    id: int
    change: Change


@dataclass(frozen=True, slots=True)
class PlayerImport:
    """An import that can be taken back: how many items it has changed, and one of their titles."""

    id: int
    made_at: datetime
    items: int
    title: str


class PlayerStates:
    """Stores listeners, what was dealt with, and imports. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def listener(self, device_id: str) -> Listener | None:
        """Return whose player a device is; None if nobody has said so."""
        text = "SELECT user_id FROM player_listeners WHERE device_id = ?"
        rows = self._db.sql(text, (device_id,))
        return Listener(rows[0][0]) if rows else None

    def choose_listener(self, device_id: str, user_id: str | None) -> None:
        """Set whose player a device is."""
        text = """INSERT INTO player_listeners (device_id, user_id) VALUES (?, ?)
            ON CONFLICT (device_id) DO UPDATE SET user_id = excluded.user_id"""
        with self._db.write():
            self._db.execute_sql(text, (device_id, user_id))

    def known(self, device_id: str) -> Mapping[str, KnownState]:
        """Return what was dealt with on a device, by item id."""
        text = f"SELECT item_id, {KNOWN} FROM player_states WHERE device_id = ?"  # noqa: S608 - ours
        return {row[0]: _known(row[1:]) for row in self._db.sql(text, (device_id,))}

    def of(self, device_id: str, item_id: str) -> KnownState:
        """Return what was dealt with of one item."""
        text = f"""SELECT {KNOWN} FROM player_states
            WHERE device_id = ? AND item_id = ?"""  # noqa: S608 - ours
        rows = self._db.sql(text, (device_id, item_id))
        return _known(rows[0]) if rows else KnownState()

    def save(self, device_id: str, item_id: str, known: KnownState) -> None:
        """Remember what was dealt with of an item."""
        with self._db.write():
            self._db.execute_sql(SAVE, (device_id, item_id, *_values(known)))

    def logged(self, device_id: str, until: datetime) -> Mapping[str, int]:
        """Return how many plays up to a date the logs of a device have told, by item id."""
        return dict(self._db.sql(LOGGED, (device_id, MOMENT.db_value(until))))

    def begin_import(self, user_id: str, device_id: str, at: datetime) -> int:
        """Note an import and return its number."""
        text = """INSERT INTO player_imports (user_id, device_id, made_at)
            VALUES (?, ?, ?) RETURNING id"""
        with self._db.write():
            number: int = self._db.execute_sql(text, (user_id, device_id, MOMENT.db_value(at)))[0][
                0
            ]
        return number

    def begin(self, import_id: int, change: Change) -> StoredChange:
        """Note a change before Jellyfin is told."""
        text = """INSERT INTO player_changes (import_id, item_id, title, change)
            VALUES (?, ?, ?, ?) RETURNING id"""
        values = (import_id, change.item_id, change.title, _to_json(change))
        with self._db.write():
            number: int = self._db.execute_sql(text, values)[0][0]
        return StoredChange(number, change)

    def record(self, import_id: int, change: Change) -> None:
        """Record a change that Jellyfin has already."""
        values = (import_id, change.item_id, change.title, _to_json(change))
        with self._db.write():
            self._db.execute_sql(RECORD, values)

    def finish(self, device_id: str, stored: StoredChange) -> None:
        """Record that Jellyfin has a change, and what was dealt with by it."""
        with self._db.write():
            self._db.execute_sql("UPDATE player_changes SET is_done = 1 WHERE id = ?", (stored.id,))
            self.save(device_id, stored.change.item_id, stored.change.known)

    def turn(self, stored: StoredChange, change: Change) -> StoredChange:
        """Note, before Jellyfin is told, that a change is taken back by this one."""
        text = "UPDATE player_changes SET change = ?, is_done = 0 WHERE id = ?"
        with self._db.write():
            self._db.execute_sql(text, (_to_json(change), stored.id))
        return StoredChange(stored.id, change)

    def forget(
        self, stored: StoredChange, *, device_id: str, known: KnownState, is_back: bool = False
    ) -> None:
        """Delete a change that was taken back, or that has not arrived.

        Args:
            stored: The change.
            device_id: Of the player.
            known: What is dealt with of the item then.
            is_back: Whether Jellyfin has taken it back: plays of logs may be imported again then.
        """
        with self._db.write():
            self._db.execute_sql("DELETE FROM player_changes WHERE id = ?", (stored.id,))
            self.save(device_id, stored.change.item_id, known)
            if is_back and stored.change.rows:
                rows = json.dumps(stored.change.rows)
                self._db.execute_sql(FORGET_PLAYS, (rows,))
                self._db.execute_sql(COUNT_AGAIN, (rows, device_id, stored.change.item_id))
                self._db.execute_sql(FORGET_IMPORTED, (rows,))
            self._db.execute_sql(
                """DELETE FROM player_imports WHERE device_id = ? AND NOT EXISTS
                    (SELECT 1 FROM player_changes AS c WHERE c.import_id = player_imports.id)""",
                (device_id,),
            )

    def unfinished(self, user_id: str, device_id: str) -> list[StoredChange]:
        """Return the changes that Jellyfin may have or not."""
        return list(self._changes(device_id, user_id, is_done=False))

    def changes(self, user_id: str, device_id: str, import_id: int) -> list[StoredChange]:
        """Return the changes of an import of this user, the last one first."""
        return list(self._changes(device_id, user_id, is_done=True, import_id=import_id))

    def imports(self, user_id: str, device_id: str) -> list[PlayerImport]:
        """Return the newest imports of a user from a device, the newest first."""
        rows = self._db.sql(IMPORTS, (device_id, user_id, MOST_IMPORTS))
        return [
            PlayerImport(number, _moment(at), items, title) for number, at, items, title in rows
        ]

    def _changes(
        self, device_id: str, user_id: str, *, is_done: bool, import_id: int | None = None
    ) -> Iterator[StoredChange]:
        rows = self._db.sql(OPEN, (device_id, user_id, is_done, import_id, import_id))
        return (StoredChange(row[0], _to_change(*row[1:])) for row in rows)


def _known(row: tuple[object, ...]) -> KnownState:
    position_ms, position_at, undated, counted_at, elsewhere, rating, line = row
    return KnownState(
        position_ms,  # type: ignore[arg-type]  # a column of integers
        MOMENT.python_value(position_at),  # type: ignore[arg-type]
        undated,  # type: ignore[arg-type]
        MOMENT.python_value(counted_at),  # type: ignore[arg-type]
        elsewhere,  # type: ignore[arg-type]
        rating,  # type: ignore[arg-type]
        line,  # type: ignore[arg-type]
    )


def _moment(at: int) -> datetime:
    moment = MOMENT.python_value(at)
    assert moment is not None  # noqa: S101 - the column is NOT NULL
    return moment


def _to_json(change: Change) -> str:
    return json.dumps(
        {
            "before": _state_to_json(change.before),
            "after": _state_to_json(change.after),
            "known_before": _values(change.known_before),
            "known": _values(change.known),
            "plays": change.plays,
            "rows": change.rows,
            "is_undo": change.is_undo,
        }
    )


def _to_change(item_id: str, title: str, told: str) -> Change:
    read = json.loads(told)
    return Change(
        item_id=item_id,
        title=title,
        before=_state(read["before"]),
        after=_state(read["after"]),
        known_before=_known(tuple(read["known_before"])),
        known=_known(tuple(read["known"])),
        plays=read["plays"],
        rows=tuple(read.get("rows", ())),
        is_undo=read["is_undo"],
    )


def _state_to_json(state: UserState) -> list[object]:
    last = None if state.last is None else state.last.isoformat()
    return [state.position_s, state.count, last, state.is_played, state.is_favourite]


def _state(read: list[object]) -> UserState:
    position_s, count, last, is_played, is_favourite = read
    return UserState(
        float(str(position_s)),
        int(str(count)),
        None if last is None else datetime.fromisoformat(str(last)),
        bool(is_played),
        bool(is_favourite),
    )


def _values(known: KnownState) -> list[object]:
    return [
        known.position_ms,
        MOMENT.db_value(known.position_at),
        known.undated,
        MOMENT.db_value(known.counted_at),
        known.elsewhere,
        known.rating,
        known.line,
    ]
