"""Starts and stops the threads of each signed-in account: listeners to Jellyfin, and followers.

    listener-ann, sessions-ann ──news──▶ hearts-ann, rules-ann ──wishes──▶ WishService
                               └───────▶ identity-ann: first finds items whose ids have changed

Accounts may sign in and out at any time, on the page or from the command line.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from threading import Event, Lock
from typing import Protocol

from sidecar.clock import Clock
from sidecar.domain.playback.sessions import StaleSessions
from sidecar.domain.rules import favourites
from sidecar.domain.rules.context import Wake
from sidecar.domain.rules.favourites import FavouritesSettings
from sidecar.errors import JellyfinError, OutsideHours, SidecarError, SignedOut
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.live.events import News, SessionsNews, SessionsUnavailable, TokenRefused
from sidecar.jellyfin.live.listener import Listener
from sidecar.process.threads import ThreadGroup, Wakeup
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.health.jellyfin_status import JellyfinStatus
from sidecar.services.health.tasks import TaskKind, Tasks
from sidecar.services.identity.follower import IdentityFollower
from sidecar.services.identity.look import LibraryLook
from sidecar.services.playback.client_messages.acts import Acts
from sidecar.services.playback.tracker import PlaybackTracker
from sidecar.services.rules.favourites.favourites import FavouritesFollower
from sidecar.services.rules.favourites.states import AccountFavourites
from sidecar.services.rules.fill.choices import FillChoices
from sidecar.services.rules.followed_account import FollowedAccount
from sidecar.services.rules.library_cache import CachedLibrary
from sidecar.services.rules.playlist_orders import PlaylistOrderTracker
from sidecar.services.rules.runner import RuleRunner
from sidecar.services.rules.selections.questions import SelectionQuestions
from sidecar.services.rules.settings.settings import RuleSettingsService
from sidecar.services.rules.wishes import WishService
from sidecar.store.accounts.accounts import Account
from sidecar.store.stores import Stores

log = logging.getLogger(__name__)

END_WITHIN_S = 2.0


@dataclass(frozen=True, kw_only=True)
class AccountFollowers:
    """Makes the followers of an account when called, from what all accounts share.

    It keeps the rule runner of each account, so that others can wake it and read its remarks.
    """

    planning: WishService
    registry: DeviceRegistry
    server: JellyfinStatus
    stores: Stores
    book: RuleSettingsService
    looking: LibraryLook
    acts: Acts
    choices: FillChoices
    asking: SelectionQuestions
    clock: Clock
    tasks: Tasks
    _rules_of: dict[str, RuleRunner] = field(default_factory=dict)

    def __call__(self, account: Account, client: Jellyfin, tell: Tell) -> dict[str, Follower]:
        """Return the followers by the names of their threads."""
        may_ask = partial(self.server.may_ask_for, account.user_id)
        identity = IdentityFollower(
            self.looking,
            user_id=account.user_id,
            name=account.name,
            tell=tell,
            is_server_there=may_ask,
            clock=self.clock,
            tasks=self.tasks,
        )

        def is_ready() -> bool:
            return may_ask() and identity.is_settled

        rules = self._rules(account, client, tell, is_ready)
        self._rules_of[account.user_id] = rules
        # First in order to get the news: the others wait until it has checked the item ids.
        made: dict[str, Follower] = {"identity": identity, "rules": rules}
        hearts = self.book.default(favourites.RULE)
        if hearts.enabled:
            made["hearts"] = self._hearts(account, client, hearts, tell, is_ready)
        return made

    def play_ended(self, user_id: str) -> None:
        """Have the rules of an account run again after a play ended."""
        if rules := self._rules_of.get(user_id):
            rules.wake(Wake.PLAY_ENDED)

    def was_filled(self, user_id: str) -> None:
        """Have the rule `fill` of an account run after something was chosen for it."""
        if rules := self._rules_of.get(user_id):
            rules.wake(Wake.FILLING)

    def remarks(self, user_id: str, device_id: str) -> Mapping[str, tuple[str, ...]]:
        """Return the remarks of an account's rules about a device, by rule name."""
        rules = self._rules_of.get(user_id)
        return rules.remarks(device_id) if rules else {}

    def _hearts(
        self,
        account: Account,
        client: Jellyfin,
        settings: FavouritesSettings,
        tell: Tell,
        is_ready: Callable[[], bool],
    ) -> FavouritesFollower:
        return FavouritesFollower(
            self._followed(account, tell, is_ready),
            client,
            hearts=AccountFavourites(account.user_id, self.stores.hearts, self.clock),
            planning=self.planning,
            settings=settings,
            clock=self.clock,
            acts=self.acts,
            tasks=self.tasks,
        )

    def _rules(
        self, account: Account, client: Jellyfin, tell: Tell, is_ready: Callable[[], bool]
    ) -> RuleRunner:
        orders = self.stores.playlist_orders
        learner = PlaylistOrderTracker(client.item, orders, account.user_id, self.clock)
        library = CachedLibrary(
            client, self.stores.plays, account.user_id, self.clock, playlists=learner
        )
        return RuleRunner(
            self._followed(account, tell, is_ready),
            library,
            stores=self.stores,
            planning=self.planning,
            book=self.book,
            clock=self.clock,
            acts=self.acts,
            choices=self.choices,
            asking=self.asking,
            tasks=self.tasks,
        )

    def _followed(
        self, account: Account, tell: Tell, is_ready: Callable[[], bool]
    ) -> FollowedAccount:
        return FollowedAccount(
            user_id=account.user_id,
            name=account.name,
            devices=self.registry.serving,
            tell=tell,
            is_server_there=is_ready,
        )


