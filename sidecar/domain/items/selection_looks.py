"""Decides when a saved filter has to be read in whole again, instead of only being looked at.

A look at a filter costs one request or two, however much it matches: it tells how many items there
are and which is the newest. What neither tells, such as two that changed places, is found when the
server says that something changed, and by a reading in whole each day.
"""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.domain.items.selection import Selection

# A day, less the time by which hourly looks may be late.
READ_AGAIN_S = 23.5 * 3600.0
# Ten requests: more than that are read at most once in a look by the hour.
MANY_ENTRIES = 2000
MANY_REST_S = 50 * 60.0


@dataclass(frozen=True, slots=True)
class LibraryState:
    """What a look tells of one list: how many items there are, and which is the newest."""

    count: int
    newest_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastReading:
    """When a filter was read in whole.

    Attributes:
        asked: The filter as it was then.
        states: What a look told just before.
        entries: How many entries of the library were read.
        at: When it began, in seconds of the same clock as all other times here.
    """

    asked: Selection
    states: tuple[LibraryState, ...]
    entries: int
    at: float

    def is_outdated(
        self, asked: Selection, states: tuple[LibraryState, ...], now: float, changed_at: float
    ) -> bool:
        """Whether the filter has to be read again.

        Args:
            asked: The filter as it is now.
            states: What a look tells now.
            now: The time.
            changed_at: When we heard last of a change that may concern it.
        """
        age = now - self.at
        if asked != self.asked or age >= READ_AGAIN_S:
            return True
        is_resting = self.entries > MANY_ENTRIES and age < MANY_REST_S
        return not is_resting and (states != self.states or changed_at >= self.at)
