"""Wakes resting threads when there may be something to do."""

from __future__ import annotations

from threading import Condition


class Bell:
    """Rings for everybody who rests."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._rings = 0

    def ring(self) -> None:
        """There may be something to do."""
        with self._changed:
            self._rings += 1
            self._changed.notify_all()

    def rest(self, seconds: float) -> None:
        """Wait for the next ring, at most so long."""
        with self._changed:
            rings = self._rings
            self._changed.wait_for(lambda: self._rings != rings, seconds)
