"""Runs periodic work: device checks, retries that are due, and the steps of other services.

every 2 s   attach and detach devices, retry failed downloads whose cooldown is over, then the
            steps it was given (server probe, expired holds, space planning, renames ...)
once        check the whole database, soon after the start
each day    back up the database
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection, Iterable
from datetime import timedelta
from functools import partial
from threading import Event

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Download
from sidecar.domain.processes.roles import ALONE, Roles
from sidecar.domain.transfers.retry import LONGEST_WAIT
from sidecar.errors import DeviceError
from sidecar.process.threads import Wakeup, attempt, do_nothing, run_periodically
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.health.tasks import TaskKind, Tasks
from sidecar.services.transfers.failures import TRIED_IN_TURN
from sidecar.services.transfers.finishing.formats import DeviceFormats
from sidecar.services.transfers.leases import Leases
from sidecar.services.transfers.recovery import DeviceRecovery
from sidecar.store.stores import Stores

log = logging.getLogger(__name__)

EVERY_S = 2.0
SELDOM_S = 60.0
COPY_EVERY_S = 24 * 3600.0
# When those who waited for the start have their pages.
CHECK_AFTER_S = 10.0
# The work, and its name in the log.
Step = tuple[Callable[[], object], str]


class SafetyNet:
    """A step that finds what other processes have changed, for when their events do not come.

    While they come it runs once a minute, in case one was lost on the way; else every time.
    """

    def __init__(
        self, step: Callable[[], object], hears_others: Callable[[], bool], clock: Clock
    ) -> None:
        self._step = step
        self._hears_others = hears_others
        self._clock = clock
        self._due_at = clock.monotonic()

    def step(self) -> None:
        """Take the step, if it is due."""
        now = self._clock.monotonic()
        if now >= self._due_at or not self._hears_others():
            self._due_at = now + SELDOM_S
            self._step()


class Housekeeping:
    """Runs the periodic work in one thread, the only one that attaches devices."""

    def __init__(
        self,
        *,
        stores: Stores,
        registry: DeviceRegistry,
        settling: DeviceRecovery,
        formats: DeviceFormats,
        leases: Leases,
        steps: Iterable[Step],
        busy: Callable[[], Collection[int]],
        device_came: Callable[[], object],
        clock: Clock,
        tasks: Tasks,
        restart: Callable[[], object] = do_nothing,
        roles: Roles = ALONE,
    ) -> None:
        """Prepare.

        Args:
            stores: The queue, and the database that is copied.
            registry: The devices.
            settling: Reconciles the files of a device with the database before it is used.
            formats: Aligned once, at start, with the devices' settings.
            leases: Tell which processes are alive.
            steps: What else runs every time, in this order, after devices and retries.
            busy: Returns the downloads that workers are busy with.
            device_came: Called when a device was attached.
            clock: Decides what is due.
            tasks: Are told of the copies of the database.
            restart: Starts the sidecar again.
            roles: What this process does.
        """
        self._db = stores.db
        self._downloads = stores.downloads
        self._registry = registry
        self._settling = settling
        self._formats = formats
        self._leases = leases
        self._steps = tuple(steps)
        self._busy = busy
        self._device_came = device_came
        self._sweep_at = clock.monotonic()
        self._clock = clock
        self._roles = roles
        self._looked = Event()
        self._is_over: Callable[[], bool] = lambda: False
        self._tasks = tasks
        self._restart = restart
        self._check_at = clock.monotonic() + CHECK_AFTER_S
        self._copy_at = clock.monotonic() + COPY_EVERY_S
        if roles.watches:
            tasks.plan(TaskKind.COPY, "", clock.now() + timedelta(seconds=COPY_EVERY_S))

    def copy_soon(self) -> None:
        """Have the database copied in the next step."""
        self._copy_at = self._clock.monotonic()

    def recover(self) -> None:
        """Recover the queue after the last stop, and open the devices; before any worker starts.

        They are attached by `look_at_devices`, once their files are looked at.

        Raises:
            errors.AlreadyRunning: Another sidecar holds a device.
        """
        self._leases.begin(is_alone=self._roles.is_alone, is_sure=self._db.is_file_locked)
        self._registry.open_all()
        if self._roles.works:
            self._formats.align()

    def wait_for_devices(self, at_most_s: float) -> bool:
        """Wait until `look_at_devices` has ended once; return whether it has."""
        return self._looked.wait(at_most_s)

    def run(self, stop: Event, wakeup: Wakeup) -> None:
        """Step every two seconds, and whenever it is woken, until `stop` is set."""
        self._is_over = stop.is_set
        run_periodically(self.step, stop, partial(wakeup.wait, EVERY_S), "the housekeeping")

    def step(self) -> None:
        """Do all that is due; a failure is logged and does not stop the rest."""
        for work, what in (
            (self.look_at_devices, "looking at the devices"),
            (self._finish_left, "finishing what was left"),
            (self._retry, "retrying downloads"),
            (self._sweep_seldom, "removing part files"),
            *self._steps,
            (self._check_once, "the check of the database"),
            *([(self._back_up, "the copy of the database")] if self._roles.watches else []),
        ):
            if self._is_over():
                return
            attempt(work, what)

    def look_at_devices(self) -> None:
        """Attach the devices that are there, after looking at their files; note what is wrong."""
        # Which devices are known, and where, is asked for in many places.
        with self._db.look():
            has_come = self._registry.look(settle=self._settle)
        if has_come:
            self._device_came()
        self._looked.set()

    def _retry(self) -> None:
        now = self._clock.now()
        self._downloads.queue.bound_waits(now, LONGEST_WAIT, but=TRIED_IN_TURN)
        for download in self._downloads.queries.failed_and_due(now):
            self._downloads.transitions.retry(download)

    def _sweep_seldom(self) -> None:
        if not self._roles.is_alone and self._clock.monotonic() >= self._sweep_at:
            self._sweep_at = self._clock.monotonic() + SELDOM_S
            self.sweep_cancelled()

    def _check_once(self) -> None:
        if self._clock.monotonic() >= self._check_at:
            self._check_at = math.inf
            if not self._db.is_sound():
                log.error("the database is damaged: starting again, to put a copy in its place")
                self._restart()

    def _back_up(self) -> None:
        if self._clock.monotonic() >= self._copy_at:
            self._copy_at = self._clock.monotonic() + COPY_EVERY_S
            with self._tasks.run(TaskKind.COPY, again_s=COPY_EVERY_S, retry_s=COPY_EVERY_S):
                self._db.back_up(self._clock)

    def _settle(self, device: AttachedDevice) -> None:
        """Reconcile a device; what cannot be finished now is found again at the next try."""
        left = [one for one in self._list_left() if one.device_id == device.id]
        self._settling.reconcile(device, left, is_over=self._is_over)

    def _finish_left(self) -> None:
        """Finish on devices that can be used what nobody is finishing any more."""
        blocked = self._registry.blocked() if (left := self._list_left()) else ()
        for download in left:
            device = self._registry.find(download.device_id)
            if device is not None and device.id not in blocked:
                try:
                    self._settling.finish(device, [download])
                except DeviceError as trouble:
                    needed = 1 if trouble.code == "full" else 0
                    self._registry.trouble(device.id, trouble, needed=needed)
                    blocked = self._registry.blocked()

    def sweep_cancelled(self) -> None:
        """Remove the part files of what was cancelled in another process."""
        for device in self._registry.all():
            sweep = partial(self._settling.sweep_cancelled, device, self._busy())
            attempt(sweep, f"removing part files on {device.settings.name}")

    def _list_left(self) -> list[Download]:
        """Return what processes that died were finalizing, and what failed here after the rename.

        Who is busy is asked last: what ends meanwhile is finished, and what begins is not listed.
        """
        found = self._downloads.queue.list_finalizing()
        if not found:
            return []
        own_id, living, busy = self._db.process_id, self._leases.living(), self._busy()
        return [
            one
            for one in found
            if (one.id not in busy if one.claimed_by == own_id else one.claimed_by not in living)
        ]
