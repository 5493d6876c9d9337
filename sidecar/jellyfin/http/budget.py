"""A limit, for all threads together, on the bytes of server responses held in memory."""

from __future__ import annotations

from threading import Lock


class MemoryBudget:
    """A number of bytes that is taken from and given back to. Safe for many threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._taken = 0

    def take(self, count: int) -> bool:
        """Take `count` bytes; if fewer are left, take none and return False."""
        with self._lock:
            if self._taken + count > self._most:
                return False
            self._taken += count
            return True

    def give_back(self, count: int) -> None:
        """Give back `count` bytes that were taken."""
        with self._lock:
            self._taken -= count
