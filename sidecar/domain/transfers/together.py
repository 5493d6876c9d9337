"""How many downloads are claimed together: small ones are, while one after another goes quickly.

To claim one takes as long as to move the bytes of a small file. Never is more claimed than is done
within a moment, so that what a person wants first is still first, and others find work.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import takewhile

MOST = 16
SMALL = 4 * 1024 * 1024
# A file that took no longer was quick; what was claimed together is given back after the second.
QUICK_S, HELD_S = 0.2, 1.0
# So many quick files allow one more that is claimed with the next.
QUICK_FOR_EACH = 4


@dataclass(frozen=True, slots=True)
class Due:
    """A download whose turn it is.

    Attributes:
        size: As the library says; None if that is unknown.
        has_copies: Whether its item is wanted on another device as well.
    """

    id: int
    device_id: str
    size: int | None
    has_copies: bool


def find_limit(quick: int) -> int:
    """Return how many may be claimed together after so many quick files in a row."""
    return min(MOST, 1 + quick // QUICK_FOR_EACH)


def choose(due: Sequence[Due], in_order: Collection[str]) -> Sequence[Due]:
    """Return the first, and those right behind it that may be claimed with it.

    Args:
        due: In the order of the queue.
        in_order: Devices whose folders get their files one by one.
    """

    def is_simple(one: Due) -> bool:
        # What another device gets as well is copied from there once it has arrived.
        is_small = one.size is not None and one.size <= SMALL
        return is_small and not one.has_copies and one.device_id not in in_order

    return list(takewhile(is_simple, due)) or due[:1]
