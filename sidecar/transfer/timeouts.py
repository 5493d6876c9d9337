"""How long a server may take, and when it only drips."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.clock import Clock
from sidecar.domain.transfers.failures import Failure, FailureClass, TransferFailed
from sidecar.messages import msg


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the engine waits, in seconds, and what it takes for a standstill.

    Attributes:
        slowest: Bytes a second over `slow_for`; below that the attempt is given up.
    """

    connect: float = 10.0
    read: float = 30.0
    slowest: float = 1024.0
    slow_for: float = 60.0


class Pace:
    """Notices a transfer that only drips: a read time-out alone never would."""

    def __init__(self, clock: Clock, patience: Patience) -> None:
        self._clock = clock
        self._patience = patience
        self._since = clock.monotonic()
        self._count = 0

    def exclude_rest(self, seconds: float) -> None:
        """Leave out a wait of our own."""
        self._since += seconds

    def check(self, count: int, host: str) -> None:
        """Count bytes; give up on a server that is too slow for too long."""
        self._count += count
        passed = self._clock.monotonic() - self._since
        if passed < self._patience.slow_for:
            return
        if self._count < self._patience.slowest * passed:
            text = msg("{host} sends almost nothing any more", host=host)
            raise TransferFailed(Failure(FailureClass.TRANSIENT, "too-slow", text))
        self._since += passed
        self._count = 0
