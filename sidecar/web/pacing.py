"""Not more often than every so many seconds, and the last word is always said. Pure."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Pacer(Generic[T]):
    """Keeps the latest of many values until the next may go out. Times are monotonic seconds."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._not_before = float("-inf")
        self._latest: list[T] = []

    def put(self, value: T) -> None:
        """A value has come; an earlier one that has not gone out is forgotten."""
        self._latest = [value]

    def due_in(self, now: float) -> float | None:
        """Return the seconds until a value may go out; None if there is none."""
        return max(0.0, self._not_before - now) if self._latest else None

    def take(self, now: float) -> T | None:
        """Return the value that goes out now; None if there is none or it is too early."""
        if not self._latest or now < self._not_before:
            return None
        self._not_before = now + self._interval_s
        return self._latest.pop()
