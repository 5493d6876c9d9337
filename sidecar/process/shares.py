"""Limits how many may do something at once, in total and for each account, without waiting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from threading import Lock


class Shares:
    """Counts places in use, in total and by key. Thread-safe."""

    def __init__(self, most: int, *most_each: int) -> None:
        """Set the limits: `most` in total, and for each kind of key so many with the same key."""
        self._most = most
        self._most_each = most_each
        self._lock = Lock()
        self._count = 0
        self._each: tuple[Counter[str], ...] = tuple(Counter() for _ in most_each)

    def take(self, *keys: str) -> Callable[[], None] | None:
        """Take a place; return a function that frees it (once), or None if a limit is reached."""
        with self._lock:
            limited = zip(keys, self._each, self._most_each, strict=True)
            if self._count >= self._most or any(each[key] >= most for key, each, most in limited):
                return None
            self._add(keys, 1)
        places = [keys]

        def leave() -> None:
            with self._lock:
                if places:
                    self._add(places.pop(), -1)

        return leave

    def is_full(self, *keys: str) -> bool:
        """Whether one of these keys has all the places that it may have by itself."""
        limited = zip(keys, self._each, self._most_each, strict=True)
        with self._lock:
            return any(each[key] >= most for key, each, most in limited)

    def __len__(self) -> int:
        return self._count

    def _add(self, keys: tuple[str, ...], number: int) -> None:
        self._count += number
        for key, each in zip(keys, self._each, strict=True):
            each[key] += number
            if not each[key]:
                del each[key]
