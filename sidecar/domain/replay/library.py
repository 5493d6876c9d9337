"""The library of a history, as the rules look things up in it on a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.items.selection import Selection
from sidecar.domain.playback.plays import ENOUGH_S, ENOUGH_SHARE
from sidecar.domain.replay.history import History, PastItem, PastPlay
from sidecar.domain.rules.library import ListedItems

NOTHING = ListedItems()


def counts(play: PastPlay, item: PastItem) -> bool:
    """Whether enough was heard, by the same measure as for plays that are watched."""
    return play.seconds >= ENOUGH_S or 0 < ENOUGH_SHARE * item.length <= play.seconds


class PastLibrary:
    """The albums of a history, and what one person has heard of them so far.

    What a history does not tell (queues, playlists, what is next in a series) is not there.
    """

    def __init__(self, albums: Mapping[str, ListedItems], known: Mapping[str, Item]) -> None:
        self._albums = albums
        self._known = known
        self._heard: dict[str, dict[str, datetime]] = defaultdict(dict)
        self._last: dict[str, datetime] = {}

    def learn(self, play: PastPlay, album_id: str | None) -> None:
        """Note a play that counts."""
        if album_id:
            self._heard[album_id][play.item_id] = play.began
            self._last[album_id] = play.began

    def items(self, ids: Collection[str]) -> Mapping[str, Item]:
        """Return items by their ids."""
        return {one: self._known[one] for one in ids if one in self._known}

    def visible_items(self, ids: Collection[str]) -> Mapping[str, Item]:
        """Return items by their ids."""
        return self.items(ids)

    def album_tracks(self, album_id: str) -> ListedItems:
        """Return the tracks of an album."""
        return self._albums.get(album_id, NOTHING)

    def contents(self, kind: ItemType, item_id: str) -> ListedItems:  # noqa: ARG002
        """Return the tracks of an album."""
        return self.album_tracks(item_id)

    def playlist_items(self, playlist_id: str) -> ListedItems:  # noqa: ARG002
        """Return nothing: a history tells no playlists."""
        return NOTHING

    def selected(self, asked: Selection, seed: str, now: datetime) -> ListedItems:  # noqa: ARG002
        """Return nothing: a history tells no filters."""
        return NOTHING

    def book_parts(self, folder_id: str) -> ListedItems:  # noqa: ARG002
        """Return nothing: a history tells no books."""
        return NOTHING

    def episodes_from(self, series_id: str, episode_id: str) -> ListedItems:  # noqa: ARG002
        """Return nothing: a history tells no series."""
        return NOTHING

    def next_up(self) -> ListedItems:
        """Return nothing: a history tells no series."""
        return NOTHING

    def books_begun(self) -> ListedItems:
        """Return nothing: a history tells no books."""
        return NOTHING

    def latest_albums(self, count: int) -> ListedItems:  # noqa: ARG002
        """Return nothing: a history does not tell when an album came."""
        return NOTHING

    def heard_in_album(self, album_id: str, since: datetime) -> frozenset[str]:
        """Return the tracks of an album that were really played since then."""
        heard = self._heard.get(album_id, {})
        return frozenset(one for one, at in heard.items() if at >= since)

    def albums_heard(self, since: datetime) -> frozenset[str]:
        """Return the albums of which anything was really played since then."""
        return frozenset(one for one, at in self._last.items() if at >= since)


def list_items(history: History) -> tuple[dict[str, Item], dict[str, ListedItems]]:
    """Return a history's items as the rules know them, and its albums."""
    known = {
        one.id: Item(
            id=one.id,
            type=ItemType.AUDIO,
            title=one.title,
            artist=one.artist,
            album=one.album,
            album_id=one.album_id,
            number=one.number,
            seconds=one.length,
            size=one.size,
        )
        for one in history.items.values()
    }
    albums: dict[str, list[Item]] = defaultdict(list)
    for item in known.values():
        if item.album_id:
            albums[item.album_id].append(item)
    for tracks in albums.values():
        tracks.sort(key=_place_on_album)
    return known, {one: ListedItems(tuple(albums[one]), complete=True) for one in albums}


def _place_on_album(item: Item) -> tuple[int, str, str]:
    return (item.number or 0, item.title, item.id)
