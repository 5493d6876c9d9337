"""Keeps how many files each account holds, until that may have changed.

To count them takes a look at every file and hold: a tenth of a second where there are many.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Status
from sidecar.events import Bus, DeviceChanged, DownloadChanged, Event, HoldsChanged, NewsMissed
from sidecar.store.accounts.usage import UsageByAccount

# Whatever no event tells, is seen by then.
KEPT_S = 60.0


class KeptUsage:
    """Counts what accounts hold, and remembers it. Thread-safe."""

    def __init__(self, usage: UsageByAccount, bus: Bus, clock: Clock) -> None:
        """Prepare, and listen to the bus."""
        self._usage = usage
        self._clock = clock
        self._lock = Lock()
        self._changes = 0
        self._kept: tuple[int, float, Mapping[str, tuple[int, int]]] | None = None
        bus.subscribe(self.hear)

    def measure(self) -> Mapping[str, tuple[int, int]]:
        """Return the number of files and bytes of each account that holds any."""
        now = self._clock.monotonic()
        with self._lock:
            changes, kept = self._changes, self._kept
        if kept is not None and kept[0] == changes and now - kept[1] < KEPT_S:
            return kept[2]
        found = self._usage.measure()
        with self._lock:
            # What changed since the count began makes it an old one.
            self._kept = changes, now, found
        return found

    def hear(self, event: Event) -> None:
        """Listen to the bus: what is kept is old once files or holds have changed."""
        match event:
            case DownloadChanged(was=was, now=now):
                if Status.COMPLETED not in {was, now}:
                    return
            case HoldsChanged() | DeviceChanged() | NewsMissed():
                pass
            case _:
                return
        with self._lock:
            self._changes += 1
