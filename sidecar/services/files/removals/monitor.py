"""Detects files that people removed, moved or changed: the watcher gives hints, scans decide.

    device attached, events lost, every 10 minutes ─▶ scan ┐
    hint from the watcher ─▶ scan within a second or two ──┴▶ few files: recorded after a grace
                                                              many: one question, kept open

A device that is missing, has a problem or is read-only is not scanned. A question stays open until
somebody answers, the files are back, or the device is detached; after a restart it is asked again.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from threading import Event, Lock
from typing import Protocol

from sidecar.clock import Clock
from sidecar.device.watcher import Watcher
from sidecar.domain.files.removals import is_unchanged
from sidecar.errors import DeviceError
from sidecar.events import Bus, DeviceChanged, NoticesChanged
from sidecar.events import Event as News
from sidecar.messages import msg
from sidecar.process.heap import taking_turns
from sidecar.process.threads import LOOK_ANYWAY_S, Wakeup, attempt, run_when_woken
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.files.removals.questions import LostFiles, Question, Questions
from sidecar.services.files.removals.record import RemovalRecorder
from sidecar.services.files.removals.scan import DeviceScan, ScanResult
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.services.health.tasks import TaskKind, Tasks
from sidecar.store.downloads.queue import Downloads

log = logging.getLogger(__name__)

TICK_S = 1.0
RESCAN_S = 600.0
# After a scan that failed.
RETRY_S = 15.0
# Scans after hints take at most about a tenth of the time.
REST_FOR_EACH_S_OF_LOOKING = 10.0
# Problems that concern space only: the files can be scanned.
ONLY_ROOM = frozenset({"full", "budget", "too-big"})


class Watch(Protocol):
    """Watches one folder and calls back when something in it may have changed."""

    def start(self) -> str | None:
        """Start watching; return why it is not possible, or None."""

    def is_watching(self) -> bool:
        """Whether changes are still reported."""

    def stop(self) -> None:
        """Stop watching."""


MakeWatch = Callable[[AttachedDevice, Callable[[], object], Callable[[], object]], Watch]


def watch(device: AttachedDevice, hint: Callable[[], object], lost: Callable[[], object]) -> Watch:
    """Return a watcher of a device's folder that uses the system's file events."""
    return Watcher(device.settings.path, hint=hint, lost=lost)


@dataclass(slots=True)
class _WatchedDevice:
    """An attached device that is being watched.

    Attributes:
        due: When the next scan is due (monotonic seconds).
        rested: Hints are not followed before this time.
        blind: Why the folder cannot be watched; None if it is.
    """

    scan: DeviceScan
    watch: Watch
    due: float
    rested: float
    blind: str | None = None


class RemovalMonitor:
    """Watches all attached devices. One thread runs it; the other methods are thread-safe."""

    def __init__(
        self,
        *,
        downloads: Downloads,
        verdicts: RemovalRecorder,
        registry: DeviceRegistry,
        problems: Problems,
        bus: Bus,
        clock: Clock,
        tasks: Tasks,
        make_watch: MakeWatch = watch,
    ) -> None:
        self._downloads = downloads
        self._verdicts = verdicts
        self._registry = registry
        self._problems = problems
        self._bus = bus
        self._clock = clock
        self._tasks = tasks
        self._make_watch = make_watch
        self._posts: dict[str, _WatchedDevice] = {}
        self._lock = Lock()
        self._hinted: set[str] = set()
        self._urgent: set[str] = set()
        self._questions = Questions(bus)
        self._stop = Event()
        self.wakeup = Wakeup()

    def hear(self, news: News) -> None:
        """Note that a device came or went; a listener for the bus."""
        if isinstance(news, DeviceChanged):
            self.wakeup.set()

    def hint(self, device_id: str) -> None:
        """Have a device scanned soon, because its files may have changed. Returns at once."""
        with self._lock:
            self._hinted.add(device_id)
        self.wakeup.set()

    def rescan(self, device_id: str) -> None:
        """Have a device scanned in the next step, as events may be lost. Returns at once."""
        with self._lock:
            self._urgent.add(device_id)
        self.wakeup.set()

    def lost(self, device_id: str) -> LostFiles | None:
        """Return what people are asked about on a device; None if they are asked nothing."""
        question = self._questions.of(device_id)
        return question.lost if question else None

    def blind(self, device_id: str) -> str | None:
        """Return why a device cannot be watched, only scanned regularly; None if it can be."""
        post = self._posts.get(device_id)
        return post.blind if post else None

    def answer(self, device_id: str, *, gone: bool, asked: Collection[int] | None = None) -> int:
        """Carry out the answer to the open question, for files unchanged since it was asked.

        Args:
            device_id: Which device.
            gone: True if a person removed or changed them: this is recorded. Else all are fetched
                again, beside whatever is in their place now.
            asked: The downloads that people were asked about when they answered: more files may be
                missing since. None for all that they are asked about now.

        Returns:
            How many files it concerned; 0 if there is no open question.

        Raises:
            errors.DeviceError: The device cannot be read; the question stays open.
        """
        question = self._questions.of(device_id)
        if question is None:
            return 0
        device = self._registry.get(device_id)
        answered = question.files.keys() & (question.files if asked is None else asked)
        files = [one for one in self._downloads.queries.files_on(device_id) if one.id in answered]
        seen = device.folder.look(one.path for one in files)
        keeps = device.folder.keeps_numbers
        still = [
            one
            for one in files
            if is_unchanged(seen[one.path], question.files[one.id].seen, keeps_numbers=keeps)
        ]
        if gone:
            fates = [(one, question.files[one.id].fate) for one in still]
            count = self._verdicts.removed(device, fates)
        else:
            count = self._verdicts.put_back(device, still)
        self._questions.close(device_id)
        self.rescan(device_id)
        return count

    def run(self, stop: Event) -> None:
        """Step whenever something may be due until `stop` is set; then stop watching."""
        self._stop = stop
        try:
            what = "watching for removals"
            run_when_woken(
                self.step,
                stop,
                self.wakeup,
                what,
                rest_s=self.rest_s,
                settle_s=TICK_S,
                wait=self._clock.wait,
            )
        finally:
            self.close()

    def rest_s(self) -> float:
        """Return for how many seconds nothing is due unless there is a hint."""
        with self._lock:
            # Not of a device that is not there: it is looked at when it comes.
            is_hinted = not self._posts.keys().isdisjoint(self._hinted | self._urgent)
        now = self._clock.monotonic()
        due = min((post.due for post in self._posts.values()), default=math.inf)
        return TICK_S if is_hinted else min(LOOK_ANYWAY_S, max(TICK_S, due - now))

    def close(self) -> None:
        """Stop watching all devices."""
        for device_id in tuple(self._posts):
            self._leave(device_id)

    def step(self) -> None:
        """Watch newly attached devices, drop detached ones, and run the scans that are due."""
        attached = {one.id: one for one in self._registry.all()}
        for device_id, post in tuple(self._posts.items()):
            if attached.get(device_id) is not post.scan.device:
                self._leave(device_id)
        for device in attached.values():
            attempt(partial(self._watch_over, device), f"watching {device.settings.name}")

    def _watch_over(self, device: AttachedDevice) -> None:
        if device.id not in self._posts:
            self._posts[device.id] = self._begin(device)
        if self._is_due(device.id, self._posts[device.id]):
            self._look(device.id, self._posts[device.id])

    def _begin(self, device: AttachedDevice) -> _WatchedDevice:
        scan = DeviceScan(
            device,
            downloads=self._downloads,
            verdicts=self._verdicts,
            clock=self._clock,
            is_over=self._stop.is_set,
        )
        eye = self._make_watch(device, lambda: self.hint(device.id), lambda: self.rescan(device.id))
        now = self._clock.monotonic()
        post = _WatchedDevice(scan, eye, due=now, rested=now)
        self._watch(post)
        return post

    def _watch(self, post: _WatchedDevice) -> None:
        """Start or restart watching; log a reason why it is not possible only once."""
        post.watch.stop()
        reason, before = post.watch.start(), post.blind
        post.blind = reason
        if reason is not None and reason != before:
            log.warning("%s", blind_text(post.scan.device.settings.name, reason))
        if reason != before:
            self._bus.publish(NoticesChanged())

    def _leave(self, device_id: str) -> None:
        post = self._posts.pop(device_id)
        post.watch.stop()
        self._tasks.drop(device_id)
        with self._lock:
            self._hinted.discard(device_id)
            self._urgent.discard(device_id)
        self._questions.close(device_id)

    def _is_due(self, device_id: str, post: _WatchedDevice) -> bool:
        now = self._clock.monotonic()
        with self._lock:
            hinted = device_id in self._hinted and now >= post.rested
            return hinted or device_id in self._urgent or now >= post.due

    def _look(self, device_id: str, post: _WatchedDevice) -> None:
        with self._lock:
            # Before the scan: a hint during the scan must lead to another scan.
            self._hinted.discard(device_id)
            self._urgent.discard(device_id)
        post.due = self._clock.monotonic() + RETRY_S
        with (
            self._tasks.run(TaskKind.SCAN, device_id, again_s=RESCAN_S, retry_s=RETRY_S) as run,
            taking_turns(is_over=self._stop.is_set),
        ):
            began = self._clock.monotonic()
            outcome = self._outcome(device_id, post.scan)
            if outcome is None:
                run.fail(msg("The device cannot be looked at now"))
        now = self._clock.monotonic()
        post.rested = now + REST_FOR_EACH_S_OF_LOOKING * (now - began)
        if outcome is None:
            return
        post.due = now + (RESCAN_S if outcome.again_in is None else outcome.again_in)
        if outcome.ask:
            name = post.scan.device.settings.name
            self._questions.ask(device_id, name, Question(outcome.ask, outcome.total))
        else:
            self._questions.close(device_id)
        if not post.watch.is_watching():
            self._watch(post)

    def _outcome(self, device_id: str, scan: DeviceScan) -> ScanResult | None:
        trouble = self._problems.of(ProblemKind.DEVICE, device_id)
        try:
            if trouble is None or trouble.code in ONLY_ROOM:
                return scan.look()
        except DeviceError as found:
            log.info("%s: its files are looked at again later", found)
        scan.forget_doubts()
        return None


def blind_text(name: str, reason: str) -> str:
    """Return the sentence for people about a device that cannot be watched."""
    return msg(
        "What people change on {name} is found by a look every 10 minutes only, not "
        "at once: {reason}",
        name=name,
        reason=reason,
    )
