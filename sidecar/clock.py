"""The time, handed in: tests use a clock that moves only when told."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Event
from typing import Protocol


class Clock(Protocol):
    """What the rest of the code may know of time."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC: for what people read, never for order."""

    def monotonic(self) -> float:
        """Return seconds that only ever grow: for waits and speeds."""

    def wait(self, stop: Event, seconds: float) -> bool:
        """Wait until `stop` is set or the seconds are over; return whether `stop` is set."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's wall time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()

    def wait(self, stop: Event, seconds: float) -> bool:
        """Block on the event for at most `seconds`."""
        return stop.wait(seconds)
