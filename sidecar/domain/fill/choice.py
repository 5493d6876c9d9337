"""Chooses what fills the room that is left: the most probable plays for each byte, with variety.

    who plays what next ─▶ ranking ─▶ what would be best ─▶ what may change today ─▶ choice

Free room is used at once. What is there gives way only to something clearly better, only so much
of it in a week, and never if it was begun and not ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sidecar.domain.fill.shelf import Shelf
from sidecar.domain.fill.taste import Taste

# What comes must be so much more probable, for its size, than what goes for it.
CLEARLY_BETTER = 1.2
# So many that do not fit in a row, and the room counts as full.
MOST_MISSES = 40
FULL = 100
# The middle of the slider "familiar … new": what was never heard counts as the plays say.
BALANCED = 50
# So far from the middle, it counts twice or half.
DOUBLED = 12.5


@dataclass(frozen=True, slots=True, kw_only=True)
class FillLimits:
    """What a person sets for the rule `fill`.

    Attributes:
        discovery: From 0, familiar, to 100, new.
        turnover: Per cent of the room that may change in a week.
        of_album: Tracks of one album at most, if others would fill the room; 0 for no limit.
        of_artist: Per cent of the room that one artist may take, if others would fill it.
        sure_share: Per cent of an equal share that is sure for each person.
        whole_albums: Albums come and go as a whole.
    """

    discovery: int = BALANCED
    turnover: int = 100
    of_album: int = 30
    of_artist: int = 80
    sure_share: int = 25
    whole_albums: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What is expected of a day.

    Attributes:
        plays: For each item how many.
        listener: For each item the place of the person who wants it most.
        persons: Their number.
    """

    plays: Sequence[float]
    listener: Sequence[int]
    persons: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The candidates, best first.

    Attributes:
        units: Single items, or all of an album, best first.
        worth: For each item the plays that are expected of it in a day, for each byte.
        listener: For each item the place of the person who wants it most.
        persons: Their number.
    """

    shelf: Shelf
    units: Sequence[tuple[int, ...]]
    worth: Sequence[float]
    listener: Sequence[int]
    persons: int

    def order(self) -> Sequence[int]:
        """Return the items, best first."""
        return [one for unit in self.units for one in unit]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What fills a device today.

    Attributes:
        items: All of it, best first.
        added: What was not there before.
        changed: Bytes of what gave way to something better.
    """

    items: tuple[int, ...]
    added: tuple[int, ...]
    changed: int


def expect(
    shelf: Shelf,
    tastes: Sequence[Taste],
    limits: FillLimits,
    candidates: Sequence[Collection[int]] | None = None,
) -> Expectation:
    """Return what the people of a device will play; `look_ahead` was called for each.

    Args:
        shelf: All items.
        tastes: Of each person.
        limits: What was set.
        candidates: For each person what may come because of them; all of it if not given.
    """
    factor = 2.0 ** ((limits.discovery - BALANCED) / DOUBLED)
    total = [0.0] * len(shelf.items)
    best = total
    listener = [0] * len(shelf.items)
    for place, taste in enumerate(tastes):
        expected = taste.expect()
        if factor != 1.0:
            heard = taste.heard
            expected = [one if n in heard else one * factor for n, one in enumerate(expected)]
        if candidates is not None:
            theirs = candidates[place]
            expected = [one if n in theirs else 0.0 for n, one in enumerate(expected)]
        if place == 0:
            total = best = expected
            continue
        listener = [
            place if new > old else who
            for new, old, who in zip(expected, best, listener, strict=True)
        ]
        best = list(map(max, best, expected))
        total = [a + b for a, b in zip(total, expected, strict=True)]
    return Expectation(plays=total, listener=listener, persons=len(tastes))


def rank(shelf: Shelf, expectation: Expectation, limits: FillLimits) -> Ranking:
    """Rank all candidates by the plays that are expected of them for each byte."""
    total, listener = expectation.plays, expectation.listener
    if limits.whole_albums:
        return _rank_albums(shelf, total, listener, expectation.persons)
    worth = [one / size for one, size in zip(total, shelf.sizes, strict=True)]
    order = sorted(range(len(worth)), key=worth.__getitem__, reverse=True)
    return Ranking(
        shelf=shelf,
        units=[(one,) for one in order],
        worth=worth,
        listener=listener,
        persons=expectation.persons,
    )


def _rank_albums(
    shelf: Shelf,
    total: Sequence[float],
    listener: Sequence[int],
    persons: int,
) -> Ranking:
    units = [tuple(one) for one in shelf.albums.members]
    units += [(n,) for n, album in enumerate(shelf.albums.of) if album is None]
    worth = [0.0] * len(total)
    for unit in units:
        mean = sum(total[one] for one in unit) / sum(shelf.sizes[one] for one in unit)
        for one in unit:
            worth[one] = mean
    units.sort(key=lambda one: worth[one[0]], reverse=True)
    return Ranking(shelf=shelf, units=units, worth=worth, listener=listener, persons=persons)


