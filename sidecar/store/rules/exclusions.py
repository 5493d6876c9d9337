"""Exclusions: what people do not want from one rule, a track or all because of an album.

Unlike a tombstone it says nothing of other rules, and the file may be there for another reason.
"""

from __future__ import annotations

import peewee

from sidecar.clock import Clock
from sidecar.store.database import Database
from sidecar.store.schema.tables import ExclusionRow

EVERYWHERE = ""
# What is excluded was on a device, or is what such a file is part of.
WITH_TITLES = """SELECT device_id, rule, item_id, coalesce(
        (SELECT title FROM downloads WHERE downloads.item_id = exclusions.item_id LIMIT 1),
        (SELECT album FROM downloads WHERE downloads.album_id = exclusions.item_id LIMIT 1),
        (SELECT artist FROM downloads WHERE downloads.series_id = exclusions.item_id LIMIT 1))
    FROM exclusions WHERE user_id = ? ORDER BY device_id, rule, item_id"""


class Exclusions:
    """Stores exclusions. Safe to use from any thread."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def put(self, user_id: str, rule: str, item_id: str, *, device_id: str | None = None) -> None:
        """Exclude an item from a rule for this user, on one device or, with None, on all."""
        row = ExclusionRow.insert(
            user_id=user_id,
            device_id=device_id or EVERYWHERE,
            rule=rule,
            item_id=item_id,
            created_at=self._clock.now(),
        )
        with self._db.write():
            self._db.execute(row.on_conflict_ignore())

    def remove(
        self, user_id: str, rule: str, item_id: str, *, device_id: str | None = None
    ) -> bool:
        """Take an exclusion back, as it was put; return whether there was one."""
        with self._db.write():
            return bool(
                self._db.execute(
                    peewee.ModelDelete(ExclusionRow).where(
                        ExclusionRow.user_id == user_id,
                        ExclusionRow.device_id == (device_id or EVERYWHERE),
                        ExclusionRow.rule == rule,
                        ExclusionRow.item_id == item_id,
                    )
                )
            )

    def all_of(self, user_id: str) -> list[tuple[str | None, str, str]]:
        """Return all that a user excluded: the device (None for everywhere), rule and item."""
        query = ExclusionRow.select().where(ExclusionRow.user_id == user_id)
        order = (ExclusionRow.device_id, ExclusionRow.rule, ExclusionRow.item_id)
        return [
            (row["device_id"] or None, row["rule"], row["item_id"])
            for row in self._db.rows(query.order_by(*order))
        ]

    def with_titles(self, user_id: str) -> list[tuple[str | None, str, str, str | None]]:
        """Return the same with the item's title, None if it is not known."""
        found = self._db.sql(WITH_TITLES, (user_id,))
        return [(device_id or None, *rest) for device_id, *rest in found]

    def of(self, user_id: str, device_id: str) -> frozenset[tuple[str, str]]:
        """Return the pairs of rule and item that are excluded for a user on a device."""
        query = ExclusionRow.select(ExclusionRow.rule, ExclusionRow.item_id).where(
            ExclusionRow.user_id == user_id, ExclusionRow.device_id.in_([device_id, EVERYWHERE])
        )
        return frozenset((row["rule"], row["item_id"]) for row in self._db.rows(query))
