"""An attached device with its present settings, as the device registry makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sidecar.config import DeviceSettings
from sidecar.device.drives import MOUNT_ROOTS, find_unmounted
from sidecar.device.folder import DeviceFolder
from sidecar.device.own.marker import read_marker
from sidecar.domain.downloads.download import Download
from sidecar.errors import DeviceError
from sidecar.messages import msg

CurrentSettings = Callable[[str, DeviceSettings], DeviceSettings]


def unchanged(_device_id: str, configured: DeviceSettings) -> DeviceSettings:
    """Return the settings of the file unchanged."""
    return configured


@dataclass(frozen=True, slots=True)
class Reservation:
    """Space that is reserved for a download.

    Attributes:
        size: Bytes of its file.
        source: Bytes of the original that is converted to the file, deleted afterwards.
    """

    size: int
    source: int = 0


@dataclass(frozen=True, slots=True)
class AttachedDevice:
    """A device that can be used: its id, its settings and its open folder.

    Attributes:
        configured: The settings of the file; their path identifies the device there.
        current: Looks up the present settings.
    """

    id: str
    configured: DeviceSettings
    folder: DeviceFolder
    current: CurrentSettings = unchanged

    @property
    def settings(self) -> DeviceSettings:
        """The present settings: those of the file, with the changes people made."""
        return self.current(self.id, self.configured)

    def remove_file(self, download: Download, *, path: str | None = None) -> bool:
        """Delete the finished file of a download, as `DeviceFolder.remove`.

        Args:
            download: As it was when its file was looked at.
            path: Where the file is, if it is elsewhere by now.
        """
        return self.folder.remove(
            path or download.file_path,
            size=download.file_size or 0,
            content_hash=download.content_hash,
            completed_at=download.completed_at,
        )

    def remove_fetched(self, download_id: int) -> None:
        """Remove what was fetched of a download so far: its part file, the pieces of a film."""
        self.folder.part(download_id).remove()
        self.folder.film(download_id).clear()

    def taken_by(self, download_id: int) -> int:
        """Return the bytes that the unfinished files of a download take on the device."""
        folder = self.folder
        return (
            folder.part(download_id).read_allocated()
            + folder.converted(download_id).read_allocated()
            + folder.film(download_id).read_allocated()
        )


def folder_of(
    settings: DeviceSettings,
    known: str | None,
    find_unmounted: Callable[[Path], Path | None] = find_unmounted,
) -> tuple[DeviceFolder, str]:
    """Return the folder of a device, and its id: the known one, its marker's or a new one.

    Raises:
        DeviceError: It cannot be used, or is the mount point of a drive that is not mounted.
    """
    if known is not None:
        return DeviceFolder(settings.path, known, name=settings.name), known
    if _may_be_made(settings.path):
        settings.path.mkdir(exist_ok=True)
    marker = read_marker(settings.path, name=settings.name)
    if marker is not None:
        return DeviceFolder(settings.path, marker.id, name=settings.name), marker.id
    check_is_mounted(settings, find_unmounted)
    fresh = str(uuid4())
    return DeviceFolder.create(settings.path, device_id=fresh, name=settings.name), fresh


def check_is_mounted(
    settings: DeviceSettings,
    find_unmounted: Callable[[Path], Path | None] = find_unmounted,
) -> None:
    """Return unless a new device would be on the disk below a drive that is not mounted.

    Raises:
        DeviceError: It would.
    """
    place = find_unmounted(settings.path)
    if place is not None:
        raise DeviceError(
            "missing",
            msg(
                "{device} is not there: /etc/fstab names a drive for {place}, which is not mounted "
                "now",
                device=settings.name,
                place=place,
            ),
        )


def _may_be_made(path: Path) -> bool:
    """Whether a missing folder may be made: not where disks are mounted, and only in a parent."""
    # A folder made there would hide that the disk is missing.
    under_mounts = any(root in path.parents for root in MOUNT_ROOTS)
    return not under_mounts and path.parent.is_dir()
