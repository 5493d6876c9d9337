"""The marker that makes a folder a device of ours: `.sidecar/device.json` with a UUID.

No marker, another UUID or an unreadable one means that this is not the device we know: nothing is
written then, and nothing is taken for removed.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sidecar.device.trouble import missing, told_as_trouble
from sidecar.errors import DeviceTrouble

OURS = ".sidecar"
MARKER = "device.json"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Marker:
    """What the marker says.

    Attributes:
        id: The device's UUID, with dashes.
        name: The device's name when it was made: for people who find the stick.
    """

    id: str
    name: str


def read_marker(root: Path, *, name: str = "The device") -> Marker | None:
    """Return the marker of a folder; None if the folder is there and has none.

    Raises:
        errors.DeviceTrouble: The folder is not there, or the marker cannot be read.
    """
    with told_as_trouble(name, root):
        os.close(os.open(root, os.O_RDONLY | os.O_DIRECTORY))
        try:
            text = (root / OURS / MARKER).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            text = ""
    try:
        said = json.loads(text)
        return Marker(str(UUID(said["id"])), str(said.get("name", "")))
    except (ValueError, KeyError, TypeError, AttributeError):
        unreadable = f"The marker {root / OURS / MARKER} is damaged: put it back or remove it"
        raise DeviceTrouble("no-marker", unreadable) from None


def write_marker(root: Path, marker: Marker) -> None:
    """Make the folder a device: the marker is whole and on the disk, or not there.

    Raises:
        errors.DeviceTrouble: The folder is not there or cannot be written.
    """
    with told_as_trouble(marker.name, root):
        ours = root / OURS
        try:
            ours.mkdir(mode=0o755, exist_ok=True)
        except FileNotFoundError:
            raise missing(marker.name, root) from None
        draft = ours / f"{MARKER}.draft"
        said = {
            "version": VERSION,
            "id": marker.id,
            "name": marker.name,
            "made_by": "jellyfin-sidecar",
        }
        with draft.open("w", encoding="utf-8") as file:
            json.dump(said, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(ours / MARKER)
        for folder in (ours, root):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
