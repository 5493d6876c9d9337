"""What a replay measures the rules against: simple ways to choose files that anybody could use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

MOST_PLAYED = "most_played"
LEAST_RECENTLY_USED = "least_recently_used"
CHANCE = "chance"
WEEK = 7
MOST_MISSES = 200


class Yardsticks:
    """The order in which each yardstick takes items, best first; learns each day's plays."""

    def __init__(self, ids: Sequence[str]) -> None:
        self._ids = ids
        self._counts: dict[int, int] = {}
        self._last: dict[int, int] = {}
        self._number = 0
        self._week: int | None = None
        self._by_chance: list[int] = []

    def learn(self, items: Iterable[int]) -> None:
        """Count plays, in their order."""
        for item in items:
            self._number += 1
            self._counts[item] = self._counts.get(item, 0) + 1
            self._last[item] = self._number

    def orders(self, day: int) -> dict[str, Sequence[int]]:
        """Return each yardstick's order on a day."""
        last, counts = self._last, self._counts
        recent = sorted(last, key=last.__getitem__, reverse=True)
        # A stable sort: of items played as often, those played last come first.
        most = sorted(recent, key=counts.__getitem__, reverse=True)
        if self._week != day // WEEK:
            self._week = day // WEEK
            self._by_chance = sorted(range(len(self._ids)), key=self._draw)
        return {MOST_PLAYED: most, LEAST_RECENTLY_USED: recent, CHANCE: self._by_chance}

    def _draw(self, item: int) -> bytes:
        return blake2b(f"{self._week} {self._ids[item]}".encode(), digest_size=8).digest()


def fill_in_order(order: Iterable[int], sizes: Sequence[int], budget: int) -> set[int]:
    """Return what of an order fits into a budget; what does not is passed over."""
    taken: set[int] = set()
    left, misses = budget, 0
    for item in order:
        if sizes[item] <= left:
            taken.add(item)
            left -= sizes[item]
        else:
            misses += 1
            if misses > MOST_MISSES:
                break
    return taken
