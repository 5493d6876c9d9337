"""Looks what there is to tell each person, and sends it: one message for all that is due.

    devices, activity, problems, questions ──▶ conditions ──▶ domain.notifications ──▶ messenger

A message that no service takes is tried again, later each time, and meanwhile grows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from threading import Event
from types import MappingProxyType

from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.config.zones import load_zone
from sidecar.domain.notifications.notifications import (
    Condition,
    Memory,
    NotificationKind,
    choose_due,
    look,
    name_week,
    note_told,
    pass_over,
)
from sidecar.domain.transfers.network import find_quiet_end
from sidecar.messages import Size, as_sentence, counted, listed, msg
from sidecar.outgoing import messenger
from sidecar.process.threads import attempt, run_periodically
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import NEW
from sidecar.services.devices.views import DeviceView
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.services.notifications.notice_board import NoticeBoard, concerns_space
from sidecar.services.notifications.preferences import NotificationPreferences, name_address, send
from sidecar.services.notifications.push import BrowserPush
from sidecar.store.downloads.activity import Happening
from sidecar.store.downloads.queries import DeviceState, DownloadQueries
from sidecar.store.notifications import NotificationStore

log = logging.getLogger(__name__)

EVERY_S = 30.0
FIRST_PAUSE_S = 120.0
LONGEST_PAUSE_S = 6 * 3600.0
TITLE = "Jellyfin Sidecar"
# The codes of problems that mean that a device is full: what a write met, what its plan found.
FULL = frozenset({"full", "budget", "too-big", "over", "no-room"})
# Where a browser that is told of one kind goes when it is clicked, from the home page on.
PAGES = MappingProxyType(
    {
        NotificationKind.READY: "devices",
        NotificationKind.FULL: "devices",
        NotificationKind.QUESTION: "",
        NotificationKind.FAILED: "downloads?tab=failed",
        NotificationKind.SERVER: "",
        NotificationKind.SIGN_IN: "",
        NotificationKind.BACKUP: "admin",
        NotificationKind.WEEKLY: "activity",
    }
)
# Says a message in a language.
Translate = Callable[[str, str], str]


@dataclass(slots=True)
class _Pause:
    """When a person's message is tried again that nobody took."""

    until: float
    lasts_s: float


