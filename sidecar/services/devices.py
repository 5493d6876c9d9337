"""The devices as they are now: attached or not, with room or not, and whose files go there.

A device that cannot be used is one trouble with one message; it is looked at again every few
seconds and its queue goes on by itself once it is cured. Nothing is deleted and nothing is taken
for removed while a device is in trouble.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from threading import RLock
from uuid import uuid4

from sidecar.clock import Clock
from sidecar.config import DeviceSettings
from sidecar.device.folder import DeviceFolder
from sidecar.device.marker import read_marker
from sidecar.domain.space import Refusal, Space, room_for, taken
from sidecar.errors import AlreadyRunning, DeviceTrouble
from sidecar.services.attached import Attached, CurrentSettings, as_configured
from sidecar.services.troubles import Kind, Trouble, Troubles
from sidecar.store.devices import Device, Devices
from sidecar.store.downloads import Downloads

log = logging.getLogger(__name__)

# The device is not at its place: nothing that was open there may be trusted again.
GONE = frozenset({"missing", "no-marker", "other-device"})
# Where sticks come and go: a folder there is never made by us, or it would hide a missing stick.
MOUNT_ROOTS = tuple(map(Path, ("/media", "/mnt", "/run/media")))

__all__ = ["Attached", "CurrentSettings", "DeviceShelf", "as_configured"]


class DeviceShelf:
    """All configured devices. Safe for many threads."""

    def __init__(
        self,
        configured: Iterable[DeviceSettings],
        *,
        devices: Devices,
        downloads: Downloads,
        troubles: Troubles,
        clock: Clock,
        current: CurrentSettings = as_configured,
    ) -> None:
        """Prepare; no device is looked at yet.

        Args:
            configured: As the settings file has them.
            devices: Those we have ever seen.
            downloads: For the room that our files take.
            troubles: Told what stands in the way.
            clock: For rests.
            current: Looks up what is set of a device now.
        """
        self._configured = tuple(configured)
        self._current = current
        self._devices = devices
        self._downloads = downloads
        self._troubles = troubles
        self._clock = clock
        self._lock = RLock()
        self._attached: dict[str, Attached] = {}
        self._reserved: dict[int, tuple[str, int]] = {}

    def look(self, *, settle: Callable[[Attached], object], starting: bool = False) -> bool:
        """Check every device; attach what has come, after `settle` has put it in order.

        Returns:
            Whether a device has come.

        Raises:
            errors.AlreadyRunning: Another sidecar holds a device; only when `starting`.
        """
        came = False
        for settings in self._configured:
            with self._lock:
                there = self._of(settings)
            if there is not None:
                self._check(there)
            else:
                came |= self._attach(settings, settle, starting=starting)
        return came

    def names(self) -> Sequence[str]:
        """Return the names of all configured devices."""
        return [one.name for one in self._configured]

    def all(self) -> list[Attached]:
        """Return the devices that were attached, in the order of the settings."""
        with self._lock:
            return [one for one in map(self._of, self._configured) if one is not None]

    def settings(self) -> tuple[DeviceSettings, ...]:
        """Return what is set now of all devices, attached or not."""
        return tuple(self._now(one) for one in self._configured)

    def is_paused(self, device_id: str) -> bool:
        """Whether a person has paused an attached device: it takes no files and loses none."""
        with self._lock:
            there = self._attached.get(device_id)
        return there is not None and there.settings.paused

    def serving(self, user_name: str) -> list[str]:
        """Return the ids of the attached devices that this account's files go to."""
        return [one.id for one in self.all() if one.settings.serves(user_name)]

    def get(self, device_id: str) -> Attached:
        """Return a device that is ready to be written to.

        Raises:
            errors.DeviceTrouble: It is not there, or is not the one we know.
        """
        with self._lock:
            there = self._attached.get(device_id)
        if there is None:
            known = self._devices.get(device_id)
            name = known.name if known else "This device"
            raise DeviceTrouble("missing", f"{name} is not there: plug it in and it goes on")
        there.folder.check()
        return there

    def blocked(self) -> set[str]:
        """Return the ids of the devices that cannot take files now, or are not to."""
        paused = {one.id for one in self.all() if one.settings.paused}
        return paused | set(self._troubles.all_of(Kind.DEVICE))

    def reserve(
        self, device: Attached, download_id: int, *, remaining: int, size: int
    ) -> Refusal | None:
        """Set room aside for a download, until `unreserve`; return why there is none, or None.

        Args:
            device: Where it is to go.
            download_id: For whom.
            remaining: Bytes that are still to be written.
            size: Bytes of the whole file.
        """
        with self._lock:
            refusal = self._refusal(device, remaining, size)
            if refusal is None:
                self._reserved[download_id] = (device.id, size)
            return refusal

    def unreserve(self, download_id: int) -> None:
        """Give back the room set aside for a download: it is used, or not needed any more."""
        with self._lock:
            self._reserved.pop(download_id, None)

    def reserved(self, device_id: str) -> dict[int, int]:
        """Return what is set aside on a device: for each download the bytes of its whole file."""
        with self._lock:
            return {
                download_id: whole
                for download_id, (of, whole) in self._reserved.items()
                if of == device_id
            }

    def space(self, device: Attached) -> Space | None:
        """Return the room on a device; None while it cannot be told."""
        try:
            return device.folder.space()
        except DeviceTrouble:
            return None

    def distrust(self, device_id: str) -> None:
        """An engine met an error there: the device must prove itself before it is used again."""
        with self._lock:
            there = self._attached.get(device_id)
        if there is not None:
            there.folder.distrust()

    def trouble(self, device_id: str, trouble: DeviceTrouble, *, needed: int = 0) -> None:
        """Stop the queue of a device, with one message, until a look finds it cured."""
        note = Trouble(trouble.code, str(trouble), needed)
        if self._troubles.note(Kind.DEVICE, device_id, note):
            log.warning("%s", trouble)

    def close(self) -> None:
        """Let go of all folders."""
        with self._lock:
            for one in self._attached.values():
                one.folder.close()
            self._attached.clear()

    def _refusal(self, device: Attached, remaining: int, size: int) -> Refusal | None:
        others, space = self.reserved(device.id), device.folder.space()
        used = self._downloads.bytes_on_device(device.id, block=space.block)
        used += device.folder.own_files.taken(space.block)
        room = partial(
            room_for,
            remaining=remaining,
            size=size,
            space=space,
            used=used + sum(taken(one, space.block) for one in others.values()),
            budget=device.settings.budget,
            reserve=device.settings.reserve,
            name=device.settings.name,
        )
        refusal = room(promised=sum(others.values()))
        if refusal is None or not others:
            return refusal
        # What running downloads take already is no longer free: it is not promised a second time.
        there = {one: device.folder.part(one).taken() for one in others}
        return room(promised=sum(max(0, whole - there[one]) for one, whole in others.items()))

    def _detach(self, device: Attached) -> None:
        """Let go of a folder that is not there any more: when it is back it is attached anew."""
        with self._lock:
            self._attached.pop(device.id, None)
        device.folder.close()

    def _of(self, settings: DeviceSettings) -> Attached | None:
        there = self._attached.values()
        return next((one for one in there if one.configured.path == settings.path), None)

    def _known(self, settings: DeviceSettings) -> Device | None:
        return next((one for one in self._devices.all() if one.path == str(settings.path)), None)

    def _now(self, configured: DeviceSettings) -> DeviceSettings:
        with self._lock:
            there = self._of(configured)
        known = there or self._known(configured)
        return self._current(known.id, configured) if known else configured

    def _attach(
        self, settings: DeviceSettings, settle: Callable[[Attached], object], *, starting: bool
    ) -> bool:
        known = self._known(settings)
        subject = known.id if known else f"new:{settings.name}"
        try:
            attached = self._open(settings, known.id if known else None, settle)
        except DeviceTrouble as trouble:
            self.trouble(subject, trouble)
            return False
        except AlreadyRunning as held:
            if starting:
                raise
            self.trouble(subject, DeviceTrouble("in-use", str(held)))
            return False
        with self._lock:
            self._attached[attached.id] = attached
        log.info("%s is attached at %s", settings.name, settings.path)
        self._troubles.clear(Kind.DEVICE, subject)
        return True

    def _open(
        self, settings: DeviceSettings, known: str | None, settle: Callable[[Attached], object]
    ) -> Attached:
        folder, device_id = self._folder(settings, known)
        try:
            folder.attach()
            now = self._clock.now()
            self._devices.save(Device(device_id, settings.name, str(settings.path), now))
            attached = Attached(device_id, settings, folder, self._current)
            settle(attached)
        except BaseException:
            folder.close()
            raise
        return attached

    def _folder(self, settings: DeviceSettings, known: str | None) -> tuple[DeviceFolder, str]:
        """Open the folder under the identity we know it by; a new folder gets one."""
        if known is not None:
            return DeviceFolder(settings.path, known, name=settings.name), known
        if _may_be_made(settings.path):
            settings.path.mkdir(exist_ok=True)
        marker = read_marker(settings.path)
        if marker is not None:
            return DeviceFolder(settings.path, marker.id, name=settings.name), marker.id
        fresh = str(uuid4())
        return DeviceFolder.create(settings.path, device_id=fresh, name=settings.name), fresh

    def _check(self, device: Attached) -> None:
        try:
            device.folder.check()
            before = self._troubles.of(Kind.DEVICE, device.id)
            if before is not None and before.needed:
                refusal = self._refusal(device, before.needed, before.needed)
                if refusal is not None:
                    return
        except DeviceTrouble as trouble:
            self.trouble(device.id, trouble)
            if trouble.code in GONE:
                self._detach(device)
            return
        if self._troubles.clear(Kind.DEVICE, device.id):
            log.info("%s can be used again", device.settings.name)


def _may_be_made(path: Path) -> bool:
    """A folder of a disk that stays may be made on first sight; a stick's mount point never."""
    under_mounts = any(root in path.parents for root in MOUNT_ROOTS)
    return not under_mounts and path.parent.is_dir()
