"""What a browser keeps: the files of what was chosen that fit into its limit, in this order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sidecar.domain.items.item import Item, ItemType

# Of a series the next unwatched episodes, as everywhere else.
NEXT_EPISODES = 3
MOST_FILES = 2000


@dataclass(frozen=True, slots=True)
class BrowserPlan:
    """What a browser is to keep.

    Attributes:
        files: Each once, in the order of choosing.
        left_out: What does not fit.
        bytes: The size of the files.
    """

    files: Sequence[Item]
    left_out: Sequence[Item]
    bytes: int


def next_unwatched(chosen: Item, items: Sequence[Item]) -> Sequence[Item]:
    """Return what is kept of a chosen item: of a series its next unwatched episodes, else all."""
    if chosen.type is not ItemType.SERIES:
        return items
    return [one for one in items if not one.is_played][:NEXT_EPISODES]


def plan_browser(items: Iterable[Item], budget: int) -> BrowserPlan:
    """Return what fits. What is too big does not keep out a smaller one after it."""
    files: dict[str, Item] = {}
    left_out: dict[str, Item] = {}
    used = 0
    for one in items:
        if one.id in files or one.id in left_out:
            continue
        size = one.size or 0
        if used + size > budget or len(files) >= MOST_FILES:
            left_out[one.id] = one
            continue
        files[one.id] = one
        used += size
    return BrowserPlan(list(files.values()), list(left_out.values()), used)
