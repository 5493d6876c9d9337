"""The registry of devices: attaches and detaches them, and reserves space there for downloads.

A device that cannot be used has one problem with one message; it is checked again every few
seconds, and its queue goes on once the problem is solved. Meanwhile nothing is deleted and no
file counts as removed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import RLock

from sidecar.clock import Clock
from sidecar.config import DeviceSettings
from sidecar.device.own.marker import OURS, read_marker
from sidecar.domain.space.space import Space, SpaceRefusal
from sidecar.errors import AlreadyRunning, DeviceError, Stopped
from sidecar.messages import msg
from sidecar.process.threads import attempt
from sidecar.services.devices.access import NEW
from sidecar.services.devices.attached import (
    AttachedDevice,
    CurrentSettings,
    Reservation,
    folder_of,
    unchanged,
)
from sidecar.services.devices.elsewhere import (
    ELSEWHERE,
    GONE,
    SILENT,
    UNPLUGGED,
    DevicesElsewhere,
)
from sidecar.services.devices.reservations import Reservations
from sidecar.services.devices.settings import find_unused
from sidecar.services.health.problems import Problem, ProblemKind, Problems
from sidecar.store.devices.devices import Device, Devices
from sidecar.store.devices.machines import DeviceOnMachine, DeviceState
from sidecar.store.downloads.queue import Downloads

log = logging.getLogger(__name__)

# The code of the problem of a device whose files were not looked at yet since the start.
LOOKING = "looking"
# Those of what a person has done, and of nothing that is wrong.
RECONNECTING = "reconnecting"
WISHED = frozenset({UNPLUGGED, RECONNECTING})
# Those of a device that merely is not here.
ABSENT = frozenset({ELSEWHERE, SILENT, UNPLUGGED, LOOKING, "missing", "no-marker"})

__all__ = [
    "LOOKING",
    "AttachedDevice",
    "CurrentSettings",
    "DeviceRegistry",
    "Reservation",
    "unchanged",
]


def odd_text(name: str) -> str:
    """Return the message for a device that fails with an unexpected error."""
    return msg(
        "{name} cannot be used now: something there is not as it should be, and the log says "
        "what; it is tried again",
        name=name,
    )


def starting_text(name: str) -> str:
    """Return the message for a device that was added and not looked at yet."""
    return msg("{name} was added a moment ago and is being set up", name=name)


def looking_error(name: str) -> DeviceError:
    """Return why a device cannot be used yet after a start."""
    return DeviceError(
        LOOKING,
        msg("The files on {name} are looked at after the start: then it goes on", name=name),
    )


class DeviceRegistry:
    """All configured devices, and those that are attached. Safe for many threads."""

    def __init__(
        self,
        configured: Iterable[DeviceSettings],
        *,
        devices: Devices,
        downloads: Downloads,
        problems: Problems,
        clock: Clock,
        current: CurrentSettings = unchanged,
        elsewhere: DevicesElsewhere | None = None,
    ) -> None:
        """Prepare; no device is attached yet.

        Args:
            configured: The devices of the settings file.
            devices: The devices that were ever attached.
            downloads: Tells the space that our files take.
            problems: Where problems of devices are noted and cleared.
            clock: For the time of the last attachment.
            current: Looks up the present settings of a device.
            elsewhere: The devices on other machines; None if no other process has any.
        """
        self._configured = tuple(configured)
        self._current = current
        self._elsewhere = elsewhere
        self._devices = devices
        self._problems = problems
        self._clock = clock
        self._lock = RLock()
        self._attached: dict[str, AttachedDevice] = {}
        # The same in the order of the settings: asked for several times for each file.
        self._in_order: Sequence[AttachedDevice] = ()
        # Opened at the start by path, and not attached before their files are looked at.
        self._opened: dict[Path, AttachedDevice] = {}
        self._reserving = Reservations(downloads)
        self._aside: dict[Path, str] = {}
        # Devices whose files are being deleted.
        self._emptied: set[str] = set()
        # What other machines had attached at the last look, and how often each had done so: what
        # was let go and came back between two looks counts as come.
        self._there: set[tuple[str, str, int]] = set()

    def open_all(self) -> None:
        """Open the devices that are there, so that no other sidecar uses them.

        `look` attaches them. To look at the files of a full device takes a while: until that has
        ended nothing is fetched to it or deleted there, no file counts as gone, and a problem
        says why.

        Raises:
            errors.AlreadyRunning: Another sidecar uses a device.
        """
        held: AlreadyRunning | None = None

        def open_one(settings: DeviceSettings) -> bool:
            nonlocal held
            try:
                self._open_first(settings)
            except AlreadyRunning as trouble:
                held = trouble
            return False

        if self._elsewhere is not None:
            # Another machine may have it: that is known when it is looked at.
            return
        for settings in self._configured:
            unforeseen = partial(self._unforeseen, settings)
            attempt(partial(open_one, settings), f"opening {settings.name}", unforeseen)
            if held is not None:
                raise held

    def look(self, *, settle: Callable[[AttachedDevice], object]) -> bool:
        """Check every device; attach those that are there, after `settle` has reconciled them.

        Returns:
            Whether a device was attached, here or on another machine.
        """
        came = False
        self._forget_unused()
        for settings in self._configured:
            look_at = partial(self._look_at, settings, settle)
            unforeseen = partial(self._unforeseen, settings)
            came |= attempt(look_at, f"looking at {settings.name}", unforeseen)
        if self._elsewhere is not None:
            self._elsewhere.tell({one.id: self._state_of(one) for one in self.all()})
            before, self._there = (
                self._there,
                {
                    (one, there.machine, there.times_held)
                    for one, _, there in self._held_elsewhere()
                },
            )
            came |= not before >= self._there
        return came

    def configure(self, configured: Iterable[DeviceSettings]) -> None:
        """Take other devices: those that are gone or differ are closed, new ones attached soon."""
        with self._lock:
            before, self._configured = self._configured, tuple(configured)
            self._put_in_order()
            gone = [
                one for one in self._attached.values() if one.configured not in self._configured
            ]
            gone += [
                self._opened.pop(path)
                for path, one in [*self._opened.items()]
                if one.configured not in self._configured
            ]
        for one in gone:
            self._detach(one)
        for settings in before:
            if settings not in self._configured:
                self._problems.clear(ProblemKind.DEVICE, self._subject(settings))

    def _forget_unused(self) -> None:
        """Tell other machines which devices the settings here name no more."""
        if self._elsewhere is not None:
            self._elsewhere.forget_here(find_unused(self._devices.all(), self._configured))

    def names(self) -> Sequence[str]:
        """Return the names of all configured devices."""
        return [one.name for one in self._configured]

    def all(self) -> list[AttachedDevice]:
        """Return the attached devices, in the order of the settings."""
        return [*self._in_order]

    def ids_there(self) -> list[str]:
        """Return the ids of the devices that are attached or are being looked at."""
        with self._lock:
            return [*self._attached, *(one.id for one in self._opened.values())]

    def settings(self) -> tuple[DeviceSettings, ...]:
        """Return the present settings of all devices, attached or not."""
        return tuple(self._now(one) for one in self._configured)

    def find(self, device_id: str) -> AttachedDevice | None:
        """Return a device that is attached here; None if it is not."""
        with self._lock:
            return self._attached.get(device_id)

    def is_paused(self, device_id: str) -> bool:
        """Whether an attached device is paused: no file is added or removed there."""
        with self._lock:
            there = self._attached.get(device_id)
        return there is not None and there.settings.paused

    def serving(self, user_name: str) -> list[str]:
        """Return the ids of the devices, attached anywhere, that this account's files go to."""
        return [
            device_id
            for device_id, settings in self.attached_anywhere().items()
            if settings.serves(user_name)
        ]

    def attached_anywhere(self) -> Mapping[str, DeviceSettings]:
        """Return the present settings of the devices that are attached, on whatever machine."""
        here = {one.id: one.settings for one in self.all()}
        return here | {one: settings for one, settings, _ in self._held_elsewhere()}

    def on_other_machine(self, device_id: str) -> DeviceOnMachine | None:
        """Return where another process has a device attached; None if none has."""
        return self._elsewhere.held().get(device_id) if self._elsewhere else None

    @property
    def is_shared(self) -> bool:
        """Whether other processes may have devices."""
        return self._elsewhere is not None

    def machine_to_ask(self, device_id: str, *, is_ejected: bool = False) -> str | None:
        """Return the machine that can act on the files of a device; None if it is to be done here.

        See `DevicesElsewhere.machine_to_ask`.
        """
        if self._elsewhere is None or device_id in self.ids_there():
            return None
        return self._elsewhere.machine_to_ask(device_id, is_ejected=is_ejected)

    def name_of(self, device_id: str) -> str:
        """Return the name of a device, attached or not, for people."""
        known = self._devices.get(device_id)
        return known.name if known else msg("This device")

    def ids_to_act_on(self) -> list[str]:
        """Return the ids of the devices that are attached here or were ejected here."""
        with self._lock:
            return [*self._attached, *(one for one in self._aside.values())]

    def get(self, device_id: str) -> AttachedDevice:
        """Return an attached device, after checking that it can be used.

        Raises:
            errors.DeviceError: It is not attached, is another device or cannot be written to.
        """
        with self._lock:
            there = self._attached.get(device_id)
            is_opened = there is None and any(one.id == device_id for one in self._opened.values())
        if there is None:
            name = self.name_of(device_id)
            if is_opened:
                raise looking_error(name)
            raise self.explain_absence(device_id) or DeviceError(
                "missing", msg("{name} is not there: plug it in and it goes on", name=name)
            )
        there.folder.check()
        return there

    def explain_absence(self, device_id: str) -> DeviceError | None:
        """Return why a device cannot be used here that is on another machine; None if it is not."""
        known = self._devices.get(device_id)
        if self._elsewhere is None or known is None:
            return None
        return self._elsewhere.explain_absence(device_id, known.name)

    def trouble_of(self, device_id: str) -> Problem | None:
        """Return what is wrong with a device, as people are told; None if nothing is."""
        found = self._problems.of(ProblemKind.DEVICE, device_id)
        if self.find(device_id) or self.on_other_machine(device_id):
            return found
        # What a machine sees there says more than that it is not here.
        return self._problems.told_of(ProblemKind.DEVICE, device_id) or found

    def blocked(self) -> set[str]:
        """Return the ids of the devices that are paused, have a problem or are elsewhere.

        Also of those that are being emptied.
        """
        attached = self.all()
        with self._lock:
            blocked = {*self._emptied}
        blocked |= {one.id for one in attached if one.settings.paused}
        if self._elsewhere is not None:
            blocked |= {one.id for one in self._devices.all()} - {one.id for one in attached}
        return blocked | set(self._problems.all_of(ProblemKind.DEVICE))

    @contextmanager
    def emptying(self, device_id: str) -> Iterator[None]:
        """Let nothing come to a device inside of it: its files are being deleted."""
        with self._lock:
            self._emptied.add(device_id)
        try:
            yield
        finally:
            with self._lock:
                self._emptied.discard(device_id)

    def is_usable_anywhere(self, device_id: str) -> bool:
        """Whether a device is attached on some machine, is not paused and has no problem."""
        settings = self.attached_anywhere().get(device_id)
        if settings is None or settings.paused:
            return False
        return self._problems.of(ProblemKind.DEVICE, device_id) is None

    def reserve(
        self,
        device: AttachedDevice,
        download_id: int,
        *,
        remaining: int,
        size: int,
        source: int = 0,
    ) -> SpaceRefusal | None:
        """Reserve space for a download, until `unreserve`; see `Reservations.reserve`."""
        return self._reserving.reserve(
            device, download_id, remaining=remaining, size=size, source=source
        )

    def unreserve(self, download_id: int) -> None:
        """End the reservation of a download: its space is used, or not needed any more."""
        self._reserving.unreserve(download_id)

    def reserved(self, device_id: str) -> dict[int, Reservation]:
        """Return the reservations on a device, by download id."""
        return self._reserving.on(device_id)

    def space(self, device: AttachedDevice) -> Space | None:
        """Return the space on a device; None while it cannot be read."""
        try:
            return device.folder.space()
        except DeviceError:
            return None

    def space_anywhere(self, device_id: str) -> Space | None:
        """Return the space on a device, on whatever machine; None while it is not known."""
        device = self.find(device_id)
        if device is not None:
            return self.space(device)
        there = self.on_other_machine(device_id)
        return there.state.space if there else None

    def distrust(self, device_id: str) -> None:
        """Require a write test before a device is used again: an engine met an error there."""
        with self._lock:
            there = self._attached.get(device_id)
        if there is not None:
            there.folder.require_write_test()

    def trouble(self, device_id: str, trouble: DeviceError, *, needed: int = 0) -> None:
        """Note a problem of a device, which stops its queue until a check finds it solved."""
        note = Problem(trouble.code, str(trouble), needed)
        if self._problems.note(ProblemKind.DEVICE, device_id, note):
            log.log(logging.INFO if trouble.code in WISHED else logging.WARNING, "%s", trouble)

    def troubles_to_tell(self) -> Mapping[str, Problem]:
        """Return why devices cannot be attached here, as far as no other machine knows it.

        That one is not here says little of it, unless it was never attached anywhere.
        """
        if self._elsewhere is None or not self._elsewhere.opens:
            return {}
        there = self.ids_there()
        return {
            f"{ProblemKind.DEVICE} {subject}": one
            for subject, one in self._problems.all_of(ProblemKind.DEVICE).items()
            if subject not in there
            if subject.startswith(NEW) or one.code not in ABSENT
        }

    def set_aside(self, device_id: str) -> None:
        """Stop the queue of an attached device, as a person is about to unplug it."""
        with self._lock:
            there = self._attached.get(device_id)
            if there is None:
                return
            self._aside[there.configured.path] = device_id
        name = there.settings.name
        self.trouble(device_id, DeviceError(UNPLUGGED, msg("Safe to remove: {name}", name=name)))

    def eject(self, device_id: str) -> None:
        """Close the folder of a device that was set aside with `set_aside`."""
        with self._lock:
            there = self._attached.get(device_id)
            is_aside = device_id in self._aside.values()
        if there is not None and is_aside:
            self._detach(there)

    def is_ejected(self, device_id: str) -> bool:
        """Whether a device was set aside, on whatever machine, and its folder is closed."""
        with self._lock:
            if device_id in self._aside.values():
                return device_id not in self._attached
        if self._elsewhere is None:
            return False
        problem = self._problems.of(ProblemKind.DEVICE, device_id)
        is_aside = problem is not None and problem.code == UNPLUGGED
        return is_aside and self.on_other_machine(device_id) is None

    def reattach(self, device_id: str) -> None:
        """Let the next check attach a device that was set aside; until then nobody unplugs it."""
        with self._lock:
            was_aside = device_id in self._aside.values()
            self._aside = {path: one for path, one in self._aside.items() if one != device_id}
        known = self._devices.get(device_id)
        if was_aside and known is not None:
            text = msg("{name} is being reconnected: do not unplug it", name=known.name)
            self.trouble(device_id, DeviceError(RECONNECTING, text))

    def close(self) -> None:
        """Close all folders."""
        with self._lock:
            for one in (*self._attached.values(), *self._opened.values()):
                one.folder.close()
            self._attached.clear()
            self._opened.clear()
            self._put_in_order()

    def _look_at(
        self, settings: DeviceSettings, settle: Callable[[AttachedDevice], object]
    ) -> bool:
        """Check one device; return whether it was attached."""
        with self._lock:
            if settings not in self._configured:
                # It was removed while another one was looked at, which may have taken minutes.
                return False
            there, is_aside = self._of(settings), settings.path in self._aside
        if there is None and self._look_elsewhere(settings):
            return False
        if is_aside:
            self._look_aside(settings)
        elif there is not None:
            self._check(there)
        else:
            return self._attach(settings, settle)
        return False

    def _look_elsewhere(self, settings: DeviceSettings) -> bool:
        """Take over the problem of a device that another machine has; return whether one has it."""
        known = self._known(settings)
        if self._elsewhere is None or known is None:
            return self._elsewhere is not None and not self._elsewhere.opens
        held = self._elsewhere.held().get(known.id)
        if held is None:
            absence = self._elsewhere.explain_absence(known.id, known.name)
            if absence is not None and not self._elsewhere.opens:
                self.trouble(known.id, absence)
            return not self._elsewhere.opens
        state = held.state
        if state.problem_code is None or state.problem is None:
            self._problems.clear(ProblemKind.DEVICE, known.id)
        else:
            note = Problem(state.problem_code, state.problem)
            self._problems.note(ProblemKind.DEVICE, known.id, note)
        return True

    def _held_elsewhere(self) -> Iterator[tuple[str, DeviceSettings, DeviceOnMachine]]:
        held = self._elsewhere.held() if self._elsewhere else {}
        for configured in self._configured if held else ():
            known = self._known(configured)
            if known is not None and known.id in held:
                yield known.id, self._now(configured), held[known.id]

    def _state_of(self, device: AttachedDevice) -> DeviceState:
        problem = self._problems.of(ProblemKind.DEVICE, device.id)
        space, aside = None, 0
        with suppress(DeviceError):
            space = device.folder.space()
            aside = device.folder.own_files.count_bytes(space.block)
        return DeviceState(
            space=space,
            aside=aside,
            problem_code=problem.code if problem else None,
            problem=problem.text if problem else None,
        )

    def _unforeseen(self, settings: DeviceSettings) -> bool:
        """Note an unexpected error as a problem of this device, so that the others go on."""
        self.trouble(self._subject(settings), DeviceError("broken", odd_text(settings.name)))
        return False

    def _subject(self, settings: DeviceSettings) -> str:
        known = self._known(settings)
        return known.id if known else f"{NEW}{settings.name}"

    def _look_aside(self, settings: DeviceSettings) -> None:
        """Forget that a device was set aside once it is unplugged, so that it is attached again."""
        try:
            is_there = read_marker(settings.path) is not None
        except DeviceError:
            is_there = False
        if not is_there:
            with self._lock:
                self._aside.pop(settings.path, None)

    def _detach(self, device: AttachedDevice) -> None:
        """Close the folder of a device; when the device is back it is attached anew."""
        with self._lock:
            self._attached.pop(device.id, None)
            self._put_in_order()
        device.folder.close()
        if self._elsewhere is not None:
            problem = self._problems.of(ProblemKind.DEVICE, device.id)
            name = device.settings.name
            text = problem.text if problem else msg("{name} is not set up there now", name=name)
            self._elsewhere.let_go(device.id, problem.code if problem else "missing", text)
        # Whoever heard of its problem may have looked while it was still attached.
        self._problems.tell_of_device(device.id)

    def _put_in_order(self) -> None:
        """List the attached devices in the order of the settings; under the lock."""
        there = map(self._of, self._configured)
        self._in_order = tuple(one for one in there if one is not None)

    def _of(self, settings: DeviceSettings) -> AttachedDevice | None:
        there = self._attached.values()
        return next((one for one in there if one.configured.path == settings.path), None)

    def _known(self, settings: DeviceSettings) -> Device | None:
        devices = self._devices.all()
        here = next((one for one in devices if one.path == str(settings.path)), None)
        # Without a path it was never on this machine, but on another one.
        return here or next(
            (one for one in devices if not one.path and one.name == settings.name), None
        )

    def _now(self, configured: DeviceSettings) -> DeviceSettings:
        with self._lock:
            there = self._of(configured)
        known = there or self._known(configured)
        return self._current(known.id, configured) if known else configured

    def _open_first(self, settings: DeviceSettings) -> None:
        subject = self._subject(settings)
        try:
            opened = self._open(settings)
        except DeviceError as trouble:
            self.trouble(subject, trouble)
            return
        with self._lock:
            self._opened[settings.path] = opened
        error = looking_error(settings.name)
        self._problems.note(ProblemKind.DEVICE, opened.id, Problem(error.code, str(error)))

    def _attach(self, settings: DeviceSettings, settle: Callable[[AttachedDevice], object]) -> bool:
        subject = self._subject(settings)
        try:
            attached = self._settled(settings, settle)
        except DeviceError as trouble:
            return self._fail(settings, subject, trouble)
        except AlreadyRunning as held:
            return self._fail(settings, subject, DeviceError("in-use", str(held)))
        except Stopped:
            return False
        with self._lock:
            self._opened.pop(settings.path, None)
            if settings not in self._configured:
                # It was removed while it was opened.
                attached.folder.close()
                return False
            self._attached[attached.id] = attached
            self._put_in_order()
        log.info("%s is attached at %s", settings.name, settings.path)
        was_told = self._problems.clear(ProblemKind.DEVICE, subject) and subject == attached.id
        if not was_told:
            self._problems.tell_of_device(attached.id)
        return True

    def _fail(self, settings: DeviceSettings, subject: str, trouble: DeviceError) -> bool:
        """Note what is wrong with a device, unless it was removed or ejected meanwhile."""
        if settings in self._configured and settings.path not in self._aside:
            self.trouble(subject, trouble)
        return False

    def _settled(
        self, settings: DeviceSettings, settle: Callable[[AttachedDevice], object]
    ) -> AttachedDevice:
        """Open a device, unless it is open since the start, and reconcile it."""
        with self._lock:
            opened = self._opened.get(settings.path)
        there = opened or self._open(settings)
        try:
            if opened is not None:
                there.folder.check()
            settle(there)
        except BaseException:
            with self._lock:
                self._opened.pop(settings.path, None)
            there.folder.close()
            raise
        return there

    def _open(self, settings: DeviceSettings) -> AttachedDevice:
        known = self._known(settings)
        if known is None and self._elsewhere is not None:
            with self._elsewhere.making_new(settings.name):
                return self._open_as(settings, None)
        return self._open_as(settings, known.id if known else None)

    def _open_as(self, settings: DeviceSettings, known_id: str | None) -> AttachedDevice:
        folder, device_id = folder_of(settings, known_id)
        self._check_is_no_copy(settings, device_id)
        try:
            folder.attach()
            now = self._clock.now()
            self._devices.save(Device(device_id, settings.name, str(settings.path), now))
            if self._elsewhere is not None:
                self._elsewhere.hold(device_id, settings.name, str(settings.path))
        except BaseException:
            folder.close()
            raise
        return AttachedDevice(device_id, settings, folder, self._current)

    def _check_is_no_copy(self, settings: DeviceSettings, device_id: str) -> None:
        """Raise `DeviceError` if a folder has the marker of another configured device."""
        for other in self._configured:
            known = None if other.path == settings.path else self._known(other)
            if known is not None and known.id == device_id:
                text = msg(
                    "{name} is recognised as {other}, as a copy of it would be: remove its "
                    "hidden folder {folder}, and it becomes a device of its own",
                    name=settings.name,
                    other=other.name,
                    folder=OURS,
                )
                raise DeviceError("other-device", text)

    def _check(self, device: AttachedDevice) -> None:
        # What is noted from now on, as that a person is about to unplug it, is not solved by this.
        before = self._problems.of(ProblemKind.DEVICE, device.id)
        try:
            device.folder.check()
            if before is not None and before.needed:
                refusal = self._reserving.refusal(device, before.needed, before.needed)
                if refusal is not None:
                    return
        except DeviceError as trouble:
            self._fail(device.configured, device.id, trouble)
            if trouble.code in GONE:
                self._detach(device)
            return
        if before is not None and self._problems.clear(ProblemKind.DEVICE, device.id, seen=before):
            log.info("%s can be used again", device.settings.name)
