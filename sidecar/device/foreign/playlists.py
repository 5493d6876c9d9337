"""Finds the playlists on a device, whoever made them, and reads them.

Nothing is changed. Only some folders are looked into, and only so much of a list is read.
"""

from __future__ import annotations

from collections.abc import Iterator

from sidecar.device.errors import as_device_error
from sidecar.device.folder import DeviceFolder
from sidecar.domain.files.m3u import is_playlist
from sidecar.domain.files.playlist_changes import MOST_BYTES

# Where players and programs put them, beside the folder of the device's preset.
FOLDERS = ("", "Playlists", "playlists", "Music", "Music/Playlists")
MOST_LISTS = 200


def find_lists(folder: DeviceFolder, preset_folder: str) -> Iterator[str]:
    """Yield the paths of the playlists on a device, ours included.

    Raises:
        errors.DeviceError: The device cannot be used.
    """
    found = [one for one in folder.own_files.names() if is_playlist(one)]
    for place in dict.fromkeys((preset_folder, *FOLDERS)):
        found += (one for one in folder.own_files.strangers(place) if is_playlist(one))
    # A file system that knows no case has a folder under several of these names.
    by_name = {one.casefold(): one for one in reversed(found)}
    yield from sorted(by_name.values())[:MOST_LISTS]


def read_list(folder: DeviceFolder, path: str) -> bytes | None:
    """Return the bytes of a list; None if it is not there, is no file, or is too large for one.

    Raises:
        errors.DeviceError: It cannot be read.
    """
    facts = folder.stat(path)
    if facts is None or facts.size > MOST_BYTES:
        return None
    with as_device_error(folder.name), folder.open(path) as file:
        blocks = []
        left = MOST_BYTES + 1
        while left > 0 and (block := file.read(left)):
            blocks.append(block)
            left -= len(block)
    content = b"".join(blocks)
    return content if len(content) <= MOST_BYTES else None
