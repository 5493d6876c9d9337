"""Schemas of the Syncthing peers of a device."""

from sidecar.web.api.schemas.base import Moment, OfDevice, Schema, Tenths, taken_from


class Peer(Schema):
    """A Syncthing peer; the completion in percent is null if it is unknown now."""

    id: str
    name: str
    connected: bool = taken_from("is_connected")
    paused: bool = taken_from("is_paused")
    last_seen: Moment | None
    completion: Tenths | None
    need_bytes: int | None
    need_items: int | None


class Shared(OfDevice):
    """The Syncthing peers of a device, and what its removals wait for."""

    is_asked: bool
    folder: str | None
    trouble: str | None
    waits: str | None
    peers: list[Peer]


class Arrived(Schema):
    """A peer, and since when it is known to have the file; null if it does not have it."""

    peer: str
    arrived_at: Moment | None = taken_from("known_at")


class Ignoring(Schema):
    """The `.stignore` line that keeps the sidecar's own folder from being synced."""

    device_id: str
    line: str
    is_there: bool
