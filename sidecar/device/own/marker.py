"""The marker that makes a folder a device: `.sidecar/device.json` with a UUID.

Without a marker, or with another UUID or an unreadable one, this is not the expected device:
nothing is written then, and no file counts as removed.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from sidecar.bounded_json import read_json
from sidecar.device import tree
from sidecar.device.errors import as_device_error
from sidecar.errors import DeviceError
from sidecar.messages import msg

OURS = ".sidecar"
PARTS = (OURS, "parts")
MARKER = "device.json"
VERSION = 1
_DRAFT = f"{MARKER}.draft"
_LARGEST, _MOST_VALUES = 64 * 1024, 1000
_LONGEST_NAME = 200
_DAMAGED = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    NotADirectoryError,
    FileExistsError,
)


@dataclass(frozen=True, slots=True)
class Marker:
    """The content of the marker.

    Attributes:
        id: The device's UUID, with dashes.
        name: The device's name when the marker was written: for people who look at the device.
    """

    id: str
    name: str


def read_marker(root: Path, *, name: str = msg("The device")) -> Marker | None:
    """Return the marker of a folder; None if the folder is there and has none.

    Raises:
        errors.DeviceError: The folder is not there, or the marker cannot be read.
    """
    with as_device_error(name), open_root(root) as handle:
        return find_marker(handle, name)


def write_marker(root: Path, marker: Marker) -> None:
    """Write a folder's marker: complete and synced, or not at all.

    Raises:
        errors.DeviceError: The folder is not there or cannot be written.
    """
    said = {"version": VERSION, "id": marker.id, "name": marker.name, "made_by": "jellyfin-sidecar"}
    text = json.dumps(said, indent=1, ensure_ascii=False)
    with (
        as_device_error(marker.name),
        open_root(root) as handle,
        tree.make_folder(handle, (OURS,)) as (ours, made),
    ):
        with os.fdopen(tree.open_draft(_DRAFT, ours), "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(_DRAFT, MARKER, src_dir_fd=ours, dst_dir_fd=ours)
        tree.sync_file(MARKER, ours)
        os.fsync(ours)
        tree.sync_above(handle, made)


class open_root:  # noqa: N801 - used like a function
    """Open a device's folder; only here a link may be followed: the path is from the settings.

    A class: see `open_folder`.
    """

    __slots__ = ("_handle", "_root")

    def __init__(self, root: Path) -> None:
        self._root = root

    def __enter__(self) -> int:
        """Return its handle."""
        self._handle = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return self._handle

    def __exit__(self, *_error: object) -> None:
        """Close it."""
        os.close(self._handle)


def find_marker(root: int, name: str) -> Marker | None:
    """Return the marker below an open folder; None if there is certainly none.

    Args:
        root: The handle.
        name: The device's name, for messages.

    Raises:
        errors.DeviceError: `no-marker` if there is one that cannot be understood.
        OSError: It cannot be read.
    """
    try:
        with tree.open_folder(root, (OURS,)) as ours:
            marker = _understand(_read(ours))
    except FileNotFoundError:
        return None
    except _DAMAGED:
        raise _unreadable_marker(name, msg("is damaged")) from None
    if marker is None:
        raise _unreadable_marker(name, msg("was written by another version of Jellyfin Sidecar"))
    return marker


def check_marker(marker: Marker | None, device_id: str, *, name: str) -> None:
    """Return if a marker is that of a device.

    Raises:
        errors.DeviceError: There is none, or it is that of another device.
    """
    if marker is None:
        raise DeviceError(
            "no-marker",
            msg(
                "{device} is not there: plug it in. If it is plugged in, its hidden folder "
                "{folder} is gone: put it back",
                device=name,
                folder=OURS,
            ),
        )
    if marker.id != device_id:
        raise DeviceError(
            "other-device",
            msg(
                "Another device ({other}) is in the place of {device}: nothing is written to it",
                other=marker.name or marker.id,
                device=name,
            ),
        )


def _read(ours: int) -> bytes:
    descriptor = tree.open_file(MARKER, ours)
    try:
        content = b""
        while block := os.read(descriptor, _LARGEST + 1 - len(content)):
            content += block
    finally:
        os.close(descriptor)
    return content


# It is read before each file, and says the same each time.
@lru_cache(maxsize=32)
def _understand(content: bytes) -> Marker | None:
    """Return what a marker says; None if another version wrote it.

    Raises:
        Exception: One of `_DAMAGED`.
    """
    said = read_json(content, most_bytes=_LARGEST, most_values=_MOST_VALUES)
    if said["version"] != VERSION:
        return None
    return Marker(str(UUID(said["id"])), _name(said["name"]))


def _name(told: object) -> str:
    if not isinstance(told, str):
        raise TypeError(told)
    return told[:_LONGEST_NAME].encode("utf-8", "replace").decode()


def _unreadable_marker(name: str, what: str) -> DeviceError:
    text = msg(
        "{name}: the hidden file {marker} on it {what}; put the right one back or remove it",
        name=name,
        marker=f"{OURS}/{MARKER}",
        what=what,
    )
    return DeviceError("no-marker", text)
