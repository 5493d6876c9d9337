"""Samples for charts: how full each device was on each day, and how much was fetched when.

One row for each device and day, kept for more than a year; one for each account and five minutes,
kept for a day.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sidecar.store.database import Database

DAYS_KEPT = 400
SLOT_S = 300
SLOTS_KEPT = 24 * 3600 // SLOT_S
# Stands for all accounts together.
ALL = ""
SPACE = """INSERT INTO space_samples (device_id, day, used, most) VALUES (?, ?, ?, ?)
    ON CONFLICT (device_id, day) DO UPDATE SET used = excluded.used, most = excluded.most"""
SPACE_OF = """SELECT device_id, day, used, most FROM space_samples
    WHERE device_id IN (SELECT value FROM json_each(?)) ORDER BY device_id, day"""
SPEED = """INSERT INTO speed_samples (slot, user_id, bytes) VALUES (?, ?, ?)
    ON CONFLICT (user_id, slot) DO UPDATE SET bytes = speed_samples.bytes + excluded.bytes"""
BEGIN = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class SpaceSample:
    """The bytes of our files on a device on a day, and the most that they might have been."""

    day: date
    used: int
    most: int | None


class Samples:
    """Stores samples. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def note_space(self, day: date, found: Mapping[str, tuple[int, int | None]]) -> None:
        """Set the day's samples: used and most, by device."""
        number = (day - BEGIN).days
        with self._db.write_lazily():
            for device_id, (used, most) in found.items():
                self._db.execute_sql(SPACE, [device_id, number, used, most])
            self._db.execute_sql("DELETE FROM space_samples WHERE day <= ?", [number - DAYS_KEPT])

    def space(self, device_ids: Iterable[str]) -> Mapping[str, Sequence[SpaceSample]]:
        """Return the samples of devices, the oldest first; those without any are left out."""
        found: defaultdict[str, list[SpaceSample]] = defaultdict(list)
        for device_id, day, used, most in self._db.sql(SPACE_OF, (json.dumps([*device_ids]),)):
            found[device_id].append(SpaceSample(BEGIN + timedelta(days=day), used, most))
        return found

    def note_speed(self, slot: int, fetched: Mapping[str, int]) -> None:
        """Add the bytes that were fetched in a slot of five minutes, by account and for `ALL`."""
        with self._db.write_lazily():
            for user_id, octets in fetched.items():
                self._db.execute_sql(SPEED, [slot, user_id, octets])
            self._db.execute_sql("DELETE FROM speed_samples WHERE slot <= ?", [slot - SLOTS_KEPT])

    def speed(self, user_id: str, since: int) -> dict[int, int]:
        """Return the bytes of an account, or of `ALL`, by slot, from the slot `since` on."""
        return dict(
            self._db.sql(
                "SELECT slot, bytes FROM speed_samples WHERE user_id = ? AND slot >= ?",
                (user_id, since),
            )
        )
