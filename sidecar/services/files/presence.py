"""Looks whether a file is really on its device now, whatever the database says.

Reads only. A device that cannot be written to, or is full, can still be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sidecar.domain.downloads.states import Download, Status
from sidecar.errors import DeviceError
from sidecar.messages import msg
from sidecar.services.devices.attached import AttachedDevice
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.store.devices.devices import Devices


@dataclass(frozen=True, slots=True)
class Presence:
    """What was seen of one file.

    Attributes:
        path: Where it is on this machine; None if it is not there as it should be.
        text: Why it is not, for people; None if it is there.
    """

    path: Path | None
    text: str | None

    @property
    def is_available(self) -> bool:
        """Whether it is there, with the right size."""
        return self.path is not None


class FilePresence:
    """Looks at devices. Safe for many threads."""

    def __init__(self, registry: DeviceRegistry, devices: Devices) -> None:
        self._registry = registry
        self._devices = devices

    def device(self, device_id: str) -> AttachedDevice:
        """Return a device that can be read from.

        Raises:
            errors.DeviceError: It is not there, or is not the one we know.
        """
        there = next((one for one in self._registry.all() if one.id == device_id), None)
        if there is None:
            known = self._devices.get(device_id)
            name = known.name if known else msg("The device of this file")
            raise DeviceError(
                "missing", msg("{name} is not there: plug it in and try again", name=name)
            )
        there.folder.check_place()
        return there

    def at(self, downloads: Iterable[Download]) -> Mapping[int, Presence]:
        """Look at the files of these downloads; return what was seen for each id."""
        devices: dict[str, AttachedDevice | DeviceError] = {}
        seen: dict[int, Presence] = {}
        for one in downloads:
            if one.status is not Status.COMPLETED:
                seen[one.id] = Presence(
                    None, msg("{title} has not arrived, or is not kept any more", title=one.title)
                )
                continue
            if one.device_id not in devices:
                devices[one.device_id] = self._tried(one.device_id)
            seen[one.id] = _look(devices[one.device_id], one)
        return seen

    def _tried(self, device_id: str) -> AttachedDevice | DeviceError:
        try:
            return self.device(device_id)
        except DeviceError as trouble:
            return trouble


def _look(device: AttachedDevice | DeviceError, download: Download) -> Presence:
    if isinstance(device, DeviceError):
        return Presence(None, str(device))
    if download.missing_since is not None:
        # Also if something has its name and its size: that was not what arrived.
        return Presence(None, gone(download, device))
    try:
        there = device.folder.stat(download.file_path)
    except DeviceError as trouble:
        return Presence(None, str(trouble))
    if there is None:
        return Presence(None, gone(download, device))
    if there.size != download.file_size:
        return Presence(None, changed(download, device))
    return Presence(device.folder.root / download.file_path, None)


def gone(download: Download, device: AttachedDevice) -> str:
    """Return the sentence for a file that is not there any more."""
    return msg(
        "The file of {title} is not on {device} any more",
        title=download.title,
        device=device.settings.name,
    )


def changed(download: Download, device: AttachedDevice) -> str:
    """Return the sentence for a file that is not ours any more."""
    return msg(
        "The file of {title} on {device} is not the one that arrived",
        title=download.title,
        device=device.settings.name,
    )