@dataclass(slots=True)
class _Variety:
    """How much of the room each album, artist and person takes."""

    ranking: Ranking
    room: int
    limits: FillLimits
    albums: Counter[int | None] = field(default_factory=Counter)
    artists: Counter[int | None] = field(default_factory=Counter)
    persons: Counter[int] = field(default_factory=Counter)

    def allows(self, unit: Sequence[int], size: int) -> bool:
        """Whether a unit leaves enough for others."""
        limits, one = self.limits, unit[0]
        shelf = self.ranking.shelf
        album, artist = shelf.albums.of[one], shelf.artists.of[one]
        is_limited = len(unit) == 1 and limits.of_album and album is not None
        if is_limited and self.albums[album] >= limits.of_album:
            return False
        if artist is not None:
            taken = self.artists[artist]
            if taken and (taken + size) * FULL > self.room * limits.of_artist:
                return False
        persons = self.ranking.persons
        if persons > 1:
            others = (persons - 1) / persons * limits.sure_share / FULL
            taken = self.persons[self.ranking.listener[one]]
            return taken + size <= self.room * (1.0 - others)
        return True

    def take(self, unit: Sequence[int], size: int) -> None:
        """Count a unit."""
        shelf, one = self.ranking.shelf, unit[0]
        self.albums[shelf.albums.of[one]] += 1
        self.artists[shelf.artists.of[one]] += size
        self.persons[self.ranking.listener[one]] += size


def choose(
    ranking: Ranking,
    *,
    room: int,
    present: Collection[int],
    half_heard: Collection[int],
    limits: FillLimits,
    may_change: int,
    sizes: Sequence[int],
    passed_over: Collection[int] = (),
    may_go: int | None = None,
) -> Choice:
    """Choose what fills the room.

    Args:
        ranking: The candidates.
        room: Bytes that other rules leave.
        present: What fills it now.
        half_heard: Of these, what stays in any case.
        limits: What was set.
        may_change: Bytes that may give way to something better today.
        sizes: Bytes that each item takes on the device.
        passed_over: What may not come now: it is there by another rule, excluded, or rests.
        may_go: So many files may give way to something better today; None for any number.
    """
    best = _find_best(
        _Variety(ranking, room, limits), first=half_heard, sizes=sizes, passed_over=passed_over
    )
    kept = dict.fromkeys(present)
    used = sum(sizes[one] for one in kept)
    worth = ranking.worth
    drops = sorted(
        (one for one in kept if one not in best and one not in half_heard),
        key=worth.__getitem__,
        reverse=True,
    )
    while used > room and drops:
        gone = drops.pop()
        del kept[gone]
        used -= sizes[gone]
    added: list[int] = []
    changed = gone_files = 0
    for one in best:
        if one in kept:
            continue
        needed = used + sizes[one] - room
        victims, freed = [], 0
        while freed < needed and drops and worth[one] > CLEARLY_BETTER * worth[drops[-1]]:
            victims.append(drops.pop())
            freed += sizes[victims[-1]]
        if freed < needed:
            drops += reversed(victims)
            continue
        is_many = may_go is not None and victims and gone_files + len(victims) > may_go
        if is_many or changed + freed > may_change:
            break
        for gone in victims:
            del kept[gone]
        changed += freed
        gone_files += len(victims)
        kept[one] = None
        added.append(one)
        used += sizes[one] - freed
    items = tuple(sorted(kept, key=worth.__getitem__, reverse=True))
    return Choice(items=items, added=tuple(added), changed=changed)


def _find_best(
    variety: _Variety,
    *,
    first: Iterable[int],
    sizes: Sequence[int],
    passed_over: Collection[int],
) -> Mapping[int, None]:
    """Return what would fill the room best if nothing was there, best first."""
    taken: dict[int, None] = {}
    left = variety.room
    for one in first:
        taken[one] = None
        left -= sizes[one]
        variety.take((one,), sizes[one])
    aside: list[tuple[int, ...]] = []
    misses = 0
    for units, is_varied in ((variety.ranking.units, True), (aside, False)):
        for unit in units:
            if misses > MOST_MISSES:
                break
            new = [one for one in unit if one not in taken and one not in passed_over]
            if not new:
                continue
            size = sizes[new[0]] if len(new) == 1 else sum(sizes[one] for one in new)
            if size > left:
                misses += 1
                continue
            if is_varied and not variety.allows(new, size):
                aside.append(unit)
                continue
            taken.update(dict.fromkeys(new))
            variety.take(new, size)
            left -= size
    return taken
