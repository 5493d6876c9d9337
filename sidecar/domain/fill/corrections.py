"""Corrects what is expected of items by what became of others that were in the same situation.

A situation is, say, "played twice so far, the last time five days ago". If of all items in it
twice as many plays came as had been expected, the expectation is doubled. So whatever pattern
there is in somebody's listening is found in it: that what was heard yesterday is not heard today,
that what was heard once is not heard again, that things come back after a month.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

# The correction begins at 1, and that weighs as much as so many plays.
FIRST_PLAYS = 40.0
# Each day what was seen before weighs less by this.
FADE = 0.993


class Corrections:
    """How often something was played in each situation, for each time that it was expected.

    Attributes:
        factors: By the situation's number; 1 where nothing is known.
    """

    def __init__(self, situations: int) -> None:
        self.factors = [1.0] * situations
        self._expected = [0.0] * situations
        self._seen = [0.0] * situations

    def learn(self, expected: Mapping[int, float], seen: Mapping[int, float]) -> None:
        """Learn how many plays were expected of a day in each situation, and how many came."""
        self._expected = [one * FADE for one in self._expected]
        self._seen = [one * FADE for one in self._seen]
        for situation, number in expected.items():
            self._expected[situation] += number
        for situation, number in seen.items():
            self._seen[situation] += number
        self.factors = [
            (came + FIRST_PLAYS) / (awaited + FIRST_PLAYS)
            for came, awaited in zip(self._seen, self._expected, strict=True)
        ]


class Scale:
    """Divides whole numbers from 0 into steps that are fine at first and coarse later.

    Attributes:
        table: The step of each number; larger ones have the last.
    """

    def __init__(self, bounds: Sequence[int]) -> None:
        self.steps = len(bounds) + 1
        self.table = [bisect_left(bounds, one) for one in range(bounds[-1] + 2)]

    def step(self, number: int) -> int:
        """Return the step of a number."""
        return self.table[min(number, len(self.table) - 1)]
