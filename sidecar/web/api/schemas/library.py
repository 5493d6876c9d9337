"""The shapes of the library: of what is on the devices and of what is in Jellyfin."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sidecar.domain.kinds import Kind
from sidecar.services.library.download_state import ButtonState
from sidecar.web.api.schemas.base import ItemId, Listed, Moment, Shape
from sidecar.web.api.schemas.downloads import Reason


class OfflineFile(Shape):
    """A file on a device.

    `available` was just looked at; if it is false, `text` says why, and `path` (on this machine)
    and `url` (to fetch it from us) are null.
    """

    download_id: int
    item_id: ItemId
    device_id: str
    device_name: str
    title: str
    artist: str | None
    album: str | None
    kind: str
    item_type: str
    file_path: str
    size: int | None
    content_hash: str | None
    completed_at: Moment | None
    reasons: list[Reason]
    owners: list[str]
    available: bool
    text: str | None
    path: str | None
    url: str | None


class OfflineFiles(Listed[OfflineFile]):
    """One page of files, and how many more should be there and are missing."""

    missing: int


class OfflineItem(Shape):
    """An item: where it is now, the best place first, and all places where it should be."""

    item_id: ItemId
    available: bool
    text: str | None
    path: str | None
    url: str | None
    files: list[OfflineFile]


class Button(Shape):
    """What a download button shows on one device; `place` in the queue from 1."""

    device_id: str
    device_name: str
    state: ButtonState
    download_id: int | None
    place: int | None
    progress: Annotated[float, Field(ge=0, le=1)]
    done: int
    total: int | None


class LibraryItem(Shape):
    """One thing in the library; `devices` is null where it is told for one item alone."""

    item_id: ItemId
    kind: Kind
    item_type: str
    title: str
    artist: str | None
    album: str | None
    album_id: ItemId | None
    series: str | None
    series_id: ItemId | None
    number: int | None
    disc: int | None
    year: int | None
    seconds: float | None
    size: int | None
    favourite: bool | None
    played: bool | None
    children: int | None
    can_download: bool
    cover: str | None
    devices: list[Button] | None


class Heart(Shape):
    """What Jellyfin then says of a heart."""

    item_id: ItemId
    favourite: bool


class Local(Shape):
    """It is played from a device: `path` on this machine, `url` from us."""

    source: Literal["local"]
    path: str
    url: str


class Remote(Shape):
    """It is played from Jellyfin, through us: no token is needed in the address."""

    source: Literal["remote"]
    stream_url: str
