"""A speed limit: how many bytes may come now, and how long to wait for the next."""

from __future__ import annotations

from dataclasses import dataclass

# What a transfer that was quiet may catch up at once: more would be a burst, less would stutter.
BURST_S = 0.25
# A block takes so much of a second at the limit: smooth, and a change of the limit acts soon.
BLOCK_S = 0.05
LEAST_BLOCK = 4 * 1024


@dataclass(slots=True)
class Bucket:
    """A token bucket whose level may go below zero: a block is counted when it has come.

    Attributes:
        rate: Bytes a second; None for no limit.
    """

    rate: float | None = None
    _level: float = 0.0
    _at: float = 0.0

    def change(self, rate: float | None, now: float) -> None:
        """Set another rate; what was used so far is not forgotten."""
        self._fill(now)
        self.rate = rate

    def wait(self, now: float) -> float:
        """Return the seconds until more may come; 0 if it may now."""
        if self.rate is None:
            return 0.0
        self._fill(now)
        return max(0.0, -self._level / self.rate)

    def take(self, count: int, now: float) -> None:
        """Count bytes that have come."""
        if self.rate is not None:
            self._fill(now)
            self._level -= count

    def block(self) -> int | None:
        """Return how many bytes should be read at a time; None for as many as there are."""
        return None if self.rate is None else max(LEAST_BLOCK, int(self.rate * BLOCK_S))

    def _fill(self, now: float) -> None:
        if self.rate is not None:
            self._level = min(self.rate * BURST_S, self._level + (now - self._at) * self.rate)
        self._at = now
