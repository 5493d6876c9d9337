"""Counts in which what is long ago weighs less."""

from __future__ import annotations

from math import exp

# Beyond this the numbers are made small again, long before they overflow.
LARGEST_EXPONENT = 200.0
# What is less than this part of all is forgotten.
LEAST = 1e-7


class Fading:
    """Counts of plays by key; each weighs `1/e` of what it did after so many days.

    Only shares of the total mean anything: the counts grow in place of fading, which costs nothing.

    Attributes:
        counts: By key, to be divided by `total`.
    """

    def __init__(self, days: float | None) -> None:
        self._rate = 0.0 if days is None else 1.0 / days
        self._begin: int | None = None
        self.counts: dict[int, float] = {}
        self.total = 0.0

    def add(self, key: int, day: int, amount: float = 1.0) -> None:
        """Count a play on a day; days never go back far."""
        if self._begin is None:
            self._begin = day
        exponent = (day - self._begin) * self._rate
        if exponent > LARGEST_EXPONENT:
            self._shrink(day, exponent)
            exponent = 0.0
        weight = amount * exp(exponent)
        self.counts[key] = self.counts.get(key, 0.0) + weight
        self.total += weight

    def share(self, key: int | None) -> float:
        """Return a key's share of all; 0 if there is nothing."""
        if key is None or not self.total:
            return 0.0
        return self.counts.get(key, 0.0) / self.total

    def prune(self) -> None:
        """Forget what weighs nothing any more."""
        least = LEAST * self.total
        self.counts = {key: one for key, one in self.counts.items() if one > least}

    def _shrink(self, day: int, exponent: float) -> None:
        factor = exp(-exponent)
        self.prune()
        self.counts = {key: one * factor for key, one in self.counts.items()}
        self.total = sum(self.counts.values())
        self._begin = day
