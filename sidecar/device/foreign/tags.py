"""Reads the tags and the length of a file on a device, in a child process.

A file that is damaged, of a type without tags, or made to attack its reader has empty tags.
"""

from __future__ import annotations

from sidecar.confined.reader import ConfinedReader
from sidecar.device.errors import as_device_error
from sidecar.device.folder import DeviceFolder
from sidecar.domain.adoption.tags import FoundTags


def read_tags(folder: DeviceFolder, path: str, reader: ConfinedReader) -> FoundTags:
    """Return the tags of a file; empty ones if it has none that can be read.

    Raises:
        errors.DeviceError: The file cannot be read.
    """
    with as_device_error(folder.name), folder.open(path) as file:
        return reader.tags(file)
