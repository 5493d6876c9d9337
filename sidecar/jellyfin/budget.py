"""How much of what a server sends may be in memory at once, whichever thread reads it."""

from __future__ import annotations

from threading import Lock


class MemoryBudget:
    """So many bytes, taken and given back. Safe for many threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._taken = 0

    def take(self, count: int) -> bool:
        """Take so many bytes; return False, and take none, if there are not so many left."""
        with self._lock:
            if self._taken + count > self._most:
                return False
            self._taken += count
            return True

    def give_back(self, count: int) -> None:
        """Give back what was taken."""
        with self._lock:
            self._taken -= count
