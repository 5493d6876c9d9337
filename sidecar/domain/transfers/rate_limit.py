"""A speed limit: how long to wait before reading on, and how much to read at a time."""

from __future__ import annotations

from dataclasses import dataclass

# How much an idle transfer may catch up at once: more would be a burst, less would stutter.
BURST_S = 0.25
# The time for one block at the limit: short, so that a new limit takes effect soon.
BLOCK_S = 0.05
LEAST_BLOCK = 4 * 1024


@dataclass(slots=True)
class Bucket:
    """A token bucket whose level may be negative: a block is counted after it was read.

    Attributes:
        rate: Bytes a second; None for no limit.
    """

    rate: float | None = None
    _level: float = 0.0
    _at: float = 0.0

    def change(self, rate: float | None, now: float) -> None:
        """Change the rate; what was used so far still counts."""
        self._fill(now)
        self.rate = rate

    def wait(self, now: float) -> float:
        """Return the seconds to wait before reading on; 0 for none."""
        if self.rate is None:
            return 0.0
        self._fill(now)
        return max(0.0, -self._level / self.rate)

    def take(self, count: int, now: float) -> None:
        """Count bytes that were read."""
        if self.rate is not None:
            self._fill(now)
            self._level -= count

    def block(self) -> int | None:
        """Return how many bytes should be read at a time; None for no limit."""
        return None if self.rate is None else max(LEAST_BLOCK, int(self.rate * BLOCK_S))

    def _fill(self, now: float) -> None:
        if self.rate is not None:
            self._level = min(self.rate * BURST_S, self._level + (now - self._at) * self.rate)
        self._at = now
