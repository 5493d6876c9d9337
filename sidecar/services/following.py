"""Two threads for each signed-in account: one listens, one follows its hearts.

    listener-ann ──news──▶ hearts-ann ──wishes──▶ planning

Accounts come and go while the sidecar runs: on the page, or from the command line.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from sidecar.clock import Clock
from sidecar.config import FavouritesSettings
from sidecar.errors import JellyfinTrouble, SidecarError, SignedOut
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.listener import Listener
from sidecar.jellyfin.news import News, TokenRefused
from sidecar.services.accounts import AccountDesk
from sidecar.services.crew import Crew
from sidecar.services.devices import DeviceShelf
from sidecar.services.favourites import Favourites
from sidecar.services.hearts import AccountHearts
from sidecar.services.planning import Planning
from sidecar.services.server import ServerWatch
from sidecar.store.accounts import Account
from sidecar.store.hearts import Hearts

log = logging.getLogger(__name__)

END_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class _Followed:
    crew: Crew
    favourites: Favourites
    signed_in_at: datetime


class Following:
    """Starts and stops the threads of the accounts. `look` belongs to one thread."""

    def __init__(
        self,
        *,
        accounts: AccountDesk,
        hearts: Hearts,
        planning: Planning,
        shelf: DeviceShelf,
        server: ServerWatch,
        settings: FavouritesSettings,
        around: Callable[[], AbstractContextManager[object]],
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        self._accounts = accounts
        self._hearts = hearts
        self._planning = planning
        self._shelf = shelf
        self._server = server
        self._settings = settings
        self._around = around
        self._clock = clock
        self._chance = chance
        self._lock = Lock()
        self._followed: dict[str, _Followed] = {}
        self._is_over = False

    def look(self) -> None:
        """Follow who has signed in since, and no longer who is signed out."""
        if not self._settings.enabled:
            return
        wanted = {one.user_id: one for one in self._accounts.signed_in()}
        with self._lock:
            followed = dict(self._followed)
        for user_id, one in followed.items():
            account = wanted.get(user_id)
            if account is None or account.signed_in_at != one.signed_in_at:
                self._leave(user_id)
        for user_id, account in wanted.items():
            if user_id not in self._followed:
                self._follow(account)

    def look_through_soon(self) -> None:
        """Have all favourites compared again: a device has come."""
        with self._lock:
            for one in self._followed.values():
                one.favourites.look_through_soon()

    def end(self) -> None:
        """Stop following everybody, for good."""
        with self._lock:
            self._is_over = True
            followed, self._followed = self._followed, {}
        for one in followed.values():
            one.crew.stop.set()
        deadline = self._clock.monotonic() + END_WITHIN_S
        for one in followed.values():
            one.crew.end(within_s=max(0.0, deadline - self._clock.monotonic()))

    def _follow(self, account: Account) -> None:
        try:
            client = self._accounts.client(account.user_id)
        except SidecarError as trouble:
            log.warning("%s cannot be followed: %s", account.name, trouble)
            return
        favourites = Favourites(
            client,
            user_id=account.user_id,
            name=account.name,
            hearts=AccountHearts(account.user_id, self._hearts, self._clock),
            planning=self._planning,
            devices=self._shelf.serving,
            settings=self._settings,
            tell=self._tell,
            is_server_there=lambda: self._server.is_there,
            clock=self._clock,
        )

        def deliver(news: News) -> None:
            if isinstance(news, TokenRefused):
                self._tell(client, SignedOut(news.reason))
            else:
                favourites.deliver(news)

        listener = Listener(client, deliver, clock=self._clock, chance=self._chance)
        with self._lock:
            if self._is_over:
                return
            crew = Crew(self._around)
            crew.add(f"hearts-{account.name}", favourites.run)
            crew.add(f"listener-{account.name}", listener.run)
            self._followed[account.user_id] = _Followed(crew, favourites, account.signed_in_at)

    def _leave(self, user_id: str) -> None:
        with self._lock:
            one = self._followed.pop(user_id, None)
        if one is not None:
            one.crew.end(within_s=END_WITHIN_S)

    def _tell(self, client: Jellyfin, trouble: JellyfinTrouble) -> None:
        if isinstance(trouble, SignedOut):
            self._accounts.signed_out(client)
        else:
            self._server.tell(trouble)