class Notifier:
    """Tells people what happened; one thread calls `step`."""

    def __init__(
        self,
        *,
        preferences: NotificationPreferences,
        push: BrowserPush,
        store: NotificationStore,
        accounts: AccountService,
        devices: Callable[[Person], Sequence[DeviceView]],
        downloads: DownloadQueries,
        problems: Problems,
        board: NoticeBoard,
        settings: Callable[[], Settings],
        translate: Translate,
        clock: Clock,
    ) -> None:
        self._preferences = preferences
        self._push = push
        self._store = store
        self._accounts = accounts
        self._devices = devices
        self._downloads = downloads
        self._problems = problems
        self._board = board
        self._settings = settings
        self._translate = translate
        self._clock = clock
        self._pauses: dict[str, _Pause] = {}

    def run(self, stop: Event) -> None:
        """Look every half minute until `stop` is set."""
        rest = partial(self._clock.wait, stop, EVERY_S)
        run_periodically(partial(self.step, stop), stop, rest, "the notifications")

    def step(self, stop: Event | None = None) -> None:
        """Tell everybody what is due."""
        for account in self._accounts.all():
            if stop is not None and stop.is_set():
                return
            if self._preferences.is_told(account.user_id):
                person = Person(account.user_id, account.name, account.is_admin)
                attempt(partial(self._tell, person), "a notification")

    def test(self, person: Person) -> Sequence[str]:
        """Send a test; return the names of the services that did not take it.

        Raises:
            NotificationRefused: There is no address, or one was sent a moment ago.
        """
        language = self._preferences.chosen(person.user_id).language
        body = self._translate(msg("This is a test: notifications arrive here."), language)
        return self._preferences.test(person, TITLE, body)

    def conditions(self, person: Person, memory: Memory) -> list[Condition]:
        """Return everything that there is to tell this person."""
        devices = [one for one in self._devices(person) if not one.id.startswith(NEW)]
        start = memory.marks.get("", 0)
        found = [*self._of_devices(person, devices, memory, int(start))]
        failed = self._store.failed(person.user_id, int(memory.marks.get("failed", start)))
        if failed.files:
            text = counted(
                "{count} file could not be downloaded",
                "{count} files could not be downloaded",
                failed.files,
            )
            found.append(Condition("failed", NotificationKind.FAILED, text, failed.newest))
        for one in self._board.questions(person):
            if one.may_answer:
                key = f"question:{one.subject}:{one.device_id}"
                found.append(Condition(key, NotificationKind.QUESTION, one.text))
        found += self._of_problems(person)
        found += self._of_week(person, memory)
        return found

    def _tell(self, person: Person) -> None:
        now, before = self._clock.now(), self._preferences.memory(person.user_id)
        chosen = self._preferences.chosen(person.user_id)
        present = self.conditions(person, before)
        memory = pass_over(look(before, present, now), present, chosen.kinds)
        zone = load_zone(self._settings().network.time_zone)
        due = choose_due(memory, present, chosen.kinds, now)
        if due and find_quiet_end(chosen.quiet, now, zone) is None and self._may_try(person):
            lines = [self._translate(as_sentence(one.text), chosen.language) for one in due]
            kinds = {one.kind for one in due}
            path = PAGES[kinds.pop()] if len(kinds) == 1 else ""
            if self._send(person, "\n".join(lines), path):
                memory = note_told(memory, due, now)
        if memory != before:
            self._preferences.remember(person.user_id, memory)

    def _may_try(self, person: Person) -> bool:
        pause = self._pauses.get(person.user_id)
        return pause is None or self._clock.monotonic() >= pause.until

    def _send(self, person: Person, body: str, path: str) -> bool:
        can_send = messenger.is_installed()
        addresses = self._preferences.addresses(person.user_id) if can_send else []
        browsers = self._push.send(person.user_id, TITLE, body, path)
        taken = [send(person, one, TITLE, body) for one in addresses]
        lost = [name_address(one) for one, ok in zip(addresses, taken, strict=True) if not ok]
        if lost:
            log.warning("a notification for %s was not taken by %s", person.name, listed(lost))
        if any((*taken, *browsers)):
            self._pauses.pop(person.user_id, None)
            return True
        before = self._pauses.get(person.user_id)
        lasts_s = min(before.lasts_s * 2, LONGEST_PAUSE_S) if before else FIRST_PAUSE_S
        self._pauses[person.user_id] = _Pause(self._clock.monotonic() + lasts_s, lasts_s)
        return False

    def _of_devices(
        self, person: Person, devices: Sequence[DeviceView], memory: Memory, start: int
    ) -> Iterator[Condition]:
        states = self._downloads.by_device(person.user_id)
        plans = self._problems.all_of(ProblemKind.ROOM)
        troubles = self._problems.all_of(ProblemKind.DEVICE)
        for one in devices:
            key = f"ready:{one.id}"
            came = self._store.came(person.user_id, one.id, int(memory.marks.get(key, start)))
            if came.files and not states.get(one.id, DeviceState({})).on_the_way:
                text = counted(
                    "{count} new file is on {device}, and no more is on the way",
                    "{count} new files are on {device}, and no more are on the way",
                    came.files,
                    device=one.name,
                )
                yield Condition(key, NotificationKind.READY, text, came.newest)
            if not concerns_space(one, states):
                continue
            for problem in (troubles.get(one.id), plans.get(one.id)):
                if problem is not None and problem.code in FULL:
                    yield Condition(f"full:{one.id}", NotificationKind.FULL, problem.text)
                    break

    def _of_problems(self, person: Person) -> Iterator[Condition]:
        for problem in self._problems.known_of(ProblemKind.SERVER).values():
            yield Condition(f"server:{problem.code}", NotificationKind.SERVER, problem.text)
        for user_id, problem in self._problems.known_of(ProblemKind.ACCOUNT).items():
            if person.may_see(user_id):
                key = f"account:{user_id}:{problem.code}"
                yield Condition(key, NotificationKind.SIGN_IN, problem.text)
        if person.is_admin:
            for problem in self._problems.known_of(ProblemKind.BACKUP).values():
                yield Condition("backup", NotificationKind.BACKUP, problem.text)

    def _of_week(self, person: Person, memory: Memory) -> Iterator[Condition]:
        now, zone = self._clock.now(), load_zone(self._settings().network.time_zone)
        week = name_week(now, zone)
        told = memory.marks.get("week")
        if told == week:
            return
        found = self._store.lately(person.user_id, now - timedelta(days=7))
        came, went = found.get(Happening.CAME), found.get(Happening.WENT)
        text = msg(
            "The last seven days: {came} files came ({size}), {went} went, {failed} failed",
            came=came.files if came else 0,
            size=Size(came.bytes if came else 0),
            went=went.files if went else 0,
            failed=found[Happening.FAILED].files if Happening.FAILED in found else 0,
        )
        yield Condition("week", NotificationKind.WEEKLY, text, week)
