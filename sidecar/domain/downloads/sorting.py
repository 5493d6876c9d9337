"""The orders of a list of downloads."""

from __future__ import annotations

from enum import StrEnum


class Sort(StrEnum):
    """An order; `queue` is what runs, waits or is paused, in its turn; then the rest."""

    NEWEST = "newest"
    QUEUE = "queue"
    TITLE = "title"
    SIZE = "size"
