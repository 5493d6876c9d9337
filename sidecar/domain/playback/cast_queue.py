"""The order of items that people cast to a device: priorities in its queue.

    PlayNow    before all that was cast earlier
    PlayNext   directly after the one that runs, or that is to run next
    PlayLast   after all that was cast earlier

A place is a priority, and each is unique, so that files that were queued long ago for another
reason do not come between. Running downloads are not interrupted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sidecar.domain.wishes import CAST_PRIORITY, LEAST_CAST_PRIORITY


class CastPosition(StrEnum):
    """The position among items cast before, by Jellyfin's names."""

    NOW = "PlayNow"
    NEXT = "PlayNext"
    LAST = "PlayLast"


@dataclass(frozen=True, slots=True)
class CastItem:
    """An item that was cast and is not on the device yet."""

    item_id: str
    place: int
    is_running: bool = False


def from_start(item_ids: Sequence[str], start: int) -> list[str]:
    """Return each item once, beginning with the one clicked; those before it follow at the end."""
    start = start if 0 <= start < len(item_ids) else 0
    return list(dict.fromkeys([*item_ids[start:], *item_ids[:start]]))


def plan_places(
    earlier: Sequence[CastItem], item_ids: Sequence[str], when: CastPosition
) -> Mapping[str, int]:
    """Return the places of the items, and the new places of others that have to move.

    Args:
        earlier: Items that were cast to the device before and are not there yet, in any order.
        item_ids: The items cast now, in order.
        when: Their position.
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
    """Return places at the end; items that wait already keep theirs."""
    known = {one.item_id: one.place for one in earlier}
    added = [one for one in item_ids if one not in known]
    bottom = min(known.values(), default=CAST_PRIORITY)
    behind = {
        item_id: max(LEAST_CAST_PRIORITY, bottom - 1 - at) for at, item_id in enumerate(added)
    }
    return {item_id: known.get(item_id) or behind[item_id] for item_id in item_ids}
