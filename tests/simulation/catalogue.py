"""A library of some dozens to some hundreds of tracks, and what was heard of it when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.items.selection import Selection
from sidecar.domain.rules.library import ListedItems

MIB = 1024 * 1024


@dataclass(slots=True)
class Catalogue:
    """A library as the rules look things up in it.

    Unlike the real one it has music only, never fails, and knows every play at once.
    """

    albums: dict[str, tuple[Item, ...]]
    heard: dict[str, dict[str, datetime]] = field(default_factory=lambda: defaultdict(dict))
    known: dict[str, Item] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known = {one.id: one for tracks in self.albums.values() for one in tracks}

    def items(self, ids: Collection[str]) -> dict[str, Item]:
        return {one: self.known[one] for one in ids}

    visible_items = items

    def album_tracks(self, album_id: str) -> ListedItems:
        return ListedItems(self.albums[album_id], complete=True)

    def playlist_items(self, playlist_id: str) -> ListedItems:
        return ListedItems()

    book_parts = playlist_items

    def contents(self, kind: ItemType, item_id: str) -> ListedItems:
        return ListedItems()

    def selected(self, asked: Selection, seed: str, now: datetime) -> ListedItems:
        return ListedItems()

    def episodes_from(self, series_id: str, episode_id: str) -> ListedItems:
        return ListedItems()

    def next_up(self) -> ListedItems:
        return ListedItems()

    books_begun = next_up

    def latest_albums(self, count: int) -> ListedItems:
        return ListedItems()

    def heard_in_album(self, album_id: str, since: datetime) -> frozenset[str]:
        return frozenset(one for one, at in self.heard[album_id].items() if at >= since)

    def albums_heard(self, since: datetime) -> frozenset[str]:
        return frozenset(one for one in list(self.heard) if self.heard_in_album(one, since))


def a_library(chance: Random) -> Catalogue:
    """Return a library of some dozens to some hundreds of tracks."""
    albums = {}
    for number in range(chance.randint(4, 30)):
        quality = chance.choice([3, 8, 25])
        albums[f"album {number}"] = tuple(
            Item(
                id=f"{number}-{place}",
                type=ItemType.AUDIO,
                title=f"Tone {place}",
                album=f"album {number}",
                album_id=f"album {number}",
                number=place,
                seconds=240.0,
                size=int(quality * MIB * chance.uniform(0.5, 1.5)),
            )
            for place in range(chance.randint(5, 14))
        )
    return Catalogue(albums)
