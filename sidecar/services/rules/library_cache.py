"""The library as the rules see it: look-ups in Jellyfin, cached for a few minutes.

rule ──▶ CachedLibrary ──▶ Lookups, Jellyfin.items      (what is in the library)
                      ├──▶ SelectionLooks               (what saved filters match)
                      └──▶ Plays                        (what was really heard)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Protocol

from sidecar.clock import Clock
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.items.selection import Selection
from sidecar.domain.rules.library import Library, ListedItems
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.lookups import Lookups
from sidecar.services.rules.playlist_orders import PlaylistOrderTracker
from sidecar.services.rules.selections.looks import SelectionLooks
from sidecar.store.playback.plays import Plays

KEPT_FOR_S = 300.0
MOST_KEPT = 2000

Key = tuple[str, ...]
# Look-ups whose result changes with the account's own plays.
UNWATCHED = "unwatched"
LISTENING = frozenset(
    {"next_up", "episodes_from", "books_begun", "book_parts", "item", "visible", UNWATCHED}
)


class LibraryOfAccount(Library, Protocol):
    """The library of one account, with what the rule runner needs besides look-ups."""

    def forget(self) -> None:
        """Drop the whole cache, as the library has changed. Thread-safe."""

    def forget_listening(self) -> None:
        """Drop what depends on what was played, seen or favoured. Thread-safe."""


class CachedLibrary:
    """The library as one account sees it. Implements `domain.rules.library.Library`.

    One thread looks things up; the two `forget` methods are thread-safe.
    """

    def __init__(
        self,
        client: Jellyfin,
        plays: Plays,
        user_id: str,
        clock: Clock,
        *,
        playlists: PlaylistOrderTracker | None = None,
    ) -> None:
        """Prepare.

        Args:
            client: The account's client.
            plays: The stored plays.
            user_id: The account.
            clock: For the age of cached results.
            playlists: Told the contents of a playlist whenever a rule looks it up.
        """
        self._client = client
        self._lookups = Lookups(client)
        self._looks = SelectionLooks(client, clock)
        self._plays = plays
        self._user_id = user_id
        self._clock = clock
        self._playlists = playlists
        self._lock = Lock()
        self._kept: dict[Key, tuple[float, object]] = {}

    def forget(self) -> None:
        """Drop the whole cache, as the library has changed."""
        self._looks.note_library_changed()
        with self._lock:
            # A new one: what is being asked now may be of before the change.
            self._kept = {}

    def forget_listening(self) -> None:
        """Drop what depends on what was played or seen."""
        self._looks.note_listening_changed()
        with self._lock:
            self._kept = {key: it for key, it in self._kept.items() if key[0] not in LISTENING}

    def items(self, ids: Collection[str]) -> Mapping[str, Item]:
        """Return items by their ids, with their sizes."""
        return self._items("item", ids, self._client.items)

    def visible_items(self, ids: Collection[str]) -> Mapping[str, Item]:
        """Return items that a player named, with their sizes; none that are hidden."""
        into = self._kept
        found = self._items("visible", ids, self._client.visible_items)
        for item_id, item in found.items():
            self._keep(("item", item_id), item, into)
        return found

    def _items(
        self, kind: str, ids: Collection[str], ask: Callable[[Sequence[str]], Mapping[str, Item]]
    ) -> Mapping[str, Item]:
        into = self._kept
        kept = {one: self._recall((kind, one)) for one in ids}
        found = {one: item for one, item in kept.items() if isinstance(item, Item)}
        missing = [one for one in kept if one not in found]
        asked = ask(missing) if missing else {}
        for item_id, item in asked.items():
            self._keep((kind, item_id), item, into)
        return {**found, **asked}

    def album_tracks(self, album_id: str) -> ListedItems:
        """Return the tracks of an album."""
        return self._listed(("album", album_id), lambda: self._lookups.album_tracks(album_id))

    def playlist_items(self, playlist_id: str) -> ListedItems:
        """Return a playlist in its order."""
        key = ("playlist", playlist_id)
        kept = self._recall(key)
        listed = self._listed(key, lambda: self._lookups.playlist_items(playlist_id))
        if self._playlists is not None:
            self._playlists.listed(playlist_id, listed, is_fresh=listed is not kept)
        return listed

    def contents(self, kind: ItemType, item_id: str) -> ListedItems:
        """Return the tracks of an album or artist, or the next unwatched episodes of a series."""
        return self._listed(
            (UNWATCHED if kind is ItemType.SERIES else "contents", item_id),
            lambda: self._lookups.contents(kind, item_id),
        )

    def selected(self, asked: Selection, seed: str, now: datetime) -> ListedItems:
        """Return what a saved filter matches."""
        return self._looks.list_matches(asked, seed, now)

    def book_parts(self, folder_id: str) -> ListedItems:
        """Return the audiobook parts in a folder."""
        return self._listed(("book_parts", folder_id), lambda: self._lookups.book_parts(folder_id))

    def episodes_from(self, series_id: str, episode_id: str) -> ListedItems:
        """Return an episode and those that follow it."""
        key = ("episodes_from", series_id, episode_id)
        return self._listed(key, lambda: self._lookups.episodes_from(series_id, episode_id))

    def next_up(self) -> ListedItems:
        """Return the next episode of each series begun."""
        return self._listed(("next_up",), self._lookups.next_up)

    def books_begun(self) -> ListedItems:
        """Return the audiobook parts that were heard last."""
        return self._listed(("books_begun",), self._lookups.books_begun)

    def latest_albums(self, count: int) -> ListedItems:
        """Return the newest albums."""
        key = ("latest", str(count))
        return self._listed(key, lambda: self._lookups.latest_albums(count))

    def heard_in_album(self, album_id: str, since: datetime) -> frozenset[str]:
        """Return the tracks of an album that this account really played since then."""
        return self._plays.heard_in_album(self._user_id, album_id, since)

    def albums_heard(self, since: datetime) -> frozenset[str]:
        """Return the albums of which this account really played anything since then."""
        return self._plays.albums_heard(self._user_id, since)

    def _listed(self, key: Key, look_up: Callable[[], ListedItems]) -> ListedItems:
        into, kept = self._kept, self._recall(key)
        if isinstance(kept, ListedItems):
            return kept
        listed = look_up()
        # An incomplete listing is not cached.
        if listed.complete:
            self._keep(key, listed, into)
        return listed

    def _recall(self, key: Key) -> object | None:
        with self._lock:
            until, kept = self._kept.get(key, (0.0, None))
        return kept if self._clock.monotonic() < until else None

    def _keep(self, key: Key, found: object, into: dict[Key, tuple[float, object]]) -> None:
        """Keep what was found; `into` is what was kept before it was asked.

        That is nobody's any more if something changed meanwhile.
        """
        with self._lock:
            while len(into) >= MOST_KEPT:
                del into[next(iter(into))]
            into[key] = (self._clock.monotonic() + KEPT_FOR_S, found)
