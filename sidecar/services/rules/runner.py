"""Runs the rules of one account for each of its devices, when what they depend on has changed.

    playback, play ended, library changed, hourly ──▶ due ──step──▶ rule ──▶ WishService

Any number of wakes before a run lead to one run. When Jellyfin does not answer, the rule is tried
again after a minute; until then its holds stay.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from threading import Event, Lock
from typing import Any

from sidecar.clock import Clock
from sidecar.domain.playback.client_messages import ActKind
from sidecar.domain.playback.sessions import NowPlaying
from sidecar.domain.rules import selections
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
from sidecar.process.threads import Wakeup
from sidecar.services.accounts.following import follow, rest_until
from sidecar.services.health.tasks import TaskKind, Tasks
from sidecar.services.playback.client_messages.acts import Acts
from sidecar.services.rules.fill.choices import FillChoices
from sidecar.services.rules.followed_account import FollowedAccount
from sidecar.services.rules.library_cache import LibraryOfAccount
from sidecar.services.rules.now_playing import NowPlayingDebouncer
from sidecar.services.rules.selections.questions import SelectionQuestions
from sidecar.services.rules.settings.settings import RuleSettingsService
from sidecar.services.rules.wishes import WishService
from sidecar.store.stores import Stores

log = logging.getLogger(__name__)

HOUR_S = 3600.0
RETRY_S = 60.0
SETTLE_S = 2.0
LIBRARY_REST_S = 15.0


class RuleRunner:
    """Runs the rules of one account in one thread; any thread may wake it."""

    def __init__(
        self,
        account: FollowedAccount,
        library: LibraryOfAccount,
        *,
        stores: Stores,
        planning: WishService,
        book: RuleSettingsService,
        clock: Clock,
        acts: Acts,
        choices: FillChoices,
        asking: SelectionQuestions,
        tasks: Tasks,
        rules: Iterable[ComputedRule[Any]] = COMPUTED_RULES,
    ) -> None:
        """Prepare; sends no request, and every rule is due.

        Args:
            account: Whose rules.
            library: The library as the account sees it.
            stores: The holds, and the playlists that people chose.
            planning: Takes the wishes.
            book: The settings of each rule on each device.
            clock: For all waits.
            acts: Is told of the playlists that the account changes.
            choices: What was chosen to fill the devices.
            asking: Learns what saved filters match.
            tasks: Are told of the runs of all rules.
            rules: All rules, the most urgent first.
        """
        self._tasks = tasks
        self._selections = stores.selections
        self._asking = asking
        self._acts = acts
        self._choices = choices
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
        self.wakeup = Wakeup()
        self._lock = Lock()
        self._due = dict.fromkeys(self._rules, clock.monotonic())
        # When all of them run again, whatever has woken them meanwhile.
        self._all_due = clock.monotonic()
        self._library_at = -math.inf
        self._waits_for: dict[str, str] = {}
        self._remarks: dict[tuple[str, str], tuple[str, ...]] = {}

    # For any thread; returns at once

    def wake(self, why: Wake) -> None:
        """Have the rules run again that depend on this kind of change."""
        at = self._clock.monotonic()
        if why is Wake.PLAY_ENDED:
            self._library.forget_listening()
        if why is Wake.LIBRARY:
            self._library.forget()
            # A library scan sends many events, and the look-ups are expensive.
            at = max(at + SETTLE_S, self._library_at + LIBRARY_REST_S)
        self._wake(why, at)

    def deliver(self, news: News) -> None:
        """Take news from the listener."""
        match news:
            case Connected():
                # Events may have been missed while disconnected.
                self._library.forget()
                self.look_through_soon()
            case SessionsNews(playing=playing):
                self.plays(playing)
            case UserDataChanged(user_id=user_id) if user_id == self._user_id:
                # Something may have been marked as seen without being played.
                self.wake(Wake.PLAY_ENDED)
            case LibraryChanged(updated=updated):
                self._note_changed_playlists(updated)
                self.wake(Wake.LIBRARY)
            case _:
                pass

    def _note_changed_playlists(self, updated: Iterable[str]) -> None:
        titles = self._chosen.titles_of(self._user_id)
        for item_id in titles.keys() & set(updated):
            self._acts.note(self._user_id, ActKind.PLAYLIST, [item_id], titles[item_id])

    def look_through_soon(self) -> None:
        """Have every rule run: a device came, a setting or choice changed, or after a reconnect."""
        with self._lock:
            self._all_due = self._clock.monotonic()
        for why in Wake:
            self._wake(why, self._clock.monotonic())

    run_soon = look_through_soon

    def plays(self, playing: Iterable[NowPlaying]) -> None:
        """Take what plays now in all sessions; only those of the account count."""
        self._playing.tell(one for one in playing if one.user_id == self._user_id)
        self.wakeup.set()

    def remarks(self, device_id: str) -> Mapping[str, tuple[str, ...]]:
        """Return the current remarks of each rule for this account on a device."""
        with self._lock:
            found = {
                rule: texts for (one, rule), texts in self._remarks.items() if one == device_id
            }
        return {rule: texts for rule, texts in found.items() if texts}

    # For the one thread that runs this

    def run(self, stop: Event) -> None:
        """Run due rules until `stop` is set or the account is signed out."""
        what = f"the rules of {self._name}"
        follow(self._go_on, stop, self.wakeup, self.rest_s, what=what, on_failure=self._fail)

    def _go_on(self) -> bool:
        """Run one step; return False if the account is signed out."""
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
        """Return for how many seconds nothing is due unless it is woken."""
        with self._lock:
            due = [self._all_due, *(self._due[one.name] for one in self._ready())]
        next_at = min([self._playing.next_turn(), *due])
        now = self._clock.monotonic()
        return rest_until(next_at, now, is_server_there=self._account.is_server_there())

    def step(self) -> None:
        """Run the rules that are due, the most urgent first.

        Raises:
            SignedOut: The account was signed out.
        """
        if not self._account.is_server_there():
            return
        now = self._clock.monotonic()
        is_of_all = now >= self._all_due
        if is_of_all:
            with self._lock:
                self._all_due = now + HOUR_S
            self._wake(Wake.HOUR, now)
        rule = self._next_due()
        if rule is None:
            return
        if not is_of_all and not self._waits_for:
            self._run_due(rule)
            return
        again_s = self._all_due - now
        with self._tasks.run(
            TaskKind.RULES, self._user_id, again_s=again_s, retry_s=RETRY_S
        ) as run:
            self._run_due(rule)
            for why in self._waits_for.values():
                run.fail(why)

    def _run_due(self, first: ComputedRule[Any]) -> None:
        self._run_or_put_off(first)
        while self._account.is_server_there() and (rule := self._next_due()) is not None:
            self._run_or_put_off(rule)

    def _run_or_put_off(self, rule: ComputedRule[Any]) -> None:
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
        self.wakeup.set()

    def _next_due(self) -> ComputedRule[Any] | None:
        now = self._clock.monotonic()
        if self._playing.turn():
            self._wake(Wake.PLAYBACK, now)
        with self._lock:
            for rule in self._ready():
                if self._due[rule.name] <= now:
                    self._due[rule.name] = math.inf
                    if Wake.LIBRARY in rule.wakes_on:
                        self._library_at = now
                    return rule
        return None

    def _ready(self) -> list[ComputedRule[Any]]:
        """Return the rules that may run: those on playback only once it is known what plays."""
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
                filling=self._choices.of(self._user_id, device_id),
                selections=self._selections.kept(self._user_id, device_id),
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
            self._library.items,
            grace=context.settings.grace,
            unsure_of=wanted.unsure_of,
        )
        if rule.name == selections.NAME:
            # Only now: what a filter matches is believed once its holds follow it.
            self._asking.learn(self._user_id, context.device_id, wanted.matched)
        if queued:
            log.info("%s: %s queued %d for %s", self._name, rule.name, queued, context.device_id)
