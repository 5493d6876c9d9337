"""Keeps the favourites of one account, and restores those that Jellyfin forgot during playback.

`domain.rules.favourite_state` decides whether a change comes from a person; this stores the state
and knows what plays. `services.rules.favourites` makes wishes of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
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

# The server sends user data half a second after a start or stop; the session changes at once. A
# busy machine is late with both.
PLAYBACK_NEWS_S = 3.0
# The server says what plays up to 1.5 s after it began: a heart may come before that.
SESSIONS_NEWS_S = 5.0
# A client reports the end of a track twice; a favourite must not be set between the two.
REST_AFTER_STOP_S = 3.0


class FavouritesClient(Protocol):
    """The part of a Jellyfin client that reads and sets favourites."""

    def items(self, ids: Iterable[str]) -> dict[str, Item]:
        """Return items by their ids."""

    def set_favourite(self, item_id: str, *, value: bool) -> bool:
        """Set or remove a favourite."""


class AccountFavourites:
    """The favourites of one account. Used by one thread."""

    def __init__(self, user_id: str, hearts: FavouriteStates, clock: Clock) -> None:
        self._user_id = user_id
        self._hearts = hearts
        self._clock = clock
        self._playing: frozenset[str] = frozenset()
        self._turned: dict[str, float] = {}
        self._awaited: set[str] = set()
        self._changed: dict[str, float] = {}

    def plays(self, item_ids: Iterable[str], at: float | None = None) -> None:
        """Note everything that the account played in any client `at` this time, or now."""
        playing = frozenset(item_ids)
        now = self._clock.monotonic() if at is None else at
        self._forget_old_changes(now)
        for item_id in self._changed.keys() & (playing - self._playing):
            self._note_risk(item_id)
        for item_id in playing ^ self._playing:
            self._turned[item_id] = now
            self._awaited.add(item_id)
        self._playing = playing
        for item_id in [one for one, at in self._turned.items() if now - at > REST_AFTER_STOP_S]:
            del self._turned[item_id]
            self._awaited.discard(item_id)

    def hear(self, entry: UserDataEntry, at: float | None = None) -> bool | None:
        """Take a user data event that came `at` this time, or now.

        Returns:
            The new value if a person changed it, else None.
        """
        now = self._clock.monotonic() if at is None else at
        before = self._hearts.get(self._user_id, entry.item_id)
        after = on_event(
            before,
            value=entry.is_favorite,
            with_playback=self._is_playback_news(entry.item_id, now),
            playing=entry.item_id in self._playing,
        )
        return self._believe(entry.item_id, None, before, after)

    def look_up(self, item: Item) -> bool | None:
        """Take a looked-up item; return the new value if a person changed it, else None."""
        if item.is_favorite is None:
            return None
        before = self._hearts.get(self._user_id, item.id)
        after = on_lookup(before, value=item.is_favorite, playing=item.id in self._playing)
        return self._believe(item.id, item.type, before, after)

    def look_up_all(self, items: Iterable[Item]) -> None:
        """Take many looked-up items; their states are read and written all at once."""
        listed = [one for one in items if one.is_favorite is not None]
        before = self._hearts.states(self._user_id) if listed else {}
        changed: dict[str, tuple[ItemType, FavouriteState]] = {}
        now = self._clock.monotonic()
        for item in listed:
            was, value = before.get(item.id), bool(item.is_favorite)
            after = on_lookup(was, value=value, playing=item.id in self._playing)
            if after == (was or NEVER):
                continue
            self._changed[item.id] = now
            if after == NEVER:
                self._hearts.forget(self._user_id, item.id)
            else:
                changed[item.id] = (item.type, after)
        self._hearts.save_all(self._user_id, changed)

    def favourites(self) -> Mapping[str, ItemType]:
        """Return the favourites of the account with their types, as stored here."""
        return self._hearts.favourites(self._user_id)

    def heal(self, client: FavouritesClient, take_news: Callable[[], object]) -> None:
        """Look up doubtful favourites that no longer play, and set those that Jellyfin forgot.

        Args:
            client: Asks Jellyfin.
            take_news: Handles the news that came meanwhile, before each is set: a person may have
                changed it.

        Raises:
            errors.JellyfinError: The next call tries again.
        """
        now = self._clock.monotonic()
        self._forget_old_changes(now)
        quiet = [
            item_id
            for item_id in self._hearts.list_in_doubt(self._user_id)
            if item_id not in self._playing
            and now - self._turned.get(item_id, -REST_AFTER_STOP_S) >= REST_AFTER_STOP_S
        ]
        if not quiet:
            return
        found = client.items(quiet).values()
        for item in found:
            self.look_up(item)
        for item in found:
            take_news()
            heart = self._hearts.get(self._user_id, item.id)
            if heart is not None and heart.restore and item.id not in self._playing:
                self._say_again(client, item, heart)

    def _say_again(self, client: FavouritesClient, item: Item, heart: FavouriteState) -> None:
        client.set_favourite(item.id, value=heart.is_favorite)
        self._hearts.save(self._user_id, item.id, item.type, confirm_restore(heart))
        log.info(
            "Jellyfin had forgotten that a heart was %s %r while it played: set again",
            "pressed on" if heart.is_favorite else "taken from",
            item.title,
        )

    def _note_risk(self, item_id: str) -> None:
        """Note that an item played already when its favourite was changed."""
        state = self._hearts.get(self._user_id, item_id) or NEVER
        self._hearts.save(self._user_id, item_id, None, replace(state, at_risk=True))

    def _forget_old_changes(self, now: float) -> None:
        self._changed = {
            item_id: at for item_id, at in self._changed.items() if now - at <= SESSIONS_NEWS_S
        }

    def _is_playback_news(self, item_id: str, now: float) -> bool:
        """Whether an event is the one that a start or stop causes; later ones are a person's."""
        turned = self._turned.get(item_id)
        if item_id not in self._awaited or turned is None:
            return False
        self._awaited.discard(item_id)
        return now - turned <= PLAYBACK_NEWS_S

    def _believe(
        self,
        item_id: str,
        item_type: ItemType | None,
        before: FavouriteState | None,
        after: FavouriteState,
    ) -> bool | None:
        if after == (before or NEVER):
            return None
        self._changed[item_id] = self._clock.monotonic()
        if after == NEVER:
            self._hearts.forget(self._user_id, item_id)
        else:
            self._hearts.save(self._user_id, item_id, item_type, after)
        was = before or NEVER
        return after.is_favorite if after.is_favorite != was.is_favorite else None
