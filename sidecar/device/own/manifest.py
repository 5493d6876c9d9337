"""Reads a device's manifest, `.sidecar/manifest.json`."""

from __future__ import annotations

import os
from pathlib import Path

from sidecar.device import tree
from sidecar.device.errors import as_device_error
from sidecar.device.own.marker import OURS, open_root
from sidecar.domain.adoption.restore import LARGEST

MANIFEST = "manifest.json"


def read_device_manifest(root: Path, *, name: str) -> bytes | None:
    """Return the bytes of the manifest, or enough of them to tell that it is too long.

    None if there is none.

    Raises:
        errors.DeviceError: The device is not there or cannot be read.
    """
    with as_device_error(name), open_root(root) as handle:
        try:
            with (
                tree.open_folder(handle, (OURS,)) as ours,
                os.fdopen(tree.open_file(MANIFEST, ours), "rb") as file,
            ):
                return file.read(LARGEST + 1)
        except (FileNotFoundError, NotADirectoryError, FileExistsError):
            return None
