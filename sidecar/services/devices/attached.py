"""A device that is attached, with what is set of it now. `services.devices.registry` makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sidecar.config import DeviceSettings
from sidecar.device.folder import DeviceFolder
from sidecar.device.own.marker import read_marker

# Where sticks come and go: a folder there is never made by us, or it would hide a missing stick.
MOUNT_ROOTS = tuple(map(Path, ("/media", "/mnt", "/run/media")))
CurrentSettings = Callable[[str, DeviceSettings], DeviceSettings]


def unchanged(_device_id: str, configured: DeviceSettings) -> DeviceSettings:
    """Return the settings as the file has them: nobody changes any."""
    return configured


@dataclass(frozen=True, slots=True)
class Reservation:
    """Room that is set aside for a download.

    Attributes:
        size: Bytes of its file.
        source: Bytes of the original that the file is made from, there until it is made.
    """

    size: int
    source: int = 0

    @property
    def at_most(self) -> int:
        """Bytes that it takes while it takes most."""
        return self.size + self.source


@dataclass(frozen=True, slots=True)
class AttachedDevice:
    """A device that can be used: its identity, its settings and the hand on its folder.

    Attributes:
        configured: As the settings file has it; its path tells which one it is.
        current: Looks up what is set now.
    """

    id: str
    configured: DeviceSettings
    folder: DeviceFolder
    current: CurrentSettings = unchanged

    @property
    def settings(self) -> DeviceSettings:
        """What is set now: the file, and what people changed since."""
        return self.current(self.id, self.configured)

    def taken_by(self, download_id: int) -> int:
        """Return the bytes that the part files of a download take already."""
        folder = self.folder
        return (
            folder.part(download_id).read_allocated()
            + folder.converted(download_id).read_allocated()
        )


def folder_of(settings: DeviceSettings, known: str | None) -> tuple[DeviceFolder, str]:
    """Return the folder under the identity we know it by, and that; a new folder gets one."""
    if known is not None:
        return DeviceFolder(settings.path, known, name=settings.name), known
    if _may_be_made(settings.path):
        settings.path.mkdir(exist_ok=True)
    marker = read_marker(settings.path)
    if marker is not None:
        return DeviceFolder(settings.path, marker.id, name=settings.name), marker.id
    fresh = str(uuid4())
    return DeviceFolder.create(settings.path, device_id=fresh, name=settings.name), fresh


def _may_be_made(path: Path) -> bool:
    """A folder of a disk that stays may be made on first sight; a stick's mount point never."""
    under_mounts = any(root in path.parents for root in MOUNT_ROOTS)
    return not under_mounts and path.parent.is_dir()