class Follower(Protocol):
    """Follows one account, in a thread of its own, which waits for its wakeup."""

    @property
    def wakeup(self) -> Wakeup:
        """What the thread waits for."""

    def deliver(self, news: News) -> None:
        """Take news from the listener; returns at once."""

    def look_through_soon(self) -> None:
        """Check everything again soon: a device was attached, or a setting or choice changed."""

    def run_soon(self) -> None:
        """Do soon what is done regularly, although nothing has changed."""

    def run(self, stop: Event) -> None:
        """Work until `stop` is set or the account is signed out."""


Tell = Callable[[JellyfinError], None]
Make = Callable[[Account, Jellyfin, Tell], Mapping[str, Follower]]


@dataclass(frozen=True, slots=True)
class _AccountThread:
    client: Jellyfin
    threads: ThreadGroup
    followers: Mapping[str, Follower]
    signed_in_at: datetime


class AccountThreads:
    """Starts and stops the threads of all accounts. `look` may be called by one thread only."""

    def __init__(
        self,
        *,
        accounts: AccountService,
        make: Make,
        watching: PlaybackTracker,
        server: JellyfinStatus,
        around: Callable[[], AbstractContextManager[object]],
        clock: Clock,
        tasks: Tasks,
        chance: Callable[[], float],
    ) -> None:
        """Prepare; starts no thread.

        Args:
            accounts: Who is signed in.
            watching: Takes what plays now.
            make: Makes the followers of an account, by the names of their threads.
            server: Takes the errors of asking Jellyfin.
            around: Context manager around each thread's work.
            clock: For all waits.
            tasks: Are told what is followed.
            chance: Returns random numbers in [0, 1).
        """
        self._accounts = accounts
        self._make = make
        self._watching = watching
        self._server = server
        self._around = around
        self._clock = clock
        self._tasks = tasks
        self._chance = chance
        self._lock = Lock()
        self._followed: dict[str, _AccountThread] = {}
        self._is_over = False

    def look(self) -> None:
        """Start the threads of accounts that signed in, and stop those of accounts signed out."""
        wanted = {one.user_id: one for one in self._accounts.signed_in()}
        with self._lock:
            followed = dict(self._followed)
        for user_id, one in followed.items():
            account = wanted.get(user_id)
            if account is None or not self._is_current(account, one):
                self._leave(user_id)
        for user_id, account in wanted.items():
            if user_id not in self._followed:
                self._follow(account)

    def look_through_soon(self, user_id: str | None = None) -> None:
        """Have everything checked again for one account, or for all, e.g. after a device came."""
        with self._lock:
            for one, followed in self._followed.items():
                if user_id in {None, one}:
                    for follower in followed.followers.values():
                        follower.look_through_soon()

    def run_soon(self, task: TaskKind, user_id: str) -> None:
        """Have one of the followers of an account do soon what it does regularly."""
        with self._lock:
            if (followed := self._followed.get(user_id)) is not None:
                followed.followers[task].run_soon()

    def end(self) -> None:
        """Stop all threads; none is started afterwards."""
        with self._lock:
            self._is_over = True
            followed, self._followed = self._followed, {}
        for one in followed.values():
            one.threads.ask_to_stop()
        deadline = self._clock.monotonic() + END_WITHIN_S
        for one in followed.values():
            one.threads.stop_all(within_s=max(0.0, deadline - self._clock.monotonic()))

    def _is_current(self, account: Account, followed: _AccountThread) -> bool:
        """Whether the threads of an account ask with the token of its last sign-in."""
        if account.signed_in_at != followed.signed_in_at:
            return False
        try:
            return self._accounts.client(account.user_id) is followed.client
        except SidecarError:
            # It is about to be signed out.
            return True

    def _follow(self, account: Account) -> None:
        try:
            client = self._accounts.client(account.user_id)
        except SidecarError as trouble:
            log.warning("%s cannot be followed: %s", account.name, trouble)
            return
        tell = partial(self._tell, client)
        followers, stale = self._make(account, client, tell), StaleSessions()

        def deliver(news: News) -> None:
            if isinstance(news, TokenRefused):
                tell(SignedOut(news.reason))
                return
            if isinstance(news, SessionsUnavailable):
                tell(news.trouble)
                return
            if isinstance(news, SessionsNews):
                news = SessionsNews(stale.leave_out(news.playing))
                self._watching.tell(account.user_id, news.playing)
            for one in followers.values():
                one.deliver(news)

        listener = Listener(client, deliver, clock=self._clock, chance=self._chance)
        with self._lock:
            if self._is_over:
                return
            threads = ThreadGroup(self._around)
            for name, one in followers.items():
                self._tasks.plan(TaskKind(name), account.user_id)
                threads.add(f"{name}-{account.name}", one.run, one.wakeup)
            threads.add(f"listener-{account.name}", listener.run, listener)
            threads.add(
                f"sessions-{account.name}", listener.second_look.run, listener.second_look.wakeup
            )
            followed = _AccountThread(client, threads, followers, account.signed_in_at)
            self._followed[account.user_id] = followed

    def _leave(self, user_id: str) -> None:
        with self._lock:
            one = self._followed.pop(user_id, None)
        if one is not None:
            one.threads.stop_all(within_s=END_WITHIN_S)
            self._tasks.drop(user_id)
        self._watching.leave(user_id)

    def _tell(self, client: Jellyfin, trouble: JellyfinError) -> None:
        if isinstance(trouble, SignedOut):
            self._accounts.signed_out(client)
        elif isinstance(trouble, OutsideHours):
            self._accounts.outside_hours(client.user_id or "")
        else:
            self._server.tell(trouble)
