"""Wishes and holds: who wants what where, and why it may not go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from sidecar.domain.items.item import Item

PIN = "pin"
# Of what a person asked for themself; what a rule wants has 0 if it says nothing else.
PIN_PRIORITY = 50
# Of what was cast first while nothing else that was cast waits: what comes before or after it
# counts up or down from there, one by one.
CAST_PRIORITY = 1_000_000
LEAST_CAST_PRIORITY = 10_000


def was_cast(priority: int) -> bool:
    """Whether this is the place of something in the order in which people cast things."""
    return priority >= LEAST_CAST_PRIORITY


class EvictionClass(IntEnum):
    """How firmly something is wanted; who makes room must be weaker than what comes in."""

    NOTHING = 0
    PRE_CACHED = 1
    AFFINITY = 2
    PASSING = 3
    LASTING = 4


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item is wanted.

    Attributes:
        rule: The rule's name: `favourites`, `pin` …
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
    """A wish that is kept.

    Attributes:
        release_at: When the hold ends, its grace included; None while the wish lasts.
    """

    id: int
    user_id: str
    device_id: str
    item_id: str
    reason: Reason
    release_at: datetime | None
