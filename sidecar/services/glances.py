"""Who was shown what of the library lately, so that covers and buttons ask Jellyfin nothing more.

It is kept in memory, of so many things and no more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from sidecar.clock import Clock
from sidecar.jellyfin.browsing import Entry

# How long a look at an item counts as the right to see its cover.
SEEN_FOR_S = 300.0
MOST_SEEN = 5000
# Of a longer list the button is worked out anew only with its page.
MOST_FILES = 500


@dataclass(frozen=True, slots=True)
class Glance:
    """One thing as an account was shown it.

    Attributes:
        files: The items it is made of; None if nobody looked, or there are too many to keep.
    """

    entry: Entry
    files: Sequence[str] | None
    until: float


class Glances:
    """Those of all accounts. Safe for many threads."""

    def __init__(self, clock: Clock) -> None:
        """Prepare."""
        self._clock = clock
        self._lock = Lock()
        self._seen: OrderedDict[tuple[str, str], Glance] = OrderedDict()

    def note(self, user_id: str, entry: Entry, files: Sequence[str] | None = None) -> None:
        """An account was shown this."""
        kept = None if files is None or len(files) > MOST_FILES else tuple(files)
        with self._lock:
            self._seen.pop((user_id, entry.item.id), None)
            until = self._clock.monotonic() + SEEN_FOR_S
            self._seen[user_id, entry.item.id] = Glance(entry, kept, until)
            while len(self._seen) > MOST_SEEN:
                self._seen.popitem(last=False)

    def of(self, user_id: str, item_id: str) -> Glance | None:
        """Return what this account saw of it, however long ago; None if that is forgotten."""
        with self._lock:
            return self._seen.get((user_id, item_id))

    def fresh(self, user_id: str, item_id: str) -> Glance | None:
        """Return what this account saw of it just now; None if it would have to look again."""
        found = self.of(user_id, item_id)
        return found if found is not None and found.until >= self._clock.monotonic() else None
