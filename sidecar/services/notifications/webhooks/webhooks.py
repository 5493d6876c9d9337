"""The webhooks of this sidecar: their sealed addresses and secrets, what waits, what came of it.

    bus, any thread ──▶ heard ──▶ one thread: bodies ──▶ a queue for each webhook ──▶ POST
                                                              ▲  later each time ──┘ lost

What waits is kept in memory only, and bounded. An address is never shown again, as it may be a
secret by itself; only its host is. Admins alone set them up: they may be inside the network.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from threading import Event, Lock
from uuid import uuid4

from pydantic import SecretStr

from sidecar import __version__
from sidecar.clock import Clock
from sidecar.domain.downloads.download import Status
from sidecar.domain.notifications.webhooks import (
    MOST_HOOKS,
    MOST_TRIES,
    MOST_WAITING,
    SIGNATURE_HEADER,
    HookEvent,
    check_url,
    find_events,
    find_pause,
    is_refused_for_good,
    name_host,
    sign,
)
from sidecar.errors import NotVisible, SidecarError, SignedOut
from sidecar.events import Bus, DeviceChanged, DownloadChanged, NoticesChanged
from sidecar.events import Event as News
from sidecar.jellyfin.tokens import TokenBox
from sidecar.messages import msg
from sidecar.outgoing import webhook
from sidecar.outgoing.webhook import Outcome
from sidecar.process.threads import LOOK_ANYWAY_S, Wakeup, run_when_woken
from sidecar.services.devices.registry import LOOKING
from sidecar.services.health.problems import Problem, ProblemKind, Problems
from sidecar.services.notifications.webhooks.bodies import (
    Data,
    DeviceData,
    DeviceNamed,
    PlainData,
    ProblemData,
    ReadyData,
    describe_download,
    write_body,
)
from sidecar.store.downloads.queries import DeviceState, DownloadQueries
from sidecar.store.meta import Meta

log = logging.getLogger(__name__)

STORED = "webhooks"
LOOK_EVERY_S = 2.0
TEST_EVERY_S = 5.0
# What the bus said and was not looked at yet; a flood loses its oldest.
MOST_HEARD = 2000
DELIVERED_AT_ONCE = 20
OF_STATUS: Mapping[Status | None, HookEvent] = {
    Status.COMPLETED: HookEvent.DOWNLOAD_COMPLETED,
    Status.FAILED: HookEvent.DOWNLOAD_FAILED,
    Status.REMOVED: HookEvent.DOWNLOAD_REMOVED,
}


class WebhookRefused(SidecarError):
    """An address or a choice is refused; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of the last attempt."""

    at: datetime
    event: str
    is_taken: bool
    text: str


@dataclass(slots=True)
class _Delivery:
    event: HookEvent
    id: str
    body: bytes
    tries: int = 0


@dataclass(slots=True)
class _Hook:
    id: str
    url: SecretStr
    secret: SecretStr
    events: frozenset[HookEvent]
    waiting: deque[_Delivery] = field(default_factory=deque)
    failures: int = 0
    not_before: float = 0.0
    lost: int = 0
    last: Result | None = None
    tested_at: float = float("-inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookView:
    """A webhook as admins see it.

    Attributes:
        host: Of its address; the rest is not shown.
        waiting: How many events wait for it.
        lost: How many were given up since the start.
        last: What came of the last attempt since the start; None if there was none.
    """

    id: str
    host: str
    events: frozenset[HookEvent]
    waiting: int
    lost: int
    last: Result | None


class Webhooks:
    """Keeps the webhooks and sends to them. Safe for many threads; one calls `step`."""

    def __init__(
        self,
        *,
        meta: Meta,
        box: TokenBox,
        downloads: DownloadQueries,
        problems: Problems,
        devices: Callable[[], Mapping[str, str]],
        attached: Callable[[], Collection[str]],
        accounts: Callable[[], Mapping[str, str]],
        bus: Bus,
        clock: Clock,
    ) -> None:
        """Prepare.

        Args:
            meta: Where the webhooks are stored, sealed.
            box: Seals them.
            downloads: The downloads.
            problems: The present problems.
            devices: The names of all devices by their ids.
            attached: The ids of those that are attached.
            accounts: The names of all accounts by their ids.
            bus: Tells other processes that they were changed here.
            clock: The time.
        """
        self._meta = meta
        self._box = box
        self._downloads = downloads
        self._problems = problems
        self._devices = devices
        self._attached = attached
        self._accounts = accounts
        self._bus = bus
        self._clock = clock
        self._lock = Lock()
        self.wakeup = Wakeup()
        self._kept: dict[str, _Hook] | None = None
        self._sealed = ""
        self._heard: deque[tuple[datetime, News]] = deque(maxlen=MOST_HEARD)
        self._known_attached: frozenset[str] | None = None
        self._known_problems: dict[tuple[ProblemKind, str], Problem] = {}
        self._came: Counter[str] = Counter()

    # -- set up by admins

    def all(self) -> Sequence[WebhookView]:
        """Return every webhook."""
        with self._lock:
            return [_view(one) for one in self._hooks().values()]

    def add(self, url: SecretStr, events: Collection[HookEvent]) -> tuple[WebhookView, SecretStr]:
        """Add a webhook and return it with its secret, which is not shown again.

        Raises:
            WebhookRefused: The address cannot be used, or there are too many.
        """
        plain = url.get_secret_value().strip()
        if reason := check_url(plain):
            raise WebhookRefused(reason)
        secret = SecretStr(secrets.token_urlsafe(32))
        with self._lock:
            if len(self._hooks()) >= MOST_HOOKS:
                raise WebhookRefused(
                    msg("More than {count} addresses cannot be used", count=MOST_HOOKS)
                )
            made = _Hook(uuid4().hex, SecretStr(plain), secret, _checked(events))
            self._store({**self._hooks(), made.id: made})
        self._tell_of_change()
        return _view(made), secret

    def change(self, hook_id: str, events: Collection[HookEvent]) -> None:
        """Change of what a webhook is told.

        Raises:
            NotVisible: There is none.
        """
        with self._lock:
            self._get(hook_id).events = _checked(events)
            self._store(self._hooks())
        self._tell_of_change()

    def remove(self, hook_id: str) -> None:
        """Remove a webhook and what waits for it.

        Raises:
            NotVisible: There is none.
        """
        with self._lock:
            self._get(hook_id)
            self._store({key: one for key, one in self._hooks().items() if key != hook_id})
        self._tell_of_change()

    def test(self, hook_id: str) -> Result:
        """Send a test at once and return what came of it.

        Raises:
            NotVisible: There is no such webhook.
            WebhookRefused: One was sent a moment ago.
        """
        now = self._clock.monotonic()
        with self._lock:
            hook = self._get(hook_id)
            if now - hook.tested_at < TEST_EVERY_S:
                raise WebhookRefused(msg("A test was sent a moment ago: wait a little"))
            hook.tested_at = now
        data = PlainData(text="This is a test: events arrive here")
        outcome = self._post(hook, self._write(HookEvent.TEST, self._clock.now(), data))
        if outcome.is_taken:
            with self._lock:
                hook.failures, hook.not_before = 0, 0.0
            self.wakeup.set()
        return hook.last or Result(
            self._clock.now(), HookEvent.TEST, outcome.is_taken, outcome.text
        )

    # -- what happens

    def hear(self, news: News) -> None:
        """Note what happened; returns at once, for any thread."""
        if self._kept == {}:
            if isinstance(news, NoticesChanged):
                # It may be that another process has set some up.
                self.wakeup.set()
            return
        if isinstance(news, DownloadChanged | DeviceChanged | NoticesChanged):
            self._heard.append((self._clock.now(), news))
            self.wakeup.set()

    def run(self, stop: Event) -> None:
        """Send what happens until `stop` is set."""
        run_when_woken(
            partial(self.step, stop),
            stop,
            self.wakeup,
            "the webhooks",
            rest_s=self.rest_s,
            wait=self._clock.wait,
        )

    def rest_s(self) -> float:
        """Return for how many seconds nothing is to be sent unless something happens."""
        with self._lock:
            is_waiting = any(hook.waiting for hook in (self._kept or {}).values())
        return LOOK_EVERY_S if is_waiting or self._heard or self._came else LOOK_ANYWAY_S

    def step(self, stop: Event | None = None) -> None:
        """Queue what was heard, and send what is due."""
        with self._lock:
            hooks = tuple(self._hooks().values())
        if not hooks:
            # Whoever is added later is told of what happens from then on.
            self._heard.clear()
            self._came.clear()
            self._known_attached, self._known_problems = None, {}
            return
        for event, at, data in self._take_heard():
            for hook in hooks:
                if event in hook.events:
                    self._queue(hook, self._write(event, at, data))
        for hook in hooks:
            for _ in range(DELIVERED_AT_ONCE):
                if (stop is not None and stop.is_set()) or not self._send_next(hook):
                    break

    def _take_heard(self) -> Iterator[tuple[HookEvent, datetime, Data]]:
        if self._known_attached is None:
            self._known_attached = frozenset(self._attached())
        if not self._heard:
            return
        names, accounts = self._devices(), self._accounts()
        while self._heard:
            at, news = heard = self._heard.popleft()
            try:
                told = [*self._of_one(at, news, names, accounts)]
            except Exception:
                # The database does not answer, say: it is told when it does.
                self._heard.appendleft(heard)
                raise
            yield from told
        yield from self._of_ready(names)

    def _of_one(
        self, at: datetime, news: News, names: Mapping[str, str], accounts: Mapping[str, str]
    ) -> Iterator[tuple[HookEvent, datetime, Data]]:
        if isinstance(news, DownloadChanged):
            yield from self._of_download(at, news, names)
        else:
            yield from self._of_devices(at, names)
            yield from self._of_problems(at, names, accounts)

    def _of_download(
        self, at: datetime, news: DownloadChanged, names: Mapping[str, str]
    ) -> Iterator[tuple[HookEvent, datetime, Data]]:
        event = OF_STATUS.get(news.now)
        if event is None or news.was is news.now:
            return
        found = self._downloads.get(news.download.id) or news.download
        if event is HookEvent.DOWNLOAD_COMPLETED:
            self._came[found.device_id] += 1
        yield event, at, describe_download(found, _named(found.device_id, names))

    def _of_devices(
        self, at: datetime, names: Mapping[str, str]
    ) -> Iterator[tuple[HookEvent, datetime, Data]]:
        before, now = self._known_attached or frozenset(), frozenset(self._attached())
        self._known_attached = now
        for event, ids in (
            (HookEvent.DEVICE_ATTACHED, now - before),
            (HookEvent.DEVICE_DETACHED, before - now),
        ):
            for one in sorted(ids):
                yield event, at, DeviceData(device=_named(one, names))

    def _of_problems(
        self, at: datetime, names: Mapping[str, str], accounts: Mapping[str, str]
    ) -> Iterator[tuple[HookEvent, datetime, Data]]:
        before = self._known_problems
        now = {
            (kind, subject): problem
            for kind in ProblemKind
            for subject, problem in self._problems.known_of(kind).items()
            # Each start has these; nothing is wrong.
            if problem.code != LOOKING
        }
        self._known_problems = now

        def data(key: tuple[ProblemKind, str], problem: Problem) -> ProblemData:
            kind, subject = key
            device = _named(subject, names) if subject in names else None
            return ProblemData(
                kind=kind,
                code=problem.code,
                device=device,
                account=accounts.get(subject) if kind is ProblemKind.ACCOUNT else None,
                text="".join(problem.text),
            )

        for key, problem in before.items():
            if key not in now or now[key].code != problem.code:
                yield HookEvent.PROBLEM_ENDED, at, data(key, problem)
        for key, problem in now.items():
            if key not in before or before[key].code != problem.code:
                yield HookEvent.PROBLEM_BEGAN, at, data(key, problem)

    def _of_ready(self, names: Mapping[str, str]) -> Iterator[tuple[HookEvent, datetime, Data]]:
        if not self._came:
            return
        states = self._downloads.by_device(None)
        for device_id in [*self._came]:
            if not states.get(device_id, DeviceState({})).on_the_way:
                files = self._came.pop(device_id)
                data = ReadyData(device=_named(device_id, names), files=files)
                yield HookEvent.DEVICE_READY, self._clock.now(), data

    # -- sending

    def _write(self, event: HookEvent, at: datetime, data: Data) -> _Delivery:
        event_id = uuid4().hex
        return _Delivery(event, event_id, write_body(event, event_id, at, data))

    def _queue(self, hook: _Hook, delivery: _Delivery) -> None:
        with self._lock:
            if len(hook.waiting) >= MOST_WAITING:
                hook.waiting.popleft()
                hook.lost += 1
            hook.waiting.append(delivery)

    def _send_next(self, hook: _Hook) -> bool:
        """Send the oldest that waits; return whether there may be more to send now."""
        with self._lock:
            # Read at the begin of the step, not for each of many deliveries.
            is_kept = (self._kept or {}).get(hook.id) is hook
            if not is_kept or not hook.waiting or self._clock.monotonic() < hook.not_before:
                return False
            delivery = hook.waiting[0]
        outcome = self._post(hook, delivery)
        delivery.tries += 1
        with self._lock:
            is_over = outcome.is_taken or is_refused_for_good(outcome.status)
            if is_over or delivery.tries >= MOST_TRIES:
                hook.waiting.popleft()
                hook.lost += not outcome.is_taken
            if is_over:
                hook.failures, hook.not_before = 0, 0.0
                return True
            hook.failures += 1
            hook.not_before = self._clock.monotonic() + find_pause(hook.failures)
            is_first = hook.failures == 1
        if is_first:
            log.warning("the webhook at %s takes nothing now", name_host(_plain(hook)))
        return False

    def _post(self, hook: _Hook, delivery: _Delivery) -> Outcome:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"jellyfin-sidecar/{__version__}",
            "X-Sidecar-Event": delivery.event,
            "X-Sidecar-Delivery": delivery.id,
            SIGNATURE_HEADER: sign(hook.secret.get_secret_value(), delivery.body),
        }
        outcome = webhook.post(hook.url, delivery.body, headers)
        with self._lock:
            hook.last = Result(self._clock.now(), delivery.event, outcome.is_taken, outcome.text)
        return outcome

    # -- kept

    def _hooks(self) -> dict[str, _Hook]:
        """Return the webhooks, also those that were set up in another process meanwhile."""
        sealed = self._meta.get(STORED) or ""
        if self._kept is None or sealed != self._sealed:
            before, self._sealed = self._kept or {}, sealed
            self._kept = {}
            for one in self._read(sealed):
                known = self._kept[one.id] = before.get(one.id, one)
                known.events = one.events
        return self._kept

    def _get(self, hook_id: str) -> _Hook:
        found = self._hooks().get(hook_id)
        if found is None:
            raise NotVisible
        return found

    def _read(self, sealed: str) -> list[_Hook]:
        if not sealed:
            return []
        try:
            told = json.loads(self._box.decrypt(sealed.encode()).get_secret_value())
        except SignedOut:
            log.warning("the webhooks cannot be decrypted any more: set them up again")
            return []
        return [
            _Hook(
                one["id"],
                SecretStr(one["url"]),
                SecretStr(one["secret"]),
                find_events(one["events"]),
            )
            for one in told
        ]

    def _tell_of_change(self) -> None:
        """Have whoever sends look at once: what comes or goes from now on is told."""
        self.wakeup.set()
        self._bus.publish(NoticesChanged())

    def _store(self, hooks: dict[str, _Hook]) -> None:
        told = [
            {
                "id": one.id,
                "url": _plain(one),
                "secret": one.secret.get_secret_value(),
                "events": sorted(one.events),
            }
            for one in islice(hooks.values(), MOST_HOOKS)
        ]
        sealed = self._box.encrypt(SecretStr(json.dumps(told))).decode() if told else ""
        self._meta.set(STORED, sealed)
        self._kept, self._sealed = hooks, sealed


def _view(hook: _Hook) -> WebhookView:
    return WebhookView(
        id=hook.id,
        host=name_host(_plain(hook)),
        events=hook.events,
        waiting=len(hook.waiting),
        lost=hook.lost,
        last=hook.last,
    )


def _plain(hook: _Hook) -> str:
    return hook.url.get_secret_value()


def _named(device_id: str, names: Mapping[str, str]) -> DeviceNamed:
    return DeviceNamed(id=device_id, name=names.get(device_id, device_id))


def _checked(events: Collection[HookEvent]) -> frozenset[HookEvent]:
    chosen = find_events(events)
    if not chosen:
        raise WebhookRefused(msg("Choose at least one event"))
    return chosen
