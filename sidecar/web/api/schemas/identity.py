"""The schemas of files and servers that are known again."""

from __future__ import annotations

from sidecar.web.api.schemas.base import ItemId, OfDevice, Schema
from sidecar.web.api.schemas.devices import Managed


class Candidate(Schema):
    """An item that a file may be."""

    id: ItemId
    title: str
    artist: str | None
    album: str | None


class Doubt(Schema):
    """A file whose item the server knows no more, and what it may be; `item_id` is the old one."""

    item_id: ItemId
    download_id: int
    title: str
    artist: str | None
    album: str | None
    file_path: str
    why: str
    candidates: list[Candidate]


class Doubts(OfDevice, Managed):
    """All of them on a device."""

    files: list[Doubt]


class OtherServer(Schema):
    """A Jellyfin server that is not ours, or was not."""

    id: ItemId
    name: str
    version: str


class ServerPreview(Schema):
    """What would follow to another server, in items; `ticket` says yes to exactly this."""

    ticket: str
    server: OtherServer
    files: int
    same: int
    followed: int
    asked: int
    lost: int
    examples: list[str]
    accounts: list[str]
    strangers: list[str]
