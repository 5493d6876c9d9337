"""The base class of all writers of generated files: decides when each device is written anew.

    a change ─▶ after 3 quiet seconds, once no transfer runs there ─┐
            └▶ meanwhile at most every 30 s ────────────────────────┴▶ written
    stop ────▶ once more, if that is quick

A failed write is tried again later; a device that is attached is written at once. A file is not
written if it would take more than a hundredth of what files may take or if there is no space,
and nothing is written on a device that is paused or has a problem.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Event, Lock

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Status
from sidecar.domain.space.budget import DeviceRoom
from sidecar.errors import DeviceError, OutsideHours, ServerAway, SignedOut
from sidecar.events import DeviceChanged, DownloadChanged, NewsMissed
from sidecar.events import Event as News
from sidecar.process.heap import taking_turns
from sidecar.process.threads import LOOK_ANYWAY_S, Wakeup, attempt, run_when_woken
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.store.files.completed import CompletedFiles

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
# Without a change for so long, a batch of changes counts as complete.
QUIET_S = 3.0
AT_MOST_EVERY_S = 30.0
# Some changes publish no event.
ALL_AGAIN_S = 600.0
# Pause after a write, as a multiple of its duration: a slow device must not be kept busy.
SHARE_BUSY, SHARE_QUIET = 30.0, 5.0
# At a stop, only devices whose last write was faster are written, and for so long in all.
QUICK_S = 0.5
ENDING_S = 1.0
# A generated file may take one part in so many of the space for files.
SMALL_PART = 100


@dataclass(slots=True)
class _WriteState:
    """The state of writing for one device; times are monotonic seconds.

    Attributes:
        folder: Identifies the attachment.
        since: Time of the first change that is not written yet; None if there is none.
        changed: Time of the last change.
        written, took: Time and duration of the last write.
        waits_for: What the log said last that it waits for; None if it was written since.
    """

    folder: object
    since: float | None
    changed: float
    written: float
    took: float = 0.0
    waits_for: str | None = None


class GeneratedFileWriter(ABC):
    """Writes generated files when they are due. One thread runs it; `changed` is safe for many."""

    # What is written, for the log.
    what: str

    def __init__(
        self,
        *,
        registry: DeviceRegistry,
        on_device: CompletedFiles,
        problems: Problems,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._on_device = on_device
        self._problems = problems
        self._clock = clock
        self._lock = Lock()
        self.wakeup = Wakeup()
        self._standings: dict[str, _WriteState] = {}
        # What takes long asks now and then, and raises `errors.Stopped`.
        self._is_over: Callable[[], bool] = lambda: False
        # Of the present write: how long it waited for its turn.
        self._waited_s = 0.0

    def changed(self, device_id: str | None = None) -> None:
        """Note that something changed on a device, or on all of them."""
        now = self._clock.monotonic()
        with self._lock:
            is_first = device_id not in self._standings
            for one, there in self._standings.items():
                if device_id in {None, one}:
                    is_first |= there.since is None
                    there.changed = now
                    there.since = now if there.since is None else there.since
        if is_first:
            self.wakeup.set()

    def device_changed(self, device_id: str) -> None:
        """Note that a device changed: what a pause or a problem held back there may go on."""
        self.changed(device_id)
        self.wakeup.set()

    def hear(self, event: News) -> None:
        """Handle events about files that arrived or are gone; a listener for the bus."""
        match event:
            case DownloadChanged(download=one, was=was, now=now):
                if Status.COMPLETED in {was, now} and was is not now:
                    self.changed(one.device_id)
            case DeviceChanged(device_id=device_id):
                self.device_changed(device_id)
            case NewsMissed():
                self.changed()
            case _:
                pass

    def run(self, stop: Event) -> None:
        """Step while something is to be written, until `stop` is set; then once more."""
        what = f"writing the {self.what}"
        self._is_over = stop.is_set
        run_when_woken(
            self.step,
            stop,
            self.wakeup,
            what,
            rest_s=self.rest_s,
            settle_s=LOOK_EVERY_S,
            wait=self._clock.wait,
        )
        until = self._clock.monotonic() + ENDING_S
        self._is_over = lambda: self._clock.monotonic() >= until
        attempt(partial(self.step, ending=True), what)

    def step(self, *, ending: bool = False) -> None:
        """Write what is due; when `ending`, all changed devices whose last write was quick."""
        for device in self._registry.all():
            what = f"writing the {self.what} of {device.settings.name}"
            attempt(partial(self._look_at, device, ending=ending), what)

    def rest_s(self) -> float:
        """Return for how many seconds nothing is to be written unless something changes."""
        with self._lock:
            waiting = [one for one, there in self._standings.items() if there.since is not None]
        is_waiting = any(self._may_write(one) for one in self._registry.all() if one.id in waiting)
        return LOOK_EVERY_S if is_waiting else LOOK_ANYWAY_S

    def _look_at(self, device: AttachedDevice, *, ending: bool) -> None:
        standing = self._standing(device)
        if not self._is_due(device, standing, ending=ending):
            return
        began, self._waited_s = self._clock.monotonic(), 0.0
        with self._lock:
            # What changes from now on is due again.
            standing.since = None
        is_written = False
        try:
            self._write(device)
            is_written, standing.waits_for = True, None
        except (DeviceError, OutsideHours, ServerAway, SignedOut) as trouble:
            self._say_once(device, standing, str(trouble))
        finally:
            if not is_written:
                self._put_off(standing)
            standing.written = self._clock.monotonic()
            standing.took = standing.written - began - self._waited_s

    @contextmanager
    def _taking_turns(self) -> Iterator[None]:
        """Do inside what needs much memory: after others that do, which is no time of writing."""
        asked = self._clock.monotonic()
        with taking_turns(is_over=self._is_over):
            self._waited_s += self._clock.monotonic() - asked
            yield

    def _say_once(self, device: AttachedDevice, standing: _WriteState, trouble: str) -> None:
        """Log why writing waits, once for each reason: it is tried every half minute."""
        if standing.waits_for != trouble:
            standing.waits_for = trouble
            log.info("the %s of %s waits: %s", self.what, device.settings.name, trouble)

    @abstractmethod
    def _write(self, device: AttachedDevice) -> None:
        """Bring the generated files of a device up to date; may raise `DeviceError`."""

    def _has_room(self, device: AttachedDevice, size: int) -> bool:
        limits = DeviceRoom(
            name=device.settings.name,
            space=device.folder.space(),
            budget=device.settings.budget,
            reserve=device.settings.reserve,
        )
        is_small = size * SMALL_PART <= limits.most
        return is_small and size <= limits.space.free - limits.kept

    def _standing(self, device: AttachedDevice) -> _WriteState:
        now = self._clock.monotonic()
        with self._lock:
            there = self._standings.get(device.id)
            if there is None or there.folder is not device.folder:
                there = _WriteState(device.folder, now, now, now - AT_MOST_EVERY_S)
                self._standings[device.id] = there
            if there.since is None and now - there.written >= ALL_AGAIN_S:
                there.since = there.changed = now
            return there

    def _put_off(self, standing: _WriteState) -> None:
        """Make a failed write due again, but not at the next step."""
        now = self._clock.monotonic()
        with self._lock:
            standing.since, standing.changed = now, now + AT_MOST_EVERY_S

    def _may_write(self, device: AttachedDevice) -> bool:
        has_problem = self._problems.of(ProblemKind.DEVICE, device.id) is not None
        return not device.settings.paused and not has_problem

    def _is_due(self, device: AttachedDevice, standing: _WriteState, *, ending: bool) -> bool:
        if standing.since is None or not self._may_write(device):
            return False
        if ending:
            return standing.took < QUICK_S
        now = self._clock.monotonic()
        rested = now - standing.written
        if rested >= max(AT_MOST_EVERY_S, SHARE_BUSY * standing.took):
            return True
        is_quiet = now - standing.changed >= QUIET_S and rested >= SHARE_QUIET * standing.took
        return is_quiet and not self._on_device.is_busy(device.id)
