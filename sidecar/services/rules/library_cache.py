"""The library that rules look things up in: asked of Jellyfin, remembered for a few minutes.

rule ──▶ AccountLibrary ──▶ Lookups, Jellyfin.items      (what is in the library)
                       └──▶ Plays                        (what was really heard)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Protocol

from sidecar.clock import Clock
from sidecar.domain.items.item import Item
from sidecar.domain.rules.library import Library, Listed
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.lookups import Lookups

KEPT_FOR_S = 300.0
MOST_KEPT = 2000

Key = tuple[str, ...]
# What a person's own listening changes.
LISTENING = frozenset({"next_up", "episodes_from", "books_begun", "book_parts", "item"})


class HeardPlays(Protocol):
    """What was really heard, by everybody."""

    def heard_in_album(self, user_id: str, album_id: str, since: datetime) -> frozenset[str]:
        """Return the tracks of an album of which a play counts since then."""

    def albums_heard(self, user_id: str, since: datetime) -> frozenset[str]:
        """Return the albums of which any play counts since then."""


class OnPlaylist(Protocol):
    """Takes what is on a playlist."""

    def __call__(self, playlist_id: str, listed: Listed, *, is_fresh: bool) -> object:
        """Take it; `is_fresh` if the server was asked for it just now."""


class LibraryOfAccount(Library, Protocol):
    """What the rules of one account look things up in, as whoever runs them needs it."""

    def forget(self) -> None:
        """The library has changed: look everything up again. For any thread."""

    def forget_listening(self) -> None:
        """Something was heard or seen: look up again what depends on that. For any thread."""

    def describe(self, ids: Sequence[str]) -> dict[str, Item]:
        """Return full items for the queue."""


class CachedLibrary:
    """The library as one account sees it: `domain.rules.library.Library`. One thread looks up."""

    def __init__(
        self,
        client: Jellyfin,
        plays: HeardPlays,
        user_id: str,
        clock: Clock,
        *,
        on_playlist: OnPlaylist | None = None,
    ) -> None:
        """Prepare.

        Args:
            client: The account's.
            plays: What was really heard.
            user_id: Whose library.
            clock: For how long anything is remembered.
            on_playlist: Told what is on a playlist whenever a rule looks it up.
        """
        self._client = client
        self._lookups = Lookups(client)
        self._plays = plays
        self._user_id = user_id
        self._clock = clock
        self._on_playlist = on_playlist
        self._lock = Lock()
        self._kept: dict[Key, tuple[float, object]] = {}

    def forget(self) -> None:
        """The library has changed: look everything up again. For any thread."""
        with self._lock:
            self._kept.clear()

    def forget_listening(self) -> None:
        """Something was heard or seen: look up again what depends on that. For any thread."""
        with self._lock:
            self._kept = {key: it for key, it in self._kept.items() if key[0] not in LISTENING}

    def items(self, ids: Collection[str]) -> Mapping[str, Item]:
        """Return items by their ids, with their sizes."""
        kept = {one: self._recall(("item", one)) for one in ids}
        found = {one: item for one, item in kept.items() if isinstance(item, Item)}
        missing = [one for one in kept if one not in found]
        asked = self._client.items(missing) if missing else {}
        for item_id, item in asked.items():
            self._keep(("item", item_id), item)
        return found | asked

    def describe(self, ids: Sequence[str]) -> dict[str, Item]:
        """Return full items for the queue, without asking twice for what was just looked up."""
        return dict(self.items(ids))

    def album_tracks(self, album_id: str) -> Listed:
        """Return the tracks of an album."""
        return self._listed(("album", album_id), lambda: self._lookups.album_tracks(album_id))

    def playlist_items(self, playlist_id: str) -> Listed:
        """Return a playlist in its order."""
        key = ("playlist", playlist_id)
        kept = self._recall(key)
        listed = self._listed(key, lambda: self._lookups.playlist_items(playlist_id))
        if self._on_playlist is not None:
            self._on_playlist(playlist_id, listed, is_fresh=listed is not kept)
        return listed

    def book_parts(self, folder_id: str) -> Listed:
        """Return the audiobook parts in a folder."""
        return self._listed(("book_parts", folder_id), lambda: self._lookups.book_parts(folder_id))

    def episodes_from(self, series_id: str, episode_id: str) -> Listed:
        """Return an episode and those that follow it."""
        key = ("episodes_from", series_id, episode_id)
        return self._listed(key, lambda: self._lookups.episodes_from(series_id, episode_id))

    def next_up(self) -> Listed:
        """Return the next episode of each series begun."""
        return self._listed(("next_up",), self._lookups.next_up)

    def books_begun(self) -> Listed:
        """Return the audiobook parts heard last."""
        return self._listed(("books_begun",), self._lookups.books_begun)

    def latest_albums(self, count: int) -> Listed:
        """Return the newest albums."""
        key = ("latest", str(count))
        return self._listed(key, lambda: self._lookups.latest_albums(count))

    def heard_in_album(self, album_id: str, since: datetime) -> frozenset[str]:
        """Return the tracks of an album that this account really played since then."""
        return self._plays.heard_in_album(self._user_id, album_id, since)

    def albums_heard(self, since: datetime) -> frozenset[str]:
        """Return the albums of which this account really played anything since then."""
        return self._plays.albums_heard(self._user_id, since)

    def _listed(self, key: Key, look_up: Callable[[], Listed]) -> Listed:
        kept = self._recall(key)
        if isinstance(kept, Listed):
            return kept
        listed = look_up()
        # What could not be seen as a whole is looked at again the next time.
        if listed.complete:
            self._keep(key, listed)
        return listed

    def _recall(self, key: Key) -> object | None:
        with self._lock:
            until, kept = self._kept.get(key, (0.0, None))
        return kept if self._clock.monotonic() < until else None

    def _keep(self, key: Key, found: object) -> None:
        with self._lock:
            while len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = (self._clock.monotonic() + KEPT_FOR_S, found)
