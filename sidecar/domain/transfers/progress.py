"""Speed and time left of a running transfer."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

WINDOW_S = 6.0


@dataclass(slots=True)
class Speedometer:
    """The average speed over the last seconds. Times are monotonic seconds."""

    _marks: deque[tuple[float, int]] = field(default_factory=deque)

    def note(self, at: float, held: int) -> None:
        """Record that `held` bytes were there at the time `at`."""
        if self._marks and held < self._marks[-1][1]:
            self._marks.clear()
        self._marks.append((at, held))
        while len(self._marks) > 2 and at - self._marks[0][0] > WINDOW_S:  # noqa: PLR2004 - two marks make a speed
            self._marks.popleft()

    def speed(self, at: float) -> float:
        """Return bytes a second up to the time `at`; 0 while nothing has been measured."""
        if len(self._marks) < 2:  # noqa: PLR2004 - two marks make a speed
            return 0.0
        (first, before), (_, held) = self._marks[0], self._marks[-1]
        return (held - before) / max(at - first, 0.001)


def estimate_seconds_left(held: int, size: int | None, speed: float) -> float | None:
    """Return the seconds to go at this speed; None if the size or the speed is unknown."""
    if size is None or speed <= 0:
        return None
    return max(0, size - held) / speed
