"""Library queries for the rules: lists for one account, each marked complete or not.

Caches nothing. An empty or missing list is marked incomplete: it looks the same as one that the
server has lost for a moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sidecar.domain.items.item import ItemType
from sidecar.domain.rules.library import ListedItems
from sidecar.errors import NotAllowed, NotFound
from sidecar.jellyfin.client import DISC_ORDER, PRIMARY_IMAGE_ONLY, Jellyfin
from sidecar.jellyfin.http.connection import Query
from sidecar.jellyfin.listing import Listing, Rows, read_sequence, read_set

# Enough even if some of the next ones were seen already.
EPISODES = 60
# Of a series that is kept in sync.
UNWATCHED_KEPT = 3
UNWATCHED_READ = 60
# Of the parts heard last; one long book may fill all of them.
PARTS = 100
BOOKS: Query = {"recursive": "true", "includeItemTypes": "AudioBook", "fields": "ParentId"}


class Lookups:
    """The lists of one account. Raises what `Jellyfin` raises, but no `NotFound`."""

    def __init__(self, client: Jellyfin) -> None:
        self._client = client

    def album_tracks(self, album_id: str) -> ListedItems:
        """List the tracks of an album, in disc order."""
        query = {"parentId": album_id, "includeItemTypes": "Audio"}
        return _read_listed(lambda: self._client.listing(self._client.files(query)))

    def playlist_items(self, playlist_id: str) -> ListedItems:
        """List a playlist in its order, with its repeats."""
        pages = self._client.pages("Playlists", playlist_id, "Items", query={})

        def read() -> Listing:
            listing = self._client.listing(read_sequence(pages))
            return replace(listing, items=self._client.with_parts(listing.items))

        return _read_listed(read)

    def contents(self, kind: ItemType, item_id: str) -> ListedItems:
        """List the tracks of an album or artist, or the next unwatched episodes of a series."""
        if kind is ItemType.SERIES:
            return self._unwatched(item_id)
        place = "albumArtistIds" if kind is ItemType.ARTIST else "parentId"
        query = {place: item_id, "includeItemTypes": "Audio"}
        return _read_listed(lambda: self._client.listing(self._client.files(query)))

    def _unwatched(self, series_id: str) -> ListedItems:
        """List the first episodes of a series that were not seen; none if all were."""
        query: Query = {
            "recursive": "true",
            "parentId": series_id,
            "includeItemTypes": "Episode",
            "isPlayed": "false",
            "isMissing": "false",
            **DISC_ORDER,
            "limit": UNWATCHED_READ,
        }
        try:
            listing = self._read_page("Items", query=query)
            if not listing.items:
                # All were seen, or the series is gone: only the first lets the last one go.
                self._client.item(series_id)
        except (NotFound, NotAllowed):
            return ListedItems()
        # Specials come first in the order of the server, and last for people.
        in_turn = sorted(listing.items, key=lambda one: one.disc == 0)
        return ListedItems(tuple(in_turn[:UNWATCHED_KEPT]), complete=listing.complete)

    def next_up(self) -> ListedItems:
        """List the next episode of each series that was begun, last seen first."""
        pages = self._client.pages("Shows", "NextUp", query={"disableFirstEpisode": "true"})
        return _read_listed(lambda: self._client.listing(read_set(pages)))

    def episodes_from(self, series_id: str, episode_id: str) -> ListedItems:
        """List an episode and what follows it in the order of the series, some dozens at most."""
        query: Query = {"startItemId": episode_id, "limit": EPISODES, **PRIMARY_IMAGE_ONLY}
        found = _read_listed(lambda: self._read_page("Shows", series_id, "Episodes", query=query))
        # A server that does not find the first one may begin with any other.
        starts_right = bool(found.items) and found.items[0].id == episode_id
        return found if starts_right else ListedItems()

    def books_begun(self) -> ListedItems:
        """List the audiobook parts that this account began or heard, last heard first."""
        recently: Query = {"sortBy": "DatePlayed", "sortOrder": "Descending", "limit": PARTS}
        begun = [
            self._read_page("Items", query={**BOOKS, **recently, "filters": kind})
            for kind in ("IsResumable", "IsPlayed")
        ]
        items = tuple({one.id: one for listing in begun for one in listing.items}.values())
        return ListedItems(items, complete=bool(items))

    def book_parts(self, folder_id: str) -> ListedItems:
        """List the audiobook parts in a folder, in order."""
        query: Query = {"parentId": folder_id, **BOOKS, **DISC_ORDER}
        pages = self._client.pages("Items", query=query)
        return _read_listed(lambda: self._client.listing(read_set(pages)))

    def latest_albums(self, count: int) -> ListedItems:
        """List the albums added last, newest first.

        Not `/Items/Latest`: by default that leaves out what was played.
        """
        query: Query = {
            "recursive": "true",
            "includeItemTypes": ItemType.ALBUM.value,
            "sortBy": "DateCreated,SortName",
            "sortOrder": "Descending,Ascending",
            "limit": count,
        }
        return _read_listed(lambda: self._read_page("Items", query=query))

    def _read_page(self, *path: str, query: Query) -> Listing:
        page = self._client.listed_page(*path, query=query)
        entries = [one for one in page.items if one is not None]
        return self._client.listing(Rows(entries, complete=len(entries) == len(page.items)))


def _read_listed(ask: Callable[[], Listing]) -> ListedItems:
    try:
        listing = ask()
    except (NotFound, NotAllowed):
        return ListedItems()
    return ListedItems(listing.items, complete=listing.complete and bool(listing.items))
