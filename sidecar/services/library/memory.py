"""Keeps what Jellyfin said for some minutes, so that a page does not ask it again each time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from sidecar.clock import Clock

KEPT_FOR_S = 300.0
MOST_KEPT = 2000
T = TypeVar("T")


class ShortMemory:
    """Values by keys. Safe for many threads; two may ask at once, and the last one counts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, ...], tuple[float, object]] = OrderedDict()

    def get(self, key: tuple[str, ...], ask: Callable[[], T]) -> T:
        """Return the value that is kept for a key, or else what `ask` returns."""
        with self._lock:
            until, kept = self._kept.get(key, (0.0, None))
        if self._clock.monotonic() < until:
            return kept  # type: ignore[return-value]  # what `ask` returned before
        found = ask()
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = self._clock.monotonic() + KEPT_FOR_S, found
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return found
