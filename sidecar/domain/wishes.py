"""Wishes and holds: who wants which item on which device, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from sidecar.domain.items.item import Item

PIN = "pin"
# The priority of what a person asked for themself; a rule's wishes have 0 by default.
PIN_PRIORITY = 50
# The priority of the first cast item while no other waits; those before or after it count up or
# down from there.
CAST_PRIORITY = 1_000_000
LEAST_CAST_PRIORITY = 10_000


def was_cast(priority: int) -> bool:
    """Whether this is the priority of a cast item."""
    return priority >= LEAST_CAST_PRIORITY


class EvictionClass(IntEnum):
    """How firmly a file is wanted; only a lower class is evicted for a higher one."""

    NOTHING = 0
    FILLING = 1
    PRE_CACHED = 2
    AFFINITY = 3
    PASSING = 4
    LASTING = 5


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item is wanted.

    Attributes:
        rule: The rule's id: `favourites`, `pin` …
        source_id: The item the rule looked at: the track itself, or the album, artist or
            playlist that was expanded to it.
        text: For people: "your favourite", "on your favourite album First Light".
    """

    rule: str
    source_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Wish:
    """User `user_id` wants `item` on device `device_id` because of `reason`.

    Attributes:
        priority: Of its download; higher first.
    """

    user_id: str
    device_id: str
    item: Item
    reason: Reason
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Hold:
    """A stored wish, which keeps the file on the device.

    Attributes:
        release_at: When the hold ends, its grace included; None while the wish lasts.
    """

    id: int
    user_id: str
    device_id: str
    item_id: str
    reason: Reason
    release_at: datetime | None
