"""Reads a device's free space without locking it: a running sidecar may be using it."""

from __future__ import annotations

from pathlib import Path

from sidecar.device.errors import as_device_error
from sidecar.device.filesystem import read_file_system, read_space
from sidecar.device.own.marker import find_marker, open_root
from sidecar.domain.space.space import Space
from sidecar.errors import DeviceError
from sidecar.messages import msg


def read_space_at(root: Path, device_id: str, *, name: str) -> Space:
    """Return the size and the free space of a device.

    Raises:
        errors.DeviceError: It is not there, or another one is at its place.
    """
    with as_device_error(name), open_root(root) as handle:
        marker = find_marker(handle, name)
        if marker is None or marker.id != device_id:
            raise DeviceError(
                "missing",
                msg("{name} is not there now: plug it in and ask again", name=name),
            )
        return read_space(handle, read_file_system(handle))
