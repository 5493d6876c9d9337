"""Checks whether files really are on their devices now, whatever the database says.

Reads only. A device that cannot be written to, or is full, can still be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sidecar.domain.downloads.download import Download, Status
from sidecar.errors import DeviceError
from sidecar.messages import msg
from sidecar.services.devices.attached import AttachedDevice
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.store.devices.devices import Devices


@dataclass(frozen=True, slots=True)
class Presence:
    """The result of checking one file.

    Attributes:
        path: Where it is on this machine; None if it is missing or has changed.
        text: Why it is not available, for people; None if it is.
    """

    path: Path | None
    text: str | None

    @property
    def is_available(self) -> bool:
        """Whether it exists with the right size."""
        return self.path is not None


class FilePresence:
    """Checks files on devices. Safe for many threads."""

    def __init__(self, registry: DeviceRegistry, devices: Devices) -> None:
        self._registry = registry
        self._devices = devices

    def device(self, device_id: str) -> AttachedDevice:
        """Return an attached device that can be read from.

        Raises:
            errors.DeviceError: It is not attached, or another device is at its path.
        """
        there = next((one for one in self._registry.all() if one.id == device_id), None)
        if there is None:
            known = self._devices.get(device_id)
            name = known.name if known else msg("The device of this file")
            raise self._registry.explain_absence(device_id) or DeviceError(
                "missing", msg("{name} is not there: plug it in and try again", name=name)
            )
        there.folder.check_place()
        return there

    def at(self, downloads: Iterable[Download]) -> Mapping[int, Presence]:
        """Check the files of these downloads; return the results by download id."""
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
        # Even if a file of its name and size exists: it is not the one that was fetched.
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
    """Return the message for a file that does not exist any more."""
    return msg(
        "The file of {title} is not on {device} any more",
        title=download.title,
        device=device.settings.name,
    )


def changed(download: Download, device: AttachedDevice) -> str:
    """Return the message for a file that is not the one that was fetched."""
    return msg(
        "The file of {title} on {device} is not the one that arrived",
        title=download.title,
        device=device.settings.name,
    )
