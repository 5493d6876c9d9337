"""Tells the listeners here what other processes did to files, where no Redis tells it.

It is found in the activity: so webhooks, open pages and whoever else hears `DownloadChanged` are
told of each file that came, went or failed on another machine.
"""

from __future__ import annotations

from sidecar.domain.downloads.download import Status
from sidecar.events import Bus, DownloadChanged
from sidecar.store.downloads.activity import ActivityLog, Happening
from sidecar.store.downloads.queries import DownloadQueries

# The rest is told at the next step.
MOST_AT_ONCE = 1000
# What a file was before.
BEFORE = {
    Happening.CAME: Status.DOWNLOADING,
    Happening.FAILED: Status.DOWNLOADING,
    Happening.WENT: Status.COMPLETED,
    Happening.AGAIN: Status.COMPLETED,
}


class DownloadNews:
    """Finds the news of downloads of other processes. One thread calls `step`."""

    def __init__(self, activity: ActivityLog, downloads: DownloadQueries, bus: Bus) -> None:
        self._activity = activity
        self._downloads = downloads
        self._bus = bus
        self._seen: int | None = None

    def step(self) -> None:
        """Tell what happened since the last step, unless it was told over Redis."""
        newest, seen = self._activity.newest(), self._seen
        if seen is None or newest <= seen or self._bus.hears_others():
            self._seen = newest
            return
        moves = self._activity.moves(seen, MOST_AT_ONCE)
        for one in moves:
            found = None if one.is_own else self._downloads.by_item(one.device_id, one.item_id)
            # Had the database failed before, the next step would go on with this one.
            seen = self._seen = one.id
            if found is not None:
                self._bus.receive(DownloadChanged(found, BEFORE[one.kind], found.status))
        if len(moves) < MOST_AT_ONCE:
            # Some of them may have come after the newest was asked for.
            self._seen = max(seen, newest)
