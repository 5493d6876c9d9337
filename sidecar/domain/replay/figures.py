"""What a run of a replay came to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

MOST_MISSED = 20


@dataclass(slots=True)
class Week:
    """What a week came to."""

    plays: int = 0
    hits: int = 0
    bytes_fetched: int = 0
    bytes_evicted: int = 0


@dataclass(slots=True, kw_only=True)
class Figures:
    """What a run came to.

    Attributes:
        name: Of the run.
        budget: In bytes.
        plays, hits: All plays, and those whose file was there when they began.
        repeats, repeat_hits: The same without the first play of each item.
        weeks: The same by weeks, the first day's week first.
        missed: How often each item was not there.
    """

    name: str
    budget: int
    plays: int = 0
    hits: int = 0
    repeats: int = 0
    repeat_hits: int = 0
    bytes_fetched: int = 0
    bytes_evicted: int = 0
    weeks: list[Week] = field(default_factory=list)
    missed: Counter[int] = field(default_factory=Counter)

    @property
    def hit_rate(self) -> float:
        """The share of plays that were hits."""
        return self.hits / self.plays if self.plays else 0.0

    @property
    def repeat_hit_rate(self) -> float:
        """The share of repeats that were hits."""
        return self.repeat_hits / self.repeats if self.repeats else 0.0

    @property
    def first_hit_rate(self) -> float:
        """The share of first plays that were hits."""
        firsts = self.plays - self.repeats
        return (self.hits - self.repeat_hits) / firsts if firsts else 0.0

    def begin_week(self) -> None:
        """Count in a new week from now on."""
        self.weeks.append(Week())

    def count_play(self, item: int, *, is_hit: bool, is_repeat: bool) -> None:
        """Count a play."""
        week = self.weeks[-1]
        self.plays += 1
        week.plays += 1
        self.repeats += is_repeat
        if is_hit:
            self.hits += 1
            week.hits += 1
            self.repeat_hits += is_repeat
        else:
            self.missed[item] += 1

    def count_bytes(self, fetched: int, evicted: int) -> None:
        """Count what came and went in a night."""
        self.bytes_fetched += fetched
        self.bytes_evicted += evicted
        self.weeks[-1].bytes_fetched += fetched
        self.weeks[-1].bytes_evicted += evicted
