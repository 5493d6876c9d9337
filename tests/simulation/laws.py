"""Histories by other laws than those of the simulation: what one person plays on each day.

A law is a generator: it yields for each day the tracks that are played, by their numbers. A history
has one law for each person; a shared account has two in one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from math import cos, pi
from random import Random

from sidecar.domain.replay.history import History, PastItem, PastPlay, make_history

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
TRACKS = 12
MIB = 1024 * 1024
WEEK, YEAR = 7, 365


@dataclass(frozen=True, slots=True)
class Records:
    """Albums, each with the numbers of its tracks, and how many are played a day."""

    albums: Sequence[Sequence[int]]
    pace: int

    @property
    def tracks(self) -> Sequence[int]:
        """All tracks."""
        return [one for album in self.albums for one in album]


Days = Iterator[list[int]]
Law = Callable[[Random, Records], Days]


def zipf(chance: Random, records: Records, *, slope: float = 1.0, uniform: float = 0.0) -> Days:
    """Play each track by its rank in a fixed taste; some from anywhere."""
    tracks = chance.sample(records.tracks, len(records.tracks))
    weights = list(accumulate((n + 1) ** -slope for n in range(len(tracks))))
    while True:
        yield [
            chance.choice(tracks)
            if chance.random() < uniform
            else chance.choices(tracks, cum_weights=weights)[0]
            for _ in range(_some(chance, records.pace))
        ]


def mixed(chance: Random, records: Records) -> Days:
    """Play half by taste, half from anywhere."""
    return zipf(chance, records, uniform=0.5)


def binges(chance: Random, records: Records) -> Days:
    """Play one album for days, and hardly ever again; sometimes others."""
    while True:
        album = chance.choice(records.albums)
        for _ in range(chance.randint(3, 12)):
            count = _some(chance, records.pace)
            begin = chance.randrange(len(album))
            day = [album[(begin + n) % len(album)] for n in range(count)]
            yield [chance.choice(records.tracks) if chance.random() < 0.1 else one for one in day]


def obsessions(chance: Random, records: Records) -> Days:
    """Play a handful of tracks again and again; each falls out of favour in a week or two."""
    loved = chance.sample(records.tracks, 8)
    while True:
        loved = [
            chance.choice(records.tracks) if chance.random() < 1 / 10 else one for one in loved
        ]
        yield [
            chance.choice(records.tracks) if chance.random() < 0.2 else chance.choice(loved)
            for _ in range(_some(chance, records.pace))
        ]


def weekdays(chance: Random, records: Records) -> Days:
    """Have a list for each day of the week, of which a little changes."""
    lists = [chance.sample(records.tracks, 2 * records.pace) for _ in range(WEEK)]
    while True:
        for tracks in lists:
            tracks[chance.randrange(len(tracks))] = chance.choice(records.tracks)
            yield [
                chance.choice(records.tracks if chance.random() < 0.15 else tracks)
                for _ in range(_some(chance, records.pace))
            ]


def discovery(chance: Random, records: Records) -> Days:
    """Hear a new album in some days, from its begin to its end; some return, ever less often."""
    liked: list[Sequence[int]] = []
    while True:
        for album in chance.sample(records.albums, len(records.albums)):
            rest = list(album)
            while rest:
                half = max(1, records.pace // 2)
                day, rest = rest[:half], rest[half:]
                for _ in range(min(len(liked), 1)):
                    place = min(int(chance.expovariate(0.3)), len(liked) - 1)
                    day += liked[-1 - place][: records.pace - half]
                yield day
            if chance.random() < 0.4:
                liked.append(album)


def seasons(chance: Random, records: Records) -> Days:
    """Have another favourite part of the records in each part of the year."""
    order = chance.sample(records.albums, len(records.albums))
    phases = [2 * pi * n / len(order) for n in range(len(order))]
    day = 0
    while True:
        now = 2 * pi * day / YEAR
        weights = list(accumulate((1.0 + cos(now - one)) ** 6 + 0.01 for one in phases))
        played: list[int] = []
        while len(played) < records.pace:
            album = chance.choices(order, cum_weights=weights)[0]
            begin = chance.randrange(len(album))
            played += album[begin : begin + chance.randint(1, 5)]
        day += 1
        yield played


def rounds(chance: Random, records: Records) -> Days:
    """Go through some albums in turn, and begin again."""
    turn = chance.sample(records.albums, min(len(records.albums), 12))
    while True:
        for album in turn:
            for begin in range(0, len(album), records.pace):
                yield list(album[begin : begin + records.pace])


def returning(chance: Random, records: Records) -> Days:
    """Play again what was played before, the shorter ago the sooner, or something else."""
    played = [chance.choice(records.tracks)]
    while True:
        day: list[int] = []
        for _ in range(_some(chance, records.pace)):
            back = int(chance.paretovariate(0.6))
            is_known = chance.random() < 0.8 and back <= len(played)
            day.append(played[-back] if is_known else chance.choice(records.tracks))
            played.append(day[-1])
        yield day


def shared(chance: Random, records: Records) -> Days:
    """Share an account: one plays by taste, the other has binges."""
    half = Records(records.albums, max(1, records.pace // 2))
    for one, other in zip(zipf(chance, half), binges(chance, half), strict=True):
        yield one + other


LAWS: Mapping[str, Law] = {
    one.__name__: one
    for one in (
        zipf,
        mixed,
        binges,
        obsessions,
        weekdays,
        discovery,
        seasons,
        rounds,
        returning,
        shared,
    )
}


def past(
    laws: Sequence[Law],
    seed: int,
    *,
    albums: int = 60,
    pace: int = 20,
    days: int = YEAR,
    alike: bool = False,
) -> History:
    """Return the history of some people, one for each law.

    Args:
        laws: How each of them listens.
        seed: The same gives the same history.
        albums: In their library, each of 12 tracks of sizes that differ.
        pace: Plays a day of each person.
        days: How long.
        alike: All tracks have the same size.
    """
    chance = Random(seed)
    records = Records(
        [range(n * TRACKS, (n + 1) * TRACKS) for n in range(albums)],
        pace,
    )
    items = []
    for album in range(albums):
        quality = chance.choice([3, 8, 25])
        for place in range(TRACKS):
            size = 8 * MIB if alike else int(quality * MIB * chance.uniform(0.5, 1.5))
            items.append(
                PastItem(
                    id=f"{album * TRACKS + place:05}",
                    artist=f"artist {album // 3}",
                    album=f"album {album}",
                    genre=f"genre {album // 3 % 9}",
                    number=place,
                    size=size,
                    length=240.0,
                )
            )
    plays = [
        PastPlay(
            BEGIN + timedelta(days=day, hours=7 + person, seconds=240 * n),
            f"person {person}",
            f"{item:05}",
            240.0,
        )
        for person, law in enumerate(laws)
        for day, played in enumerate(islice(law(chance, records), days))
        for n, item in enumerate(played)
    ]
    return make_history(plays, items)


def _some(chance: Random, pace: int) -> int:
    return chance.randint(0, 2 * pace)
