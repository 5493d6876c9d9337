"""The filters that people saved, and on which devices each is kept in sync."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sidecar.domain.items.item import ItemType
from sidecar.domain.items.kinds import Kind
from sidecar.domain.items.selection import SELECTABLE, Named, Selection, SelectionOrder
from sidecar.domain.rules.context import Chosen, KeptSelection
from sidecar.store.database import Database
from sidecar.store.schema.fields import MomentField

ADD = "INSERT INTO selections (id, user_id, name, asked, created_at) VALUES (?, ?, ?, ?, ?)"
CHANGE = "UPDATE selections SET name = ?, asked = ? WHERE id = ? AND user_id = ? RETURNING 1"
OF_USER = """SELECT id, name, asked FROM selections WHERE user_id = ?
    ORDER BY created_at, id"""
ON_DEVICES = """SELECT selection_id, device_id, matched, keeps_all FROM selection_devices
    JOIN selections ON selections.id = selection_id WHERE user_id = ? ORDER BY device_id"""
ON_DEVICE = """SELECT id, name, asked, matched, keeps_all FROM selections
    JOIN selection_devices ON selection_id = id WHERE user_id = ? AND device_id = ?
    ORDER BY created_at, id"""
IN_SYNC = f"""SELECT * FROM (
        SELECT NULL, id AS turn, playlist_id, title, kind, CAST(NULL AS INTEGER),
            CAST(NULL AS INTEGER) FROM chosen_playlists
            WHERE user_id = ? AND device_id = ? ORDER BY turn) AS lists
    UNION ALL SELECT * FROM (
        SELECT '1', CAST(NULL AS INTEGER), those.* FROM ({ON_DEVICE}) AS those) AS kept"""  # noqa: S608 - text of ours
KEEP = """INSERT INTO selection_devices (selection_id, device_id)
    SELECT id, ? FROM selections WHERE id = ? AND user_id = ? ON CONFLICT DO NOTHING"""
DROP = """DELETE FROM selection_devices WHERE device_id = ?
    AND selection_id IN (SELECT id FROM selections WHERE id = ? AND user_id = ?)"""
# Only if nobody has answered meanwhile.
MATCHED = """UPDATE selection_devices SET matched = ?, keeps_all = ?
    WHERE selection_id = ? AND device_id = ? AND matched IS ? AND keeps_all = ?"""
ASK_AGAIN = """UPDATE selection_devices SET keeps_all = 0 WHERE keeps_all = 1
    AND selection_id IN (SELECT id FROM selections WHERE id = ? AND user_id = ?)"""
MOMENT = MomentField()


@dataclass(frozen=True, slots=True)
class SavedSelection:
    """A saved filter."""

    id: str
    name: str
    asked: Selection


class Selections:
    """Stores saved filters. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, user_id: str, saved: SavedSelection, at: datetime) -> None:
        """Save a new filter of a user."""
        values = [saved.id, user_id, saved.name, write_selection(saved.asked), MOMENT.db_value(at)]
        with self._db.write():
            self._db.execute_sql(ADD, values)

    def change(self, user_id: str, saved: SavedSelection) -> bool:
        """Change a filter of a user; return whether there is one: it may be deleted meanwhile."""
        values = [saved.name, write_selection(saved.asked), saved.id, user_id]
        with self._db.write():
            is_there = bool(self._db.sql(CHANGE, values))
            # Changed, it may match far fewer for another reason: that is asked again.
            self._db.execute_sql(ASK_AGAIN, [saved.id, user_id])
        return is_there

    def of_user(self, user_id: str) -> list[SavedSelection]:
        """Return the filters of a user, the oldest first."""
        rows = self._db.sql(OF_USER, (user_id,))
        return [SavedSelection(id_, name, read_selection(asked)) for id_, name, asked in rows]

    def delete(self, user_id: str, selection_id: str) -> bool:
        """Delete a filter of a user; return whether there was one."""
        text = "DELETE FROM selections WHERE user_id = ? AND id = ? RETURNING 1"
        with self._db.write():
            return bool(self._db.sql(text, (user_id, selection_id)))

    def devices(self, user_id: str) -> dict[str, list[str]]:
        """Return the devices on which each filter of a user is kept in sync."""
        found: dict[str, list[str]] = {}
        for selection_id, device_id, _, _ in self._db.sql(ON_DEVICES, (user_id,)):
            found.setdefault(selection_id, []).append(device_id)
        return found

    def kept(self, user_id: str, device_id: str) -> tuple[KeptSelection, ...]:
        """Return what a user keeps in sync on a device, the oldest filter first."""
        found = self._db.sql(ON_DEVICE, (user_id, device_id))
        return tuple(_make_kept(*row) for row in found)

    def in_sync(
        self, user_id: str, device_id: str
    ) -> tuple[tuple[Chosen, ...], tuple[KeptSelection, ...]]:
        """Return all that a user keeps in sync on a device: playlists and others, and filters.

        One query for both, as a page shows them together.
        """
        chosen: list[Chosen] = []
        kept: list[KeptSelection] = []
        for is_filter, _, id_, title, what, *rest in self._db.sql(
            IN_SYNC, (user_id, device_id, user_id, device_id)
        ):
            if is_filter:
                kept.append(_make_kept(id_, title, what, *rest))
            else:
                chosen.append(Chosen(playlist_id=id_, title=title, kind=ItemType(what)))
        return tuple(chosen), tuple(kept)

    def keep(self, user_id: str, device_id: str, selection_id: str) -> None:
        """Keep a filter of a user in sync on a device from now on."""
        with self._db.write():
            self._db.execute_sql(KEEP, [device_id, selection_id, user_id])

    def drop(self, user_id: str, device_id: str, selection_id: str) -> None:
        """Keep a filter of a user in sync on a device no more."""
        with self._db.write():
            self._db.execute_sql(DROP, [device_id, selection_id, user_id])

    def note(
        self, kept: KeptSelection, device_id: str, matched: int | None, *, keeps_all: bool
    ) -> None:
        """Remember how many files a filter matches, unless that was changed since `kept`."""
        if (kept.matched, kept.keeps_all) == (matched, keeps_all):
            return
        values = [matched, keeps_all, kept.id, device_id, kept.matched, kept.keeps_all]
        with self._db.write():
            self._db.execute_sql(MATCHED, values)


