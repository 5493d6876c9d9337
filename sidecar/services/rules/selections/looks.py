"""Looks for what saved filters match, and reads in whole only those that may match something else.

a few minutes old, nothing heard ──▶ what was read last, no request
look: count and newest as before ──▶ what was read last, one request or two
else, and each day ────────────────▶ read in whole
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime

from sidecar.clock import Clock
from sidecar.domain.items.selection import Selection
from sidecar.domain.items.selection_looks import READ_AGAIN_S, LastReading
from sidecar.domain.rules.library import ListedItems
from sidecar.errors import NotAllowed, NotFound, UnexpectedAnswer
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.selections import SelectionReader

# Several devices that keep the same filter share one look.
LOOK_KEPT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    listed: ListedItems
    reading: LastReading
    looked_at: float


class SelectionLooks:
    """What the saved filters of one account match.

    One thread looks things up; the two `note` methods are thread-safe.
    """

    def __init__(self, client: Jellyfin, clock: Clock) -> None:
        """Prepare; asks nothing."""
        self._reader = SelectionReader(client)
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._library_changed_at = -math.inf
        self._listening_changed_at = -math.inf

    def note_library_changed(self) -> None:
        """Have all filters looked at again: the library changed, or news may have been missed."""
        self._library_changed_at = self._clock.monotonic()

    def note_listening_changed(self) -> None:
        """Have those filters looked at again that depend on plays or favourites."""
        self._listening_changed_at = self._clock.monotonic()

    def list_matches(self, asked: Selection, seed: str, now: datetime) -> ListedItems:
        """Return what a filter matches; incomplete if a library of it is not there.

        Args:
            asked: The filter.
            seed: Its id.
            now: The time.
        """
        try:
            return self._list(asked, seed, now)
        except (NotFound, NotAllowed, UnexpectedAnswer):
            # A library of it is not there: the server refuses its id in one of these ways.
            return ListedItems()

    def _list(self, asked: Selection, seed: str, now: datetime) -> ListedItems:
        at, known = self._clock.monotonic(), self._known.get(seed)
        changed_at = self._library_changed_at
        if asked.depends_on_listening:
            changed_at = max(changed_at, self._listening_changed_at)
        if known is not None and known.reading.asked == asked:
            is_recent = at < known.looked_at + LOOK_KEPT_S
            if is_recent and changed_at < known.looked_at:
                return known.listed
        states = self._reader.look(asked)
        if known is not None and not known.reading.is_outdated(asked, states, at, changed_at):
            self._known[seed] = replace(known, looked_at=at)
            return known.listed
        found = self._reader.read(asked, now, seed)
        listed = ListedItems(found.items, complete=found.complete)
        # What has gaps is read again next time.
        self._known.pop(seed, None)
        if found.complete:
            reading = LastReading(asked=asked, states=states, entries=found.entries, at=at)
            self._known[seed] = _Known(listed=listed, reading=reading, looked_at=at)
        self._forget_unused(at)
        return listed

    def _forget_unused(self, at: float) -> None:
        """Drop what no look has asked for in a day: its filter was deleted."""
        self._known = {
            seed: one for seed, one in self._known.items() if at < one.looked_at + READ_AGAIN_S
        }
