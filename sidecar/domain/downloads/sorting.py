"""In which order a list of downloads is shown."""

from __future__ import annotations

from enum import StrEnum


class Sort(StrEnum):
    """What comes first: `queue` is what runs, then what is fetched next, then the rest."""

    NEWEST = "newest"
    QUEUE = "queue"
    TITLE = "title"
    SIZE = "size"
