"""Refreshes the rights of each account from Jellyfin.

    every 45 s, for each account that is signed in: /Users/Me
        token refused, or account disabled ─▶ signed out
        admin or download right changed ────▶ stored, holds from now on
        outside its hours ──────────────────▶ its work waits until Jellyfin answers it again
        rights to see changed ──────────────▶ what it holds is looked for (`hidden_files`)

A server that is away changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from threading import Event

from sidecar.clock import Clock
from sidecar.errors import JellyfinError, OutsideHours, SignedOut
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.models import Policy
from sidecar.process.threads import run_periodically
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.health.jellyfin_status import JellyfinStatus
from sidecar.store.accounts.accounts import Account

log = logging.getLogger(__name__)

EVERY_S = 45.0


class PermissionRefresh:
    """Refreshes the rights of all accounts periodically, in one thread."""

    def __init__(
        self,
        accounts: AccountService,
        server: JellyfinStatus,
        clock: Clock,
        *,
        whose: Callable[[], Iterable[Account]] | None = None,
        look: Callable[[Jellyfin, Policy], object] = lambda _client, _policy: None,
    ) -> None:
        """Prepare.

        Args:
            accounts: Told what Jellyfin lets each account do.
            server: Takes the errors of asking Jellyfin.
            clock: For the rests between two looks.
            whose: Returns whose rights are refreshed; all who are signed in unless given.
            look: Called with each account's client and rights; it may raise.
        """
        self._accounts = accounts
        self._whose = whose or accounts.signed_in
        self._server = server
        self._look = look
        self._clock = clock

    def run(self, stop: Event) -> None:
        """Refresh every 45 seconds until `stop` is set."""
        rest = partial(self._clock.wait, stop, EVERY_S)
        rest()
        run_periodically(partial(self.step, stop), stop, rest, "the look at the accounts")

    def step(self, stop: Event | None = None) -> None:
        """Refresh each account once."""
        for account in self._whose():
            if stop is not None and stop.is_set():
                return
            if self._server.is_there:
                self.look_at(account)

    def look_at(self, account: Account) -> None:
        """Refresh the rights of one account."""
        try:
            client = self._accounts.client(account.user_id)
        except SignedOut:
            return
        try:
            policy = client.me().policy
        except SignedOut:
            self._accounts.signed_out(client)
            return
        except OutsideHours:
            self._accounts.outside_hours(account.user_id)
            return
        except JellyfinError as trouble:
            self._server.tell(trouble)
            return
        self._accounts.within_hours(account.user_id)
        if policy.is_disabled:
            self._accounts.signed_out(client)
            return
        self._accounts.note_rights(account.user_id, policy)
        try:
            self._look(client, policy)
        except JellyfinError as trouble:
            self._server.tell(trouble)
