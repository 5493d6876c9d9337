"""A clock for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import monotonic

from sidecar.clock import Waitable

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


class FakeClock:
    """Time that moves only when told.

    Unlike the real one, `wait` never blocks: it moves the time on.
    """

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def wait(self, stop: Waitable, seconds: float) -> bool:
        if not stop.is_set():
            self.advance(seconds)
        return stop.is_set()

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def set_wall(self, now: datetime) -> None:
        """Jump the wall time, as a user or a dead battery does; the monotonic time goes on."""
        self._now = now


class PatientClock:
    """The machine's clock, for which nothing ever takes long.

    Unlike the real one its monotonic time stands still: what is done does not depend on the load.
    """

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return 1000.0

    def wait(self, stop: Waitable, seconds: float) -> bool:
        return stop.wait(seconds)


class HastyClock:
    """The machine's clock, running faster: what takes a minute takes a few seconds.

    Unlike the real one it hurries every wait alike, so that time spent in the network looks long.
    """

    def __init__(self, factor: float) -> None:
        self._factor = factor
        self._began = monotonic()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (monotonic() - self._began) * self._factor

    def wait(self, stop: Waitable, seconds: float) -> bool:
        return stop.wait(seconds / self._factor)
