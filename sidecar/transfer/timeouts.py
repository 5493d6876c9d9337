"""Time-outs of a transfer, and the lowest speed at which it goes on."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.clock import Clock
from sidecar.domain.transfers.failures import Failure, FailureClass, TransferFailed
from sidecar.messages import msg


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Time-outs in seconds, and the lowest accepted speed.

    Attributes:
        slowest: Bytes a second; an attempt that is slower over `slow_for` seconds fails.
    """

    connect: float = 10.0
    read: float = 30.0
    slowest: float = 1024.0
    slow_for: float = 60.0


class Pace:
    """Detects a transfer that is much too slow, which a read time-out never notices."""

    def __init__(self, clock: Clock, timeouts: Timeouts) -> None:
        self._clock = clock
        self._timeouts = timeouts
        self._since = clock.monotonic()
        self._count = 0

    def check(self, count: int, host: str, rested_s: float) -> None:
        """Count bytes, but not the time for which we rested, such as for a speed limit.

        Raises:
            TransferFailed: The server was too slow for too long.
        """
        self._count += count
        self._since += rested_s
        passed = self._clock.monotonic() - self._since
        if passed < self._timeouts.slow_for:
            return
        if self._count < self._timeouts.slowest * passed:
            text = msg("{host} sends almost nothing any more", host=host)
            raise TransferFailed(Failure(FailureClass.TRANSIENT, "too-slow", text))
        self._since += passed
        self._count = 0
