"""The schemas of other devices that Syncthing carries folders to."""

from __future__ import annotations

from sidecar.web.api.schemas.base import Moment, OfDevice, Schema, Tenths, taken_from


class Peer(Schema):
    """Another device; without completion nobody knows now."""

    id: str
    name: str
    connected: bool = taken_from("is_connected")
    paused: bool = taken_from("is_paused")
    last_seen: Moment | None
    completion: Tenths | None
    need_bytes: int | None
    need_items: int | None


class Shared(OfDevice):
    """Where a device is carried to, and what removals wait for."""

    is_asked: bool
    folder: str | None
    trouble: str | None
    waits: str | None
    peers: list[Peer]


class Arrived(Schema):
    """Another device, and since when it is known to have the file; null while it has not."""

    peer: str
    arrived_at: Moment | None = taken_from("known_at")


class Ignoring(Schema):
    """The line of `.stignore` that keeps our own folder from being synced."""

    device_id: str
    line: str
    is_there: bool
