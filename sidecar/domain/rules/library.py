"""The queries that a rule may make, as a protocol. Its implementation asks the server and caches.

A query that fails raises `errors.JellyfinError` through the rule: then nothing is changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.items.selection import Selection


@dataclass(frozen=True, slots=True)
class ListedItems:
    """Items as the server lists them, in its order.

    Attributes:
        complete: Nothing is missing. False if that is not known, if the list is empty, or if what
            was to be listed is not there: then an absent item means nothing.
    """

    items: tuple[Item, ...] = ()
    complete: bool = False

    @property
    def playable(self) -> tuple[Item, ...]:
        """The items with a file of their own, each once."""
        return tuple({one.id: one for one in self.items if one.is_playable}.values())


class Library(Protocol):
    """The library as one account sees it."""

    def items(self, ids: Collection[str]) -> Mapping[str, Item]:
        """Return items that were listed before, by their ids; what is gone is not in the result."""

    def visible_items(self, ids: Collection[str]) -> Mapping[str, Item]:
        """Return items that a player named, by their ids; none that the account may not see."""

    def album_tracks(self, album_id: str) -> ListedItems:
        """Return the tracks of an album, in disc order."""

    def playlist_items(self, playlist_id: str) -> ListedItems:
        """Return the entries of a playlist in its order, repeats included."""

    def contents(self, kind: ItemType, item_id: str) -> ListedItems:
        """Return the tracks of an album or artist, or the next unwatched episodes of a series."""

    def selected(self, asked: Selection, seed: str, now: datetime) -> ListedItems:
        """Return what a saved filter matches; complete even if that is certainly nothing."""

    def book_parts(self, folder_id: str) -> ListedItems:
        """Return the audiobook parts in a folder, in order, with `is_played`."""

    def episodes_from(self, series_id: str, episode_id: str) -> ListedItems:
        """Return an episode and some dozens that follow it, with `is_played`."""

    def next_up(self) -> ListedItems:
        """Return the next episode of each series begun, last seen first."""

    def books_begun(self) -> ListedItems:
        """Return audiobook parts that were begun or heard, last heard first."""

    def latest_albums(self, count: int) -> ListedItems:
        """Return the albums that were added last, newest first."""

    def heard_in_album(self, album_id: str, since: datetime) -> frozenset[str]:
        """Return the tracks of an album that this account really played since then."""

    def albums_heard(self, since: datetime) -> frozenset[str]:
        """Return the albums of which this account really played anything since then."""
