"""What one account has a heart on: believed from what Jellyfin tells and what we look up.

`domain.rules.favourite_state` decides whose word a change is; this remembers it, knows what
plays, and says the
word again that Jellyfin forgot. It wishes for nothing: `services.rules.favourites` does.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Protocol

from sidecar.clock import Clock
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.rules.favourite_state import (
    NEVER,
    FavouriteState,
    confirm_restore,
    on_event,
    on_lookup,
)
from sidecar.jellyfin.live.events import UserDataEntry
from sidecar.store.rules.favourites import FavouriteStates

log = logging.getLogger(__name__)

# The server tells of a start or stop half a second after it; the session tells at once.
PLAYBACK_NEWS_S = 1.5
# A client reports the end of a track twice; the word must not come between the two.
REST_AFTER_STOP_S = 3.0


class FavouritesClient(Protocol):
    """The part of a Jellyfin client that is asked about hearts, and told."""

    def items(self, ids: Iterable[str]) -> dict[str, Item]:
        """Look items up."""

    def set_favourite(self, item_id: str, *, value: bool) -> bool:
        """Press a heart or take it away."""


class AccountFavourites:
    """The hearts of one account. Used by one thread."""

    def __init__(self, user_id: str, hearts: FavouriteStates, clock: Clock) -> None:
        self._user_id = user_id
        self._hearts = hearts
        self._clock = clock
        self._playing: frozenset[str] = frozenset()
        self._turned: dict[str, float] = {}
        self._awaited: set[str] = set()

    def plays(self, item_ids: Iterable[str]) -> None:
        """Note all that the account plays now, in any client."""
        playing = frozenset(item_ids)
        now = self._clock.monotonic()
        for item_id in playing ^ self._playing:
            self._turned[item_id] = now
            self._awaited.add(item_id)
        self._playing = playing
        for item_id in [one for one, at in self._turned.items() if now - at > REST_AFTER_STOP_S]:
            del self._turned[item_id]
            self._awaited.discard(item_id)

    def hear(self, entry: UserDataEntry) -> bool | None:
        """Take what the server told of one item; return the person's new word, None if the old."""
        before = self._hearts.get(self._user_id, entry.item_id)
        after = on_event(
            before,
            value=entry.is_favorite,
            with_playback=self._is_playback_news(entry.item_id),
            playing=entry.item_id in self._playing,
        )
        return self._believe(entry.item_id, None, before, after)

    def look_up(self, item: Item) -> bool | None:
        """Take what a look-up gave; return the person's new word, None if it is the old one."""
        if item.is_favorite is None:
            return None
        before = self._hearts.get(self._user_id, item.id)
        after = on_lookup(before, value=item.is_favorite, playing=item.id in self._playing)
        return self._believe(item.id, item.type, before, after)

    def favourites(self) -> Mapping[str, ItemType]:
        """Return the items that the account has a heart on, by our belief."""
        return self._hearts.favourites(self._user_id)

    def heal(self, client: FavouritesClient) -> None:
        """Look at every word in doubt whose item no longer plays; say again what was forgotten.

        Raises:
            errors.JellyfinError: It will be tried again the next time.
        """
        now = self._clock.monotonic()
        quiet = [
            item_id
            for item_id in self._hearts.list_in_doubt(self._user_id)
            if item_id not in self._playing
            and now - self._turned.get(item_id, -REST_AFTER_STOP_S) >= REST_AFTER_STOP_S
        ]
        if not quiet:
            return
        for item in client.items(quiet).values():
            self.look_up(item)
            heart = self._hearts.get(self._user_id, item.id)
            if heart is not None and heart.restore:
                self._say_again(client, item, heart)

    def _say_again(self, client: FavouritesClient, item: Item, heart: FavouriteState) -> None:
        client.set_favourite(item.id, value=heart.is_favorite)
        self._hearts.save(self._user_id, item.id, item.type, confirm_restore(heart))
        log.info(
            "Jellyfin had forgotten that a heart was %s %r while it played: set again",
            "pressed on" if heart.is_favorite else "taken from",
            item.title,
        )

    def _is_playback_news(self, item_id: str) -> bool:
        """One start or stop brings one message: what comes after it is the person's."""
        turned = self._turned.get(item_id)
        if item_id not in self._awaited or turned is None:
            return False
        self._awaited.discard(item_id)
        return self._clock.monotonic() - turned <= PLAYBACK_NEWS_S

    def _believe(
        self,
        item_id: str,
        item_type: ItemType | None,
        before: FavouriteState | None,
        after: FavouriteState,
    ) -> bool | None:
        if after == (before or NEVER):
            return None
        if after == NEVER:
            self._hearts.forget(self._user_id, item_id)
        else:
            self._hearts.save(self._user_id, item_id, item_type, after)
        was = before or NEVER
        return after.is_favorite if after.is_favorite != was.is_favorite else None
