"""Chooses what fills the room that is left: the most probable plays for each byte, with variety.

    who plays what next ─▶ ranking ─▶ what would be best ─▶ what may change today ─▶ choice

Free room is used at once. What is there gives way only to something clearly better, only so much
of it in a week, and never if it was begun and not ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, filterfalse, groupby
from math import inf
from operator import add, itemgetter, truediv

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
    turnover: int = 300
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
        order: The items, best first.
        worth: For each item the plays that are expected of it in a day, for each byte.
        listener: For each item the place of the person who wants it most.
        persons: Their number.
        whole_albums: The items of an album stand together, and come together.
    """

    shelf: Shelf
    order: Sequence[int]
    worth: Sequence[float]
    listener: Sequence[int]
    persons: int
    whole_albums: bool = False

    def units(self, passed_over: Collection[int]) -> Iterable[tuple[int, ...]]:
        """Yield what comes together, best first: single items, or all of an album."""
        order = filterfalse(passed_over.__contains__, self.order)
        if not self.whole_albums:
            return zip(order)
        album_of = self.shelf.albums.of
        # Negative, and another number for each, is what has no album.
        keyed = ((one, -1 - one if album_of[one] is None else album_of[one]) for one in order)
        together = groupby(keyed, key=itemgetter(1))
        return (tuple(one for one, _ in group) for _, group in together)


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
        total = list(map(add, total, expected))
    return Expectation(plays=total, listener=listener, persons=len(tastes))


def rank(
    shelf: Shelf,
    expectation: Expectation,
    limits: FillLimits,
    nearly: Sequence[int] | None = None,
) -> Ranking:
    """Rank all candidates by the plays that are expected of them for each byte.

    Args:
        shelf: All items.
        expectation: What will be played.
        limits: What was set.
        nearly: An order that is right for most of them: what is in order is sorted sooner.
    """
    if limits.whole_albums:
        order, worth = _rank_albums(shelf, expectation.plays)
    else:
        worth = list(map(truediv, expectation.plays, shelf.sizes))
        order = sorted(nearly or range(len(worth)), key=worth.__getitem__, reverse=True)
    return Ranking(
        shelf=shelf,
        order=order,
        worth=worth,
        listener=expectation.listener,
        persons=expectation.persons,
        whole_albums=limits.whole_albums,
    )


def _rank_albums(shelf: Shelf, total: Sequence[float]) -> tuple[Sequence[int], Sequence[float]]:
    """Return the items, those of an album together and best first, and the worth of each."""
    units = [tuple(one) for one in shelf.albums.members]
    units += [(n,) for n, album in enumerate(shelf.albums.of) if album is None]
    worth = [0.0] * len(total)
    for unit in units:
        mean = sum(total[one] for one in unit) / sum(shelf.sizes[one] for one in unit)
        for one in unit:
            worth[one] = mean
    units.sort(key=lambda one: worth[one[0]], reverse=True)
    return list(chain.from_iterable(units)), worth


class _Variety:
    """How much of the room each album, artist and person takes."""

    def __init__(self, ranking: Ranking, room: int, limits: FillLimits) -> None:
        shelf, persons = ranking.shelf, ranking.persons
        self.ranking, self.room = ranking, room
        self._album_of, self._artist_of = shelf.albums.of, shelf.artists.of
        self._listener = ranking.listener
        self._of_album = limits.of_album or inf
        self._of_artist = room * limits.of_artist
        others = (persons - 1) / persons * limits.sure_share / FULL if persons > 1 else 0.0
        self._of_person = room * (1.0 - others) if persons > 1 else inf
        self._albums: dict[int | None, int] = defaultdict(int)
        self._artists: dict[int | None, int] = defaultdict(int)
        self._persons: dict[int, int] = defaultdict(int)

    def count(self, one: int, size: int) -> None:
        """Count what is there in any case."""
        self._albums[self._album_of[one]] += 1
        self._artists[self._artist_of[one]] += size
        self._persons[self._listener[one]] += size

    def take(self, one: int, size: int, tracks: int) -> bool:
        """Count what begins with an item; if others would not be left enough, return False."""
        album, artist, person = self._album_of[one], self._artist_of[one], self._listener[one]
        if album is not None and tracks == 1 and self._albums[album] >= self._of_album:
            return False
        of_artist = self._artists[artist]
        if of_artist and artist is not None and (of_artist + size) * FULL > self._of_artist:
            return False
        of_person = self._persons[person] + size
        if of_person > self._of_person:
            return False
        self._albums[album] += 1
        self._artists[artist] = of_artist + size
        self._persons[person] = of_person
        return True


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
        variety.count(one, sizes[one])
    aside: list[tuple[int, ...]] = []
    misses = 0
    units = variety.ranking.units({*passed_over, *taken})
    for some, is_varied in ((units, True), (aside, False)):
        for new in some:
            size = sizes[new[0]] if len(new) == 1 else sum(sizes[one] for one in new)
            if size > left:
                misses += 1
                if misses > MOST_MISSES:
                    return taken
            elif is_varied and not variety.take(new[0], size, len(new)):
                aside.append(new)
            else:
                for one in new:
                    taken[one] = None
                left -= size
    return taken
