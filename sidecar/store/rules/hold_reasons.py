"""Keeps why an account holds what it holds on a device: its pages ask for it at each look.

thousands of holds ─▶ some lines, kept until a hold or a title there changes
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from threading import Lock
from typing import Any

from sidecar.events import Bus, DeviceChanged, DownloadChanged, Event, HoldsChanged, NewsMissed
from sidecar.store.database import Database

# For each rule and text; of pins, few, each source for itself.
REASONS = """SELECT rule, CASE rule WHEN 'pin' THEN source_id END, holds.text, count(*),
        count(*) FILTER (WHERE release_at IS NULL), max(files), max(d.title)
    FROM holds LEFT JOIN (
        SELECT rule, count(DISTINCT item_id) AS files FROM holds
        WHERE user_id = ?1 AND device_id = ?2 AND release_at IS NULL GROUP BY rule
    ) AS lasting USING (rule)
    LEFT JOIN downloads AS d
        ON rule = 'pin' AND d.device_id = ?2 AND d.item_id = holds.source_id
    WHERE holds.user_id = ?1 AND holds.device_id = ?2
    GROUP BY 1, 2, 3 ORDER BY min(holds.id)"""
# Of pairs of an account and a device.
MOST_KEPT = 50

Reasons = list[tuple[Any, ...]]


class HoldReasons:
    """Reads the reasons for holds, and keeps them until they change. Thread-safe."""

    def __init__(self, db: Database, bus: Bus, *, is_shared: bool) -> None:
        """Prepare.

        Args:
            db: The database.
            bus: Tells what changes.
            is_shared: Whether other processes change it as well: then nothing is kept unless
                their events come.
        """
        self._db = db
        self._bus = bus
        self._is_shared = is_shared
        self._lock = Lock()
        self._changes: Counter[str] = Counter()
        self._missed = 0
        self._kept: dict[tuple[str, str], tuple[int, Reasons]] = {}
        bus.subscribe(self.hear)

    def read(self, user_id: str, device_id: str) -> Reasons:
        """Return rule, source, text, holds, lasting ones, the rule's files and title of each."""
        if self._db.is_writing or (self._is_shared and not self._bus.hears_others()):
            read = partial(self._read, user_id, device_id)
            return self._db.once((HoldReasons, user_id, device_id), read)
        # Before it is read: what changes meanwhile makes it an old one.
        changes = self._missed + self._changes[device_id]
        known = self._kept.get((user_id, device_id))
        if known is not None and known[0] == changes:
            return known[1]
        # Not what the page has read: that may be of before the change.
        found = self._read(user_id, device_id)
        with self._lock:
            self._kept.pop((user_id, device_id), None)
            self._kept[user_id, device_id] = changes, found
            while len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return found

    def _read(self, user_id: str, device_id: str) -> Reasons:
        return self._db.sql(REASONS, (user_id, device_id))

    def hear(self, event: Event) -> None:
        """Listen to the bus."""
        match event:
            case DownloadChanged(download=one, was=was, now=now) if None in {was, now}:
                # It may have a title that stands in a reason.
                changed = one.device_id
            case HoldsChanged(device_id=device_id) | DeviceChanged(device_id=device_id):
                changed = device_id
            case NewsMissed():
                # Not only what is kept: also what is being read is an old one then.
                with self._lock:
                    self._missed += 1
                return
            case _:
                return
        with self._lock:
            self._changes[changed] += 1
