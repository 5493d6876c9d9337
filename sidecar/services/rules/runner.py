"""Runs the rules of one account for each of its devices, when what they depend on has changed.

    what plays, a play ended, the library changed, the hour ──▶ due ──step──▶ rule ──▶ planning

Waking costs nothing and a hundred wakes are one run. What Jellyfin does not answer is tried again
in a minute, and until then nothing is let go.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from threading import Event, Lock
from typing import Any

from sidecar.clock import Clock
from sidecar.domain.playback.sessions import NowPlaying
from sidecar.domain.rules.context import ComputedRule, Context, Wake, Wanted
from sidecar.domain.rules.registry import COMPUTED_RULES
from sidecar.errors import JellyfinError, SignedOut
from sidecar.jellyfin.live.events import (
    Connected,
    LibraryChanged,
    News,
    SessionsNews,
    UserDataChanged,
)
from sidecar.services.rules.followed_account import FollowedAccount
from sidecar.services.rules.library_cache import LibraryOfAccount
from sidecar.services.rules.now_playing import NowPlayingDebouncer
from sidecar.services.rules.settings import RuleSettingsService
from sidecar.services.rules.wishes import WishService
from sidecar.store.stores import Stores
from sidecar.threads import attempt

log = logging.getLogger(__name__)

HOUR_S = 3600.0
RETRY_S = 60.0
IDLE_S = 1.0
SETTLE_S = 2.0
LIBRARY_REST_S = 15.0


class RuleRunner:
    """The rules of one account. One thread runs it; whatever wakes it may be any thread."""

    def __init__(
        self,
        account: FollowedAccount,
        library: LibraryOfAccount,
        *,
        stores: Stores,
        planning: WishService,
        book: RuleSettingsService,
        clock: Clock,
        rules: Iterable[ComputedRule[Any]] = COMPUTED_RULES,
    ) -> None:
        """Prepare; nothing is asked yet, and every rule is due.

        Args:
            account: Whose rules.
            library: As the account sees it.
            stores: What the rules hold now, and the playlists that people chose.
            planning: Takes the wishes.
            book: What is set of each rule on each device.
            clock: For all waits.
            rules: All of them, the most urgent first.
        """
        self._library = library
        self._account = account
        self._user_id = account.user_id
        self._name = account.name
        self._planning = planning
        self._holds = stores.holds
        self._book = book
        self._chosen = stores.chosen
        self._clock = clock
        self._rules = {one.name: one for one in rules}
        self._playing = NowPlayingDebouncer(clock)
        self._woken = Event()
        self._lock = Lock()
        self._due = dict.fromkeys(self._rules, clock.monotonic())
        self._library_at = -math.inf
        self._waits_for: dict[str, str] = {}
        self._remarks: dict[tuple[str, str], tuple[str, ...]] = {}

    # What wakes it: quick, for any thread

    def wake(self, why: Wake) -> None:
        """Something has happened that may change the mind of some rules."""
        at = self._clock.monotonic()
        if why is Wake.PLAY_ENDED:
            self._library.forget_listening()
        if why is Wake.LIBRARY:
            self._library.forget()
            # A scan tells of its finds again and again; the lists are long.
            at = max(at + SETTLE_S, self._library_at + LIBRARY_REST_S)
        self._wake(why, at)

    def deliver(self, news: News) -> None:
        """Take news from the listener."""
        match news:
            case Connected():
                # Whatever was not told meanwhile.
                self._library.forget()
                self.look_through_soon()
            case SessionsNews(playing=playing):
                self.plays(playing)
            case UserDataChanged(user_id=user_id) if user_id == self._user_id:
                # Something may have been marked as seen without being played.
                self.wake(Wake.PLAY_ENDED)
            case LibraryChanged():
                self.wake(Wake.LIBRARY)
            case _:
                pass

    def look_through_soon(self) -> None:
        """Run every rule: a device has come, a setting or a choice has changed, we are back."""
        for why in Wake:
            self._wake(why, self._clock.monotonic())

    def plays(self, playing: Iterable[NowPlaying]) -> None:
        """Take what plays now, in everybody's clients; only the account's own counts."""
        self._playing.tell(one for one in playing if one.user_id == self._user_id)
        self._woken.set()

    def remarks(self, device_id: str) -> Mapping[str, tuple[str, ...]]:
        """Return what each rule remarks for this account on a device now."""
        with self._lock:
            found = {
                rule: texts for (one, rule), texts in self._remarks.items() if one == device_id
            }
        return {rule: texts for rule, texts in found.items() if texts}

    # What runs it

    def run(self, stop: Event) -> None:
        """Run what is due until `stop` is set or the account is signed out."""
        while not stop.is_set():
            # Cleared before it is looked at what is due: whoever wakes it from now on is heard.
            self._woken.clear()
            if not attempt(self._go_on, f"the rules of {self._name}", self._fail):
                return
            self._woken.wait(self.rest_s())

    def _go_on(self) -> bool:
        """Step; return whether there is anything to go on with."""
        try:
            self.step()
        except SignedOut as trouble:
            self._account.tell(trouble)
            return False
        return True

    def _fail(self) -> bool:
        self._put_off(self._rules)
        return True

    def rest_s(self) -> float:
        """Return how long there is nothing to do unless it is woken."""
        if not self._account.is_server_there():
            return IDLE_S
        with self._lock:
            due = [self._due[one.name] for one in self._ready()]
        next_at = min([self._playing.next_turn(), *due])
        return min(IDLE_S, max(0.0, next_at - self._clock.monotonic()))

    def step(self) -> None:
        """Run the rules that are due, the most urgent first.

        Raises:
            SignedOut: They cannot be run any more.
        """
        while self._account.is_server_there() and (rule := self._next_due()) is not None:
            try:
                self._run(rule)
                self._waits_for.pop(rule.name, None)
            except SignedOut:
                raise
            except JellyfinError as trouble:
                if self._waits_for.get(rule.name) != str(trouble):
                    self._waits_for[rule.name] = str(trouble)
                    log.info("the rule %s of %s waits: %s", rule.name, self._name, trouble)
                self._account.tell(trouble)
                self._put_off([rule.name])

    def _wake(self, why: Wake, at: float) -> None:
        with self._lock:
            for rule in self._rules.values():
                if why in rule.wakes_on:
                    self._due[rule.name] = min(self._due[rule.name], at)
        self._woken.set()

    def _next_due(self) -> ComputedRule[Any] | None:
        now = self._clock.monotonic()
        if self._playing.turn():
            self._wake(Wake.PLAYBACK, now)
        with self._lock:
            for rule in self._ready():
                if self._due[rule.name] <= now:
                    again = HOUR_S if Wake.HOUR in rule.wakes_on else math.inf
                    self._due[rule.name] = now + again
                    if Wake.LIBRARY in rule.wakes_on:
                        self._library_at = now
                    return rule
        return None

    def _ready(self) -> list[ComputedRule[Any]]:
        """Before anybody has told what plays, nothing is known to have stopped."""
        rules = self._rules.values()
        if self._playing.is_known:
            return list(rules)
        return [one for one in rules if Wake.PLAYBACK not in one.wakes_on]

    def _put_off(self, names: Iterable[str]) -> None:
        again = self._clock.monotonic() + RETRY_S
        with self._lock:
            self._due.update((name, min(again, self._due[name])) for name in names)

    def _run(self, rule: ComputedRule[Any]) -> None:
        for device_id in list(self._account.devices(self._name)):
            settings = self._book.of(rule, device_id)
            held = tuple(self._holds.of_rule(self._user_id, device_id, rule.name))
            if not settings.enabled and not held:
                self._remark(rule, device_id, ())
                continue
            context = Context(
                user_id=self._user_id,
                device_id=device_id,
                settings=settings,
                now=self._clock.now(),
                library=self._library,
                playing=self._playing.all(),
                held=held,
                chosen=self._chosen.of(self._user_id, device_id),
            )
            self._plan(rule, context)

    def _remark(self, rule: ComputedRule[Any], device_id: str, texts: tuple[str, ...]) -> None:
        with self._lock:
            self._remarks[device_id, rule.name] = texts

    def _plan(self, rule: ComputedRule[Any], context: Context[Any]) -> None:
        wanted = rule.wishes(context) if context.settings.enabled else Wanted()
        self._remark(rule, context.device_id, wanted.remarks)
        queued = self._planning.replace(
            self._user_id,
            context.device_id,
            rule.name,
            wanted.wishes,
            self._library.describe,
            grace=context.settings.grace,
            unsure_of=wanted.unsure_of,
        )
        if queued:
            log.info("%s: %s queued %d for %s", self._name, rule.name, queued, context.device_id)
