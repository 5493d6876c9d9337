"""What a file on a device says of itself: its tags and its length.

Reads only, in a child process. A file that is damaged, or of a kind that has no tags, or that is a
trap for whoever reads it, says nothing.
"""

from __future__ import annotations

from sidecar.confined.reader import ForeignReader
from sidecar.device.errors import as_device_error
from sidecar.device.folder import DeviceFolder
from sidecar.domain.imports.adoption import Tags


def read_tags(folder: DeviceFolder, path: str, reader: ForeignReader) -> Tags:
    """Return the tags of a file; empty ones if it has none that can be read.

    Raises:
        errors.DeviceError: The file cannot be read.
    """
    with as_device_error(folder.name, folder.root), folder.open(path) as file:
        found = reader.tags(file)
    return Tags(
        title=found.title,
        artist=found.artist,
        album_artist=found.album_artist,
        album=found.album,
        number=found.number,
        seconds=found.seconds,
    )
