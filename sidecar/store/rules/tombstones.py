"""Tombstones: what people removed on purpose; no rule fetches it for them until they ask."""

from __future__ import annotations

import json
from collections.abc import Collection

import peewee

from sidecar.clock import Clock
from sidecar.store.database import Database
from sidecar.store.schema.tables import TombstoneRow

FORGET = """DELETE FROM tombstones WHERE (user_id, device_id, item_id) IN (
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
    FROM json_each(?)) RETURNING item_id"""
PUT = """INSERT OR IGNORE INTO tombstones (user_id, device_id, item_id, created_at)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), ?
    FROM json_each(?)"""
TITLES = """SELECT tombstones.item_id, downloads.title FROM tombstones
    LEFT JOIN downloads USING (device_id, item_id)
    WHERE tombstones.user_id = ? AND tombstones.device_id = ? ORDER BY tombstones.item_id"""


class Tombstones:
    """Stores tombstones. Safe to use from any thread."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def put(self, user_id: str, device_id: str, item_id: str) -> None:
        """Remember that this user removed the item from the device; the first time counts."""
        row = TombstoneRow.insert(
            user_id=user_id, device_id=device_id, item_id=item_id, created_at=self._clock.now()
        )
        with self._db.write():
            self._db.execute(row.on_conflict_ignore())

    def put_all(self, which: Collection[tuple[str, str, str]]) -> None:
        """Remember many: of a user, on a device, for an item."""
        moment = TombstoneRow.created_at.db_value(self._clock.now())
        with self._db.write():
            self._db.execute_sql(PUT, [moment, json.dumps(list(which))])

    def forget(self, user_id: str, device_id: str, item_id: str) -> bool:
        """Forget it, because the user asked for the item; return whether there was one."""
        with self._db.write():
            return bool(
                self._db.execute(
                    peewee.ModelDelete(TombstoneRow).where(
                        TombstoneRow.user_id == user_id,
                        TombstoneRow.device_id == device_id,
                        TombstoneRow.item_id == item_id,
                    )
                )
            )

    def forget_all(self, which: Collection[tuple[str, str, str]]) -> None:
        """Forget many: of a user, on a device, for an item."""
        with self._db.write():
            self._db.execute_sql(FORGET, [json.dumps(list(which))])

    def titles(self, user_id: str, device_id: str) -> dict[str, str | None]:
        """Return what this user removed from the device, with the titles that are known."""
        return dict(self._db.sql(TITLES, (user_id, device_id)))

    def items(self, user_id: str, device_id: str) -> frozenset[str]:
        """Return the items that this user removed from the device."""
        query = TombstoneRow.select(TombstoneRow.item_id).where(
            TombstoneRow.user_id == user_id, TombstoneRow.device_id == device_id
        )
        return frozenset(row["item_id"] for row in self._db.rows(query))
