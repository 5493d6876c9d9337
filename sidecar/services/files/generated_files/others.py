"""Finds what another sidecar, or ours before its database was lost, has put on a device.

It is in the manifest and in no row of ours. Until somebody adopts it, its entries stay in the
manifest, without which they could not be adopted, and its covers and lyrics stay beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from sidecar.device.own.manifest import read_device_manifest
from sidecar.domain.adoption.restore import ManifestFile, read_others
from sidecar.domain.files.removals import FileStat
from sidecar.services.devices.registry import AttachedDevice


def find_others(
    device: AttachedDevice, known: Collection[str], is_over: Callable[[], bool]
) -> Sequence[ManifestFile]:
    """Return the files of the manifest that are there, as listed, but not among the known paths.

    Raises:
        errors.DeviceError: The device cannot be read.
        errors.Stopped: `is_over` returned True.
    """
    content = read_device_manifest(device.folder.root, name=device.folder.name)
    listed = read_others(content, known) if content is not None else ()
    seen = device.folder.look([one.path for one in listed], is_over=is_over) if listed else {}
    return [one for one in listed if _is_there(seen[one.path], one.size)]


def _is_there(seen: object, size: int) -> bool:
    return isinstance(seen, FileStat) and seen.size == size
