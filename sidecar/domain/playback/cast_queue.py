"""The order of what people cast to a device: places in its queue, counted up and down.

    PlayNow    before all that was cast earlier
    PlayNext   directly after the one that runs, or that is to run next
    PlayLast   after all that was cast earlier

A place is a priority, and no two are alike, so that files that were queued long ago for another
reason do not push in. What runs already is not broken off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sidecar.domain.wishes import CAST_PRIORITY, LEAST_CAST_PRIORITY


class CastPosition(StrEnum):
    """Where among what was cast before; Jellyfin's own names."""

    NOW = "PlayNow"
    NEXT = "PlayNext"
    LAST = "PlayLast"


@dataclass(frozen=True, slots=True)
class CastItem:
    """Something that was cast and is not there yet."""

    item_id: str
    place: int
    is_running: bool = False


def from_start(item_ids: Sequence[str], start: int) -> list[str]:
    """Return each item once, beginning where the person clicked; what stands before it follows."""
    start = start if 0 <= start < len(item_ids) else 0
    return list(dict.fromkeys([*item_ids[start:], *item_ids[:start]]))


def plan_places(
    earlier: Sequence[CastItem], item_ids: Sequence[str], when: CastPosition
) -> Mapping[str, int]:
    """Return the place of each of the items, and of what has to make room for them.

    Args:
        earlier: What was cast to the device before and is not there yet, in any order.
        item_ids: What is cast now, in order.
        when: Where it goes.
    """
    if when is CastPosition.LAST:
        return _append_places(earlier, item_ids)
    others = [one for one in earlier if one.item_id not in item_ids]
    first = list(item_ids)
    waiting = [one for one in others if not one.is_running]
    if when is CastPosition.NEXT and waiting and len(waiting) == len(others):
        first.insert(0, max(waiting, key=lambda one: one.place).item_id)
    top = max((one.place for one in earlier), default=CAST_PRIORITY)
    return {item_id: top + len(first) - at for at, item_id in enumerate(first)}


def _append_places(earlier: Sequence[CastItem], item_ids: Sequence[str]) -> Mapping[str, int]:
    """What waits already comes sooner than at the end: it keeps its place."""
    known = {one.item_id: one.place for one in earlier}
    added = [one for one in item_ids if one not in known]
    bottom = min(known.values(), default=CAST_PRIORITY)
    behind = {
        item_id: max(LEAST_CAST_PRIORITY, bottom - 1 - at) for at, item_id in enumerate(added)
    }
    return {item_id: known.get(item_id) or behind[item_id] for item_id in item_ids}
