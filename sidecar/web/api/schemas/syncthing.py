"""The shapes of other devices that Syncthing carries folders to."""

from __future__ import annotations

from sidecar.web.api.schemas.base import Moment, Shape
from sidecar.web.api.schemas.devices import DeviceName


class Peer(Shape):
    """Another device; without completion nobody knows now."""

    id: str
    name: str
    connected: bool
    paused: bool
    last_seen: Moment | None
    completion: float | None
    need_bytes: int | None
    need_items: int | None


class Shared(Shape):
    """Where a device is carried to, and what removals wait for."""

    device: DeviceName
    is_asked: bool
    folder: str | None
    trouble: str | None
    waits: str | None
    peers: list[Peer]


class Arrived(Shape):
    """Another device, and since when it is known to have the file; null while it has not."""

    peer: str
    arrived_at: Moment | None


class Ignoring(Shape):
    """The line of `.stignore` that keeps our own folder from travelling."""

    device_id: str
    line: str
    is_there: bool
