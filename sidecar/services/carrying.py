"""Which folder of Syncthing is, or holds, a device of ours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sidecar.config import DeviceSettings
from sidecar.syncthing.client import SharedFolder


@dataclass(frozen=True, slots=True)
class CarriedFolder:
    """A folder of Syncthing, and where our device lies in it.

    Attributes:
        prefix: What stands before our paths there: empty, or it ends with a slash.
        shared_with: The ids of the other devices.
    """

    id: str
    label: str
    prefix: str
    shared_with: tuple[str, ...]

    def path(self, ours: str) -> str:
        """Return how Syncthing calls a file of ours."""
        return self.prefix + ours


def carried_by(settings: DeviceSettings, folders: Iterable[SharedFolder]) -> CarriedFolder | None:
    """Return the folder that carries a device: the one that is named, else the closest by path."""
    here = settings.path.resolve()
    if settings.syncthing_folder is not None:
        named = (one for one in folders if one.id == settings.syncthing_folder)
        return next((_carried(one, here) for one in named), None)
    around = [one for one in folders if here.is_relative_to(one.path.resolve())]
    closest = max(around, key=lambda one: len(one.path.resolve().parts), default=None)
    return None if closest is None else _carried(closest, here)


def _carried(folder: SharedFolder, here: Path) -> CarriedFolder:
    root = folder.path.resolve()
    inside = here.relative_to(root).as_posix() if here.is_relative_to(root) else "."
    prefix = "" if inside == "." else f"{inside}/"
    return CarriedFolder(folder.id, folder.label, prefix, folder.shared_with)
