"""A device that is attached, with what is set of it now. `services.devices` makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sidecar.config import DeviceSettings
from sidecar.device.folder import DeviceFolder

CurrentSettings = Callable[[str, DeviceSettings], DeviceSettings]


def as_configured(_device_id: str, configured: DeviceSettings) -> DeviceSettings:
    """Return the settings as the file has them: nobody changes any."""
    return configured


@dataclass(frozen=True, slots=True)
class Promise:
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
class Attached:
    """A device that can be used: its identity, its settings and the hand on its folder.

    Attributes:
        configured: As the settings file has it; its path tells which one it is.
        current: Looks up what is set now.
    """

    id: str
    configured: DeviceSettings
    folder: DeviceFolder
    current: CurrentSettings = as_configured

    @property
    def settings(self) -> DeviceSettings:
        """What is set now: the file, and what people changed since."""
        return self.current(self.id, self.configured)

    def taken_by(self, download_id: int) -> int:
        """Return the bytes that the part files of a download take already."""
        folder = self.folder
        return folder.part(download_id).taken() + folder.converted(download_id).taken()
