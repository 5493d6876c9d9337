"""A year of somebody's listening against the product's decisions.

Each seed is another library, another budget, another taste: some hear the same few albums for
months, some everything in turn; some press hearts; the budget changes now and then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Protocol

from sidecar.domain.items.item import Item
from tests.simulation.catalogue import Catalogue, a_library
from tests.simulation.household import Household
from tests.simulation.outcome import Outcome

DAYS = 365
# Bytes fetched may be so many times the bytes that came to be wanted.
MOST_WASTE = 1.10


def year(seed: int, days: int = DAYS) -> Outcome:
    """Live through a year; the same seed gives the same year."""
    chance = Random(seed)
    library = a_library(chance)
    whole = sum(one.size or 0 for one in library.known.values())
    home = Household(library, int(whole * chance.uniform(0.1, 1.3)))
    albums = list(library.albums)
    faithful, liked = chance.uniform(0.3, 2.0), set[str]()
    for day in range(days):
        morning = home.now = home.now.replace(hour=7, minute=0) + timedelta(days=1)
        if day % chance.randint(20, 60) == 0:
            chance.shuffle(albums)
        for _ in range(chance.choice([0, 1, 1, 2])):
            listen(chance, home, albums, faithful)
        if chance.random() < 0.02:
            _change_of_heart(chance, home, albums, liked)
        if chance.random() < 0.005:
            home.may_hold(int(whole * chance.uniform(0.1, 1.3)))
        home.now = morning
        home.looks_again()
    return home.outcome


def kept_its_promises(outcome: Outcome) -> bool:
    """Return whether nothing was wasted, fetched too soon, or kept beyond the budget."""
    broken = outcome.too_soon or outcome.over or outcome.unsettled
    return not broken and outcome.waste <= MOST_WASTE


class Listener(Protocol):
    """Somebody who can play tracks of a library."""

    catalogue: Catalogue

    def hears(self, tracks: Sequence[Item]) -> None:
        """Play some tracks through."""


def listen(chance: Random, home: Listener, albums: list[str], faithful: float) -> None:
    """Play an album, or a part of it, or some tracks from anywhere."""
    library = home.catalogue
    if chance.random() < 0.2:
        tracks = chance.sample(list(library.known.values()), min(8, len(library.known)))
    else:
        weights = [1 / (place + 1) ** faithful for place in range(len(albums))]
        album = library.albums[chance.choices(albums, weights)[0]]
        begin = chance.choice([0, 0, 0, chance.randrange(len(album))])
        tracks = list(album[begin : begin + chance.randint(1, len(album))])
    home.hears(tracks)


def _change_of_heart(chance: Random, home: Household, albums: list[str], liked: set[str]) -> None:
    album = chance.choice(albums[:5])
    if album in liked:
        liked.remove(album)
        home.likes_no_more(album)
    else:
        liked.add(album)
        home.likes(album)
