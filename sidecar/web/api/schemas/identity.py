"""Schemas of files with ambiguous items, and of another Jellyfin server."""

from sidecar.web.api.schemas.base import ItemId, OfDevice, Schema
from sidecar.web.api.schemas.devices import Managed


class Candidate(Schema):
    """An item that a file may belong to."""

    id: ItemId
    title: str
    artist: str | None
    album: str | None


class Doubt(Schema):
    """A file whose item has left the server, with candidates; `item_id` is the former id."""

    item_id: ItemId
    download_id: int
    title: str
    artist: str | None
    album: str | None
    file_path: str
    why: str
    candidates: list[Candidate]


class Doubts(OfDevice, Managed):
    """The files on a device whose item is ambiguous."""

    files: list[Doubt]


class RenamedFile(Schema):
    """A file that would have another name."""

    path: str
    new_path: str


class Names(OfDevice, Managed):
    """What would be renamed on a device; `plan_id` confirms exactly this.

    `waiting` files are being renamed after a confirmation, `unread` ones were not looked up yet.
    """

    plan_id: str
    renamed: int
    fetched: int
    waiting: int
    unread: int
    examples: list[RenamedFile]


class OtherServer(Schema):
    """A Jellyfin server other than the one that was known."""

    id: ItemId
    name: str
    version: str


class ServerPreview(Schema):
    """Preview of a change to another server, counted in items; `ticket` confirms exactly this."""

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
