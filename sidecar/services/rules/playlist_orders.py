"""Learns the order and the name of an account's chosen playlists, where they are listed anyway.

    listed, another order ─▶ remembered                     (no further request)
    listed, the same      ─▶ asked for itself: its name now
    not listed, not whole ─▶ asked for itself: there, or said not to be; twice said, it is gone

A listing that failed or is not whole changes no order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from sidecar.clock import Clock
from sidecar.domain.items.item import Item
from sidecar.domain.rules.library import Listed
from sidecar.errors import JellyfinError, NotFound
from sidecar.store.rules.playlist_orders import PlaylistOrders

log = logging.getLogger(__name__)

SURE_AFTER = timedelta(hours=1)


class PlaylistOrderTracker:
    """Learns for one account. One thread tells it."""

    def __init__(
        self, item: Callable[[str], Item], orders: PlaylistOrders, user_id: str, clock: Clock
    ) -> None:
        """Prepare.

        Args:
            item: Asks the server for one item, as the account sees it.
            orders: Remembers.
            user_id: Whose playlists.
            clock: For how long a playlist has been missing.
        """
        self._item = item
        self._orders = orders
        self._user_id = user_id
        self._clock = clock

    def listed(self, playlist_id: str, listed: Listed, *, is_fresh: bool) -> None:
        """Take what is on a playlist; one that nobody chose is passed over.

        Args:
            playlist_id: Which.
            listed: What the server said.
            is_fresh: Whether it said so just now. Else nothing further is asked.
        """
        if not self._orders.is_chosen(self._user_id, playlist_id):
            return
        if listed.complete:
            order = [one.id for one in listed.items if one.is_playable]
            if self._orders.learn(self._user_id, playlist_id, order):
                return
        if is_fresh:
            self._ask(playlist_id)

    def _ask(self, playlist_id: str) -> None:
        try:
            playlist = self._item(playlist_id)
        except NotFound:
            now = self._clock.now()
            if self._orders.record_missing(self._user_id, playlist_id, now, sure_after=SURE_AFTER):
                log.info("the playlist %s is gone from the server", playlist_id)
        except JellyfinError as trouble:
            log.info("the playlist %s cannot be asked for now: %s", playlist_id, trouble)
        else:
            self._orders.record_seen(self._user_id, playlist_id, playlist.title)
