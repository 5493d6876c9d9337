"""Several ways to rank the candidates, and which of them was right of late.

    each night ─▶ every expert names what it would have had on the device
    each day   ─▶ a play that an expert had named is a point for it; old points fade
    next night ─▶ the expert with the most points ranks

The mixture of all evidence is the best guess of what is played next, but its trusts are learned
from few plays. On a small device plain counts are hard to beat for somebody who plays what they
always play, and so is what was played last for somebody who soon leaves what they love. Nobody
knows beforehand which kind of listener it is: the points tell.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto
from itertools import accumulate, islice
from math import exp

from sidecar.domain.fill.choice import Expectation, FillLimits, Ranking, rank
from sidecar.domain.fill.fading import Fading
from sidecar.domain.fill.taste import Household

# Points of so many days ago weigh 1/e.
POINTS_DAYS = 60.0
# Another expert must have so much more, so that the device does not change for nothing.
CLEARLY_MORE = 1.02
# How much an expert that counts leaves to the mixture, which orders what was played as often.
LEFT_TO_MIXTURE = 0.1
SUMMED_AT_ONCE = 1000


class Expert(Enum):
    """A way to rank."""

    MIXTURE = auto()
    COUNTS_EVER = auto()
    COUNTS_OF_LATE = auto()
    COUNTS_OF_DAYS = auto()
    LAST_PLAYED = auto()


def blend(expert: Expert, mixture: Sequence[float], household: Household) -> Sequence[float]:
    """Return the plays that an expert expects of each item in a day.

    Args:
        expert: Which.
        mixture: What the mixture of all evidence expects.
        household: The counts of all people.
    """
    counts = _counts(household)
    if expert not in counts or not counts[expert].total:
        return mixture
    expected = [LEFT_TO_MIXTURE * one for one in mixture]
    weight = (1.0 - LEFT_TO_MIXTURE) * sum(mixture) / counts[expert].total
    for item, count in counts[expert].counts.items():
        expected[item] += weight * count
    return expected


class Order:
    """Candidates, best first, of which devices of several sizes take the first ones."""

    def __init__(self, items: Sequence[int], sizes: Sequence[int]) -> None:
        self._items, self._sizes = items, sizes
        # Where each ends, as far as a device has asked: most of a library fits on none.
        self._ends: list[int] = []

    def list_first(self, room: int) -> Sequence[int]:
        """Return the first ones up to that which does not fit any more."""
        ends = self._ends
        while len(ends) < len(self._items) and (not ends or ends[-1] <= room):
            known = len(ends)
            sizes = map(self._sizes.__getitem__, self._items[known : known + SUMMED_AT_ONCE])
            begun = accumulate(sizes, initial=ends[-1] if ends else 0)
            ends += islice(begun, 1, None)
        return self._items[: bisect_right(ends, room)]


def _counts(household: Household) -> Mapping[Expert, Fading]:
    return {
        Expert.COUNTS_EVER: household.ever,
        Expert.COUNTS_OF_LATE: household.of_late,
        Expert.COUNTS_OF_DAYS: household.of_days,
        Expert.LAST_PLAYED: household.last,
    }


def rank_by_each(
    expectation: Expectation, household: Household, limits: FillLimits
) -> Mapping[Expert, Ranking]:
    """Return how each expert ranks what the mixture of all evidence expects."""
    shelf = household.shelf
    mixture = rank(shelf, expectation, limits)
    rankings = {Expert.MIXTURE: mixture}
    for expert, counts in _counts(household).items():
        if not counts.total:
            rankings[expert] = mixture
            continue
        plays = blend(expert, expectation.plays, household)
        # What nobody has played stays in the order of the mixture.
        counted = counts.counts
        nearly = sorted(counted) + [one for one in mixture.order if one not in counted]
        rankings[expert] = rank(shelf, replace(expectation, plays=plays), limits, nearly)
    return rankings


class Experts:
    """The experts' points for a device of one size. Name, then learn, day by day."""

    def __init__(self) -> None:
        self._points = dict.fromkeys(Expert, 0.0)
        self._named: Mapping[Expert, Sequence[int]] = {}
        self._best = Expert.MIXTURE

    def best(self) -> Expert:
        """Return the expert to follow."""
        return self._best

    def name(self, orders: Mapping[Expert, Order], room: int) -> None:
        """Note what each expert would have on the device today.

        Args:
            orders: The candidates of each.
            room: Bytes to fill.
        """
        self._named = {one: order.list_first(room) for one, order in orders.items()}

    def learn(self, items: Iterable[int]) -> None:
        """Give points for a day's plays, and choose whom to follow tomorrow."""
        fade = exp(-1.0 / POINTS_DAYS)
        played = list(items)
        heard = frozenset(played)
        for expert, points in self._points.items():
            # One look at the many that were named finds the few that were played.
            hits = heard.intersection(self._named.get(expert, ()))
            self._points[expert] = points * fade + sum(one in hits for one in played)
        first = max(self._points, key=self._points.__getitem__)
        if self._points[first] > CLEARLY_MORE * self._points[self._best]:
            self._best = first
