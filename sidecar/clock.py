"""The clock that all code gets its time from, so that tests can use one they control."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Waitable(Protocol):
    """Something to wait for, such as a `threading.Event`."""

    def is_set(self) -> bool:
        """Whether it has come about."""

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it comes about, for at most so many seconds; return whether it did."""


class Clock(Protocol):
    """Wall time, monotonic time, and waiting."""

    def now(self) -> datetime:
        """Return the time in UTC, time-zone aware: for timestamps, never to order events."""

    def monotonic(self) -> float:
        """Return seconds that never go back: for timeouts and speeds."""

    def wait(self, stop: Waitable, seconds: float) -> bool:
        """Wait until `stop` is set or the seconds are over; return whether `stop` is set."""


class SystemClock:
    """The operating system's clock."""

    def now(self) -> datetime:
        """Return the system time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the system's monotonic time in seconds."""
        return time.monotonic()

    def wait(self, stop: Waitable, seconds: float) -> bool:
        """Block on the event for at most `seconds`."""
        return stop.wait(seconds)
