"""Stores order and name of the playlists that an account chose, from listings made for the rules.

    order changed        ─▶ stored                              (no further request)
    order unchanged      ─▶ the playlist is requested: its name now
    listing not complete ─▶ the playlist is requested: there, or missing; missing for an hour: gone

An incomplete listing changes no order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from sidecar.clock import Clock
from sidecar.domain.items.item import Item
from sidecar.domain.rules.library import ListedItems
from sidecar.errors import JellyfinError, NotFound
from sidecar.store.rules.playlist_orders import PlaylistOrders

log = logging.getLogger(__name__)

SURE_AFTER = timedelta(hours=1)


class PlaylistOrderTracker:
    """Tracks the chosen playlists of one account. Used by one thread."""

    def __init__(
        self, item: Callable[[str], Item], orders: PlaylistOrders, user_id: str, clock: Clock
    ) -> None:
        """Prepare.

        Args:
            item: Requests one item from the server, as the account sees it.
            orders: Stores orders and names.
            user_id: The account.
            clock: To measure for how long a playlist has been missing.
        """
        self._item = item
        self._orders = orders
        self._user_id = user_id
        self._clock = clock

    def listed(self, playlist_id: str, listed: ListedItems, *, is_fresh: bool) -> None:
        """Take the contents of a playlist; ignored unless the account chose it.

        Args:
            playlist_id: The playlist.
            listed: Its contents.
            is_fresh: Whether they come from the server just now; if not, no request is made.
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
