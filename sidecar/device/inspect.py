"""Reads how much room a device has while a sidecar may be filling it; changes nothing there."""

from __future__ import annotations

from pathlib import Path

from sidecar.device.errors import as_device_error
from sidecar.device.filesystem import file_system_of, space_of
from sidecar.device.own.marker import marker_in, opened_root
from sidecar.domain.space.space import Space
from sidecar.errors import DeviceError
from sidecar.messages import msg


def space_at(root: Path, device_id: str, *, name: str) -> Space:
    """Return the room on a device.

    Raises:
        errors.DeviceError: It is not there, or another one is at its place.
    """
    with as_device_error(name, root), opened_root(root) as handle:
        marker = marker_in(handle, root)
        if marker is None or marker.id != device_id:
            raise DeviceError(
                "missing",
                msg("{name} is not at {root} now: plug it in and ask again", name=name, root=root),
            )
        return space_of(handle, file_system_of(handle))
