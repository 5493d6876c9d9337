"""What plays now, where one process hears it and another one shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sidecar.clock import Clock
from sidecar.domain.playback.tracker import Current
from sidecar.services.playback.tracker import PlaybackTracker
from sidecar.services.processes.findings import Told

# As long as a page rests between two looks.
REST_S = 5.0


class SharedPlaying:
    """Shows what this process hears, or what the one that hears it tells. Safe for many threads."""

    def __init__(self, watching: PlaybackTracker, clock: Clock, *, is_heard_here: bool) -> None:
        self._watching = watching
        self._clock = clock
        self._is_heard_here = is_heard_here
        self._telling: Mapping[str, list[Current]] = {}
        self._due = clock.monotonic()
        self._told: Mapping[str, list[Current]] = {}

    def shown(self, user_id: str | None = None) -> list[Current]:
        """Return what an account plays now; with None, what all accounts play."""
        if self._is_heard_here:
            return self._watching.shown(user_id)
        told = self._told
        return [one for who in sorted(told) if user_id in {None, who} for one in told[who]]

    def to_tell(self) -> Mapping[str, list[Current]]:
        """Return what is heard here, by account; the positions are some seconds old."""
        if self._is_heard_here and self._clock.monotonic() >= self._due:
            self._due = self._clock.monotonic() + REST_S
            telling: dict[str, list[Current]] = {}
            for one in self._watching.shown():
                telling.setdefault(one.playing.user_id or "", []).append(one)
            self._telling = telling
        return self._telling

    def take(self, told: Sequence[Told[list[Current]]]) -> None:
        """Take what the process tells that hears it."""
        self._told = {one.subject: one.value for one in told}
