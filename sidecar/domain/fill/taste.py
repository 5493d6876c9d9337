"""How probable it is that a person plays an item next, by several kinds of evidence.

Each kind of evidence (what was played yesterday, in the last months, on this weekday, with what;
albums begun; artists and genres of late; what is new …) spreads one play over the items: it gives
each a probability. What counts is their mixture

    P(item) = sum over the kinds of  trust(kind) * P(item | kind)

and the trust in each kind is learned from the person's own plays: each play raises the trust in
those kinds that had expected it in the morning (one step of expectation maximisation). So nothing
is tuned to one way of listening: for somebody who hears the same hundred songs for years the
trust goes to the counts of ever, for somebody who hears an album a week to the album begun.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from math import exp, log

from sidecar.domain.fill.corrections import Corrections, Scale
from sidecar.domain.fill.fading import Fading
from sidecar.domain.fill.shelf import Groups, Shelf

WEEK = 7
# An album counts as begun and not ended if something of it was played in so many days.
BEGUN_DAYS = 14
NEW_DAYS = 30
# What was played within this of the end of another belongs together.
TOGETHER_S = 1800
MOST_FOLLOWERS = 8
FOLLOWED_DAYS = 3
# A play so much earlier or later than its rhythm, as a factor, does not count as due.
EARLIEST, LATEST = 0.6, 1.8
# Something so long is half-heard if it was begun for so long and not heard so far.
LONG_S, BEGUN_S, TO_THE_END = 900.0, 60.0, 0.9
# Of the situations: the days since it was played, and how often it was.
SINCE = Scale((0, 1, 2, 3, 4, 5, 6, 7, 10, 14, 21, 30, 45, 70, 120))
TIMES = Scale((1, 2, 4, 8, 16, 32))
UNHEARD = 0
PRUNED_EACH = 10
# What was expected is looked at for every third of the heard items, each day for others.
LOOKED_AT = 3
# The trust of the first day weighs as much as so many plays, and old trust fades in so many days.
FIRST_PLAYS = 20.0
TRUST_DAYS = 100.0


class Evidence(Enum):
    """What a probability comes from."""

    YESTERDAY = auto()
    LATELY = auto()
    MONTHS = auto()
    EVER = auto()
    WEEKDAY = auto()
    DUE = auto()
    BEGUN = auto()
    ALBUM = auto()
    ARTIST = auto()
    GENRE = auto()
    TOGETHER = auto()
    SIMILAR = auto()
    OTHERS = auto()
    HEART = auto()
    NEW = auto()
    UNHEARD = auto()
    ANY = auto()


# The trust before anything was learned.
FIRST_TRUST: Mapping[Evidence, float] = {
    Evidence.YESTERDAY: 0.06,
    Evidence.LATELY: 0.1,
    Evidence.MONTHS: 0.12,
    Evidence.EVER: 0.12,
    Evidence.WEEKDAY: 0.03,
    Evidence.DUE: 0.02,
    Evidence.BEGUN: 0.1,
    Evidence.ALBUM: 0.08,
    Evidence.ARTIST: 0.06,
    Evidence.GENRE: 0.04,
    Evidence.TOGETHER: 0.04,
    Evidence.SIMILAR: 0.03,
    Evidence.OTHERS: 0.03,
    Evidence.HEART: 0.05,
    Evidence.NEW: 0.03,
    Evidence.UNHEARD: 0.06,
    Evidence.ANY: 0.03,
}


@dataclass(frozen=True, slots=True)
class Listened:
    """One play that counts.

    Attributes:
        item: Its number on the shelf.
        began: Seconds since the day began.
        seconds: How long it was heard.
        is_to_the_end: It was heard to its end, or is too short to matter.
    """

    item: int
    began: float
    seconds: float
    is_to_the_end: bool = True


@dataclass(slots=True)
class Heard:
    """What is known of an item that the person has played.

    Attributes:
        last_day: When it was played last.
        days: On how many days.
        rhythm: Days between two of them, the later ones more; 0 before the second.
    """

    last_day: int
    plays: int = 1
    days: int = 1
    rhythm: float = 0.0


def is_half_heard(seconds: float, length: float) -> bool:
    """Whether something long was begun and not ended."""
    return length >= LONG_S and BEGUN_S <= seconds < TO_THE_END * length


class Household:
    """What all people together play: the same for each of them."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.plays = Fading(30)
        self.of_late = Fading(90)
        self.ever = Fading(None)
        self.of_days = Fading(1.5)
        # Nearly the order in which things were played last.
        self.last = Fading(0.4)
        self.added = tuple(
            (number, one.added) for number, one in enumerate(shelf.items) if one.added is not None
        )

    def count(self, item: int, day: int) -> None:
        """Count a play of anybody."""
        for fading in (self.plays, self.of_late, self.ever, self.of_days, self.last):
            fading.add(item, day)