def _make_kept(
    id_: str, name: str, asked: str, matched: int | None, keeps_all: int
) -> KeptSelection:
    return KeptSelection(
        id=id_,
        name=name,
        asked=read_selection(asked),
        matched=matched,
        keeps_all=bool(keeps_all),
    )


def write_selection(asked: Selection) -> str:
    """Return a filter as text: only what narrows it down."""
    empty = Selection()
    values: dict[str, Any] = {
        one.name: value
        for one in fields(Selection)
        if (value := getattr(asked, one.name)) != getattr(empty, one.name)
    }
    for name in ("libraries", "artists"):
        if name in values:
            values[name] = [asdict(one) for one in values[name]]
    if "kinds" in values:
        values["kinds"] = sorted(values["kinds"])
    return json.dumps(values, ensure_ascii=False, sort_keys=True)


def read_selection(text: str) -> Selection:
    """Return a filter from its text; what an older or newer release wrote otherwise is left out."""
    told: dict[str, Any] = json.loads(text)
    known = {one.name for one in fields(Selection)}
    values = {name: value for name, value in told.items() if name in known}
    for name in ("libraries", "artists"):
        if name in values:
            values[name] = tuple(_read_named(values[name]))
    for name in ("genres", "tags"):
        if name in values:
            values[name] = tuple(values[name])
    kinds = frozenset(one for one in map(Kind, values.pop("kinds", ())) if one in SELECTABLE)
    if kinds:
        values["kinds"] = kinds
    if "order" in values:
        values["order"] = SelectionOrder(values["order"])
    return Selection(**values)


def _read_named(told: Iterable[Mapping[str, str]]) -> Iterable[Named]:
    return (Named(one["id"], one["name"]) for one in told)
