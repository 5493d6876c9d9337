"""The orders of a list of downloads."""

from __future__ import annotations

from enum import StrEnum


class Sort(StrEnum):
    """An order; `queue` is running downloads, then pending in queue order, then the rest."""

    NEWEST = "newest"
    QUEUE = "queue"
    TITLE = "title"
    SIZE = "size"