class Taste:
    """What one person's plays say of the coming day. Learn a day, then look at the next."""

    def __init__(self, household: Household, *, hearts: Collection[int] = ()) -> None:
        self.shelf = household.shelf
        self.heard: dict[int, Heard] = {}
        self._half: dict[int, int] = {}
        self.hearts = frozenset(hearts)
        # How many plays a day, of late.
        self.pace = 0.0
        self._household = household
        self._counts = {
            Evidence.YESTERDAY: Fading(1.2),
            Evidence.LATELY: Fading(7),
            Evidence.MONTHS: Fading(45),
            Evidence.EVER: Fading(None),
        }
        self._weekdays = tuple(Fading(60) for _ in range(WEEK))
        self._albums, self._artists, self._genres = Fading(10), Fading(20), Fading(45)
        self._followers: dict[int, dict[int, float]] = {}
        self._last: tuple[int, float] | None = None
        self._learned = dict.fromkeys(Evidence, 0.0)
        self._trust = dict(FIRST_TRUST)
        self._corrections = Corrections(SINCE.steps * TIMES.steps)
        self._awaited: dict[int, float] = {}
        self._expected: list[float] = []
        self._days = 0
        self._spread: dict[Evidence, dict[int, float]] = {}
        self._unheard = 1.0 / max(1, len(self.shelf.items))
        self._day = 0

    def learn(self, day: int, plays: Sequence[Listened]) -> None:
        """Learn from all plays of a day, in their order: first whom to trust, then what was played.

        `look_ahead` must have been called for that day.
        """
        self._corrections.learn(
            self._awaited, Counter(self._situate(one.item, day) for one in plays)
        )
        self._learn_trust(plays)
        self._days += 1
        rate = max(1 / 14, 1 / self._days)
        self.pace += rate * (len(plays) - self.pace)
        for play in plays:
            self._count(day, play)

    def look_ahead(self, day: int) -> None:
        """Prepare what is expected of a day."""
        self._day = day
        if day % PRUNED_EACH == 0:
            for fading in self._counts.values():
                fading.prune()
        self._unheard = 1.0 / max(1, len(self.shelf.items) - len(self.heard))
        self._spread = {
            Evidence.DUE: _normalise(self._find_due(day)),
            Evidence.BEGUN: _normalise(self._find_begun(day)),
            Evidence.TOGETHER: _normalise(self._find_followers(day)),
            Evidence.SIMILAR: _normalise(self._find_similar()),
            Evidence.HEART: _normalise((one, 1.0) for one in self.hearts),
            Evidence.NEW: _normalise(self._find_new(day)),
        }
        self._expected = self._correct(day, self._mix())

    def trust(self) -> Mapping[Evidence, float]:
        """Return how much each kind of evidence counts; all together 1."""
        return self._trust

    def weigh(self, item: int) -> Mapping[Evidence, float]:
        """Return by each kind of evidence how much it speaks for an item; none without weight."""
        weighed = {one: self._trust[one] * part for one, part in self._parts(item).items()}
        return {one: weight for one, weight in weighed.items() if weight}

    def expect(self) -> list[float]:
        """Return for each item how many plays of it are expected of the day."""
        return self._expected

    def _mix(self) -> list[float]:
        """Return how many plays are expected of each item by the mixture."""
        kind_of = self.shelf.kind_of
        pace = self.pace or 1.0
        trust = {one: pace * part for one, part in self._trust.items()}
        unheard = trust[Evidence.UNHEARD] * self._unheard
        by_kind = [one * pace for one in self._expect_kinds()]
        unheard_by_kind = [one + unheard for one in by_kind]
        expected = list(map(unheard_by_kind.__getitem__, kind_of))
        for item in self.heard:
            expected[item] = by_kind[kind_of[item]]
        for evidence, fading in self._fading():
            if not fading.total:
                continue
            weight = trust[evidence] / fading.total
            for item, count in fading.counts.items():
                expected[item] += weight * count
        for evidence, spread in self._spread.items():
            weight = trust[evidence]
            for item, share in spread.items():
                expected[item] += weight * share
        return expected

    def _correct(self, day: int, mixed: list[float]) -> list[float]:
        """Return what is expected of each item, by what became of others in its situation."""
        factors = self._corrections.factors
        ever = factors[UNHEARD]
        found = [ever * one for one in mixed]
        awaited: dict[int, float] = {}
        of_heard, turn = 0.0, day % LOOKED_AT
        since, times, many = SINCE.table, TIMES.table, TIMES.steps
        longest, most = len(since) - 1, len(times) - 1
        for item, known in self.heard.items():
            expected = mixed[item]
            of_heard += expected
            days, plays = day - known.last_day, known.plays
            age = since[min(longest, days)]
            situation = age * many + times[min(most, plays)]
            if item % LOOKED_AT == turn:
                awaited[situation] = awaited.get(situation, 0.0) + LOOKED_AT * expected
            found[item] = expected * factors[situation]
        awaited[UNHEARD] = max(0.0, sum(mixed) - of_heard)
        self._awaited = awaited
        return found

    def _situate(self, item: int, day: int) -> int:
        known = self.heard.get(item)
        if known is None:
            return UNHEARD
        return SINCE.step(day - known.last_day) * TIMES.steps + TIMES.step(known.plays)

    def list_half_heard(self, day: int) -> set[int]:
        """Return what was begun of late and not ended."""
        return {item for item, last in self._half.items() if day - last <= BEGUN_DAYS}

    def _fading(self) -> Iterable[tuple[Evidence, Fading]]:
        yield from self._counts.items()
        yield Evidence.WEEKDAY, self._weekdays[(self._day - 1) % WEEK]
        yield Evidence.OTHERS, self._household.plays

    def _groups(self) -> tuple[tuple[Evidence, Groups, Fading], ...]:
        shelf = self.shelf
        return (
            (Evidence.ALBUM, shelf.albums, self._albums),
            (Evidence.ARTIST, shelf.artists, self._artists),
            (Evidence.GENRE, shelf.genres, self._genres),
        )

    def _expect_kinds(self) -> list[float]:
        any_item = self._trust[Evidence.ANY] / max(1, len(self.shelf.items))
        weights = []
        for evidence, groups, fading in self._groups():
            share = {
                group: self._trust[evidence] * count / fading.total / len(groups.members[group])
                for group, count in fading.counts.items()
            }
            weights.append(share)
        albums, artists, genres = weights
        return [
            any_item
            + (albums.get(album, 0.0) if album is not None else 0.0)
            + (artists.get(artist, 0.0) if artist is not None else 0.0)
            + (genres.get(genre, 0.0) if genre is not None else 0.0)
            for album, artist, genre in self.shelf.kinds
        ]

    def _parts(self, item: int) -> dict[Evidence, float]:
        """Return how probable an item is by each kind of evidence alone."""
        parts = {evidence: fading.share(item) for evidence, fading in self._fading()}
        for evidence, groups, fading in self._groups():
            group = groups.of[item]
            members = 1 if group is None else len(groups.members[group])
            parts[evidence] = fading.share(group) / members
        for evidence, spread in self._spread.items():
            parts[evidence] = spread.get(item, 0.0)
        parts[Evidence.UNHEARD] = 0.0 if item in self.heard else self._unheard
        parts[Evidence.ANY] = 1.0 / max(1, len(self.shelf.items))
        return parts

    def _learn_trust(self, plays: Iterable[Listened]) -> None:
        fade = exp(-1.0 / TRUST_DAYS)
        learned = {one: count * fade for one, count in self._learned.items()}
        for play in plays:
            parts = self._parts(play.item)
            weighed = {one: self._trust[one] * part for one, part in parts.items() if part}
            total = sum(weighed.values())
            for evidence, part in weighed.items():
                learned[evidence] += part / total
        self._learned = learned
        total = FIRST_PLAYS + sum(learned.values())
        self._trust = {
            one: (FIRST_PLAYS * FIRST_TRUST[one] + count) / total for one, count in learned.items()
        }

    def _count(self, day: int, play: Listened) -> None:
        item = play.item
        for fading in self._counts.values():
            fading.add(item, day)
        self._weekdays[(day - 1) % WEEK].add(item, day)
        self._household.count(item, day)
        for _, groups, fading in self._groups():
            group = groups.of[item]
            if group is not None:
                fading.add(group, day)
        known = self.heard.get(item)
        if known is None:
            self.heard[item] = Heard(day)
        else:
            _count_again(known, day)
        self._half.pop(item, None)
        if not play.is_to_the_end:
            self._half[item] = day
        began = day * 86400.0 + play.began
        if self._last is not None and began - self._last[1] <= TOGETHER_S:
            self._follow(self._last[0], item)
        self._last = (item, began + play.seconds)

    def _follow(self, before: int, item: int) -> None:
        if before == item:
            return
        followers = self._followers.setdefault(before, {})
        if len(followers) >= MOST_FOLLOWERS and item not in followers:
            del followers[min(followers, key=followers.__getitem__)]
        for one in followers:
            followers[one] *= 0.8
        followers[item] = followers.get(item, 0.0) + 1.0

    def _find_due(self, day: int) -> Iterable[tuple[int, float]]:
        for item, known in self.heard.items():
            rhythm = known.rhythm
            if rhythm > 1.0:
                ratio = (day - known.last_day) / rhythm
                if EARLIEST < ratio < LATEST:
                    yield item, exp(-3.0 * abs(log(ratio))) / rhythm

    def _find_begun(self, day: int) -> Iterable[tuple[int, float]]:
        albums, since = self.shelf.albums, day - BEGUN_DAYS
        for album, count in self._albums.counts.items():
            members = albums.members[album]
            if count < 1e-4 * self._albums.total:
                continue
            open_ones = [
                one for one in members if one not in self.heard or self.heard[one].last_day < since
            ]
            if 0 < len(open_ones) < len(members):
                for one in open_ones:
                    yield one, count / len(open_ones)

    def _find_followers(self, day: int) -> Iterable[tuple[int, float]]:
        for item, count in self._recent(day):
            followers = self._followers.get(item, {})
            whole = sum(followers.values())
            for one, weight in followers.items():
                yield one, count * weight / whole

    def _find_similar(self) -> Iterable[tuple[int, float]]:
        numbers, items = self.shelf.number, self.shelf.items
        for item, count in self._counts[Evidence.LATELY].counts.items():
            for one in items[item].similar:
                if one in numbers:
                    yield numbers[one], count

    def _find_new(self, day: int) -> Iterable[tuple[int, float]]:
        for number, added in self._household.added:
            if 0 <= day - added <= NEW_DAYS:
                yield number, 1.0

    def _recent(self, day: int) -> Iterable[tuple[int, float]]:
        counts = self._counts[Evidence.YESTERDAY].counts
        for item, count in counts.items():
            if day - self.heard[item].last_day <= FOLLOWED_DAYS:
                yield item, count


def _count_again(known: Heard, day: int) -> None:
    known.plays += 1
    gap = day - known.last_day
    if gap:
        known.rhythm = gap if known.days == 1 else 0.6 * known.rhythm + 0.4 * gap
        known.days += 1
        known.last_day = day


def _normalise(weights: Iterable[tuple[int, float]]) -> dict[int, float]:
    shares: dict[int, float] = {}
    for item, weight in weights:
        shares[item] = shares.get(item, 0.0) + weight
    total = sum(shares.values())
    return {item: one / total for item, one in shares.items()} if total else {}
