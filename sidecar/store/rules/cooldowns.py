"""Evicted items in a cooldown: rules without lasting holds do not fetch them for a while.

Written before the file goes, so that after a crash in between nobody takes it for a person's doing.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import peewee

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Status
from sidecar.domain.space.eviction import REST
from sidecar.store.database import Database
from sidecar.store.schema.fields import EPOCH, MILLISECOND
from sidecar.store.schema.tables import DownloadRow, EvictionCooldownRow

UNPLAYED = """SELECT item_id FROM rests AS rest
    WHERE device_id = ?1 AND until > ?2 AND NOT EXISTS (
        SELECT 1 FROM plays WHERE plays.counts = 1 AND plays.item_id = rest.item_id
            AND plays.ended_at > rest.until - ?3)"""


class EvictionCooldowns:
    """Stores cooldowns. Safe to use from any thread."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def put(self, device_id: str, item_id: str, until: datetime) -> None:
        """Start an item's cooldown on a device; delete all that are over."""
        row = EvictionCooldownRow.insert(device_id=device_id, item_id=item_id, until=until)
        over = peewee.ModelDelete(EvictionCooldownRow).where(
            EvictionCooldownRow.until <= self._clock.now()
        )
        with self._db.write():
            self._db.execute(over)
            self._db.execute(
                row.on_conflict(
                    conflict_target=[EvictionCooldownRow.device_id, EvictionCooldownRow.item_id],
                    preserve=[EvictionCooldownRow.until],
                )
            )

    def end(self, device_id: str, item_id: str) -> bool:
        """End a cooldown, because a person asked for the item; return whether there was one."""
        with self._db.write():
            return bool(
                self._db.execute(
                    peewee.ModelDelete(EvictionCooldownRow).where(
                        EvictionCooldownRow.device_id == device_id,
                        EvictionCooldownRow.item_id == item_id,
                    )
                )
            )

    def find_end(self, device_id: str, item_id: str) -> datetime | None:
        """Return when the last rest of an item on a device ends; None if it never had one."""
        query = EvictionCooldownRow.select(EvictionCooldownRow.until).where(
            EvictionCooldownRow.device_id == device_id, EvictionCooldownRow.item_id == item_id
        )
        found = self._db.row(query)
        return found["until"] if found else None

    def list_cooling_down(self, device_id: str, now: datetime) -> Collection[str]:
        """Return the items that rest on a device; what came back meanwhile rests no more."""
        query = EvictionCooldownRow.select(EvictionCooldownRow.item_id).where(
            EvictionCooldownRow.device_id == device_id,
            EvictionCooldownRow.until > now,
            # One that lasts far longer was begun before the clock was put back.
            EvictionCooldownRow.until <= now + 2 * REST,
            ~_is_back(),
        )
        return frozenset(row["item_id"] for row in self._db.rows(query))

    def list_unplayed(self, device_id: str, now: datetime) -> Collection[str]:
        """Return those of them that nobody has played since they were evicted."""
        rows = self._db.sql(
            UNPLAYED, (device_id, (now - EPOCH) // MILLISECOND, REST // MILLISECOND)
        )
        resting = self.list_cooling_down(device_id, now)
        return frozenset(item_id for (item_id,) in rows if item_id in resting)


def _is_back() -> peewee.Function:
    return peewee.fn.EXISTS(
        DownloadRow.select(peewee.SQL("1")).where(
            DownloadRow.device_id == EvictionCooldownRow.device_id,
            DownloadRow.item_id == EvictionCooldownRow.item_id,
            DownloadRow.status != Status.REMOVED,
        )
    )
