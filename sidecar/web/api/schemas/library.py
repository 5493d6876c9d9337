"""Schemas of files on devices and of items in the Jellyfin library."""

from typing import Annotated, Literal

from flask import url_for
from pydantic import BeforeValidator, computed_field

from sidecar.domain.items.item import Item
from sidecar.domain.items.kinds import Kind, kind_of
from sidecar.services.library.download_state import ButtonState
from sidecar.web.api.schemas.base import (
    Fraction,
    ItemId,
    Listed,
    Moment,
    Schema,
    taken_from,
)
from sidecar.web.api.schemas.downloads import Reason

PathText = Annotated[str, BeforeValidator(str)]


def media_url(download_id: int) -> str:
    """Return the URL of a download's file."""
    return url_for("media.file", download_id=download_id)


def _cover_url(item: Item) -> str | None:
    return url_for("items.cover", item_id=item.id) if item.image_item_id is not None else None


def _artist(item: Item) -> str | None:
    return item.artist or item.album_artist


class OfflineFile(Schema):
    """A file on a device.

    `available` was checked for this answer; if it is false, `text` says why, and `path` (on the
    sidecar's machine) and `url` are null.
    """

    download_id: int = taken_from("view.id")
    item_id: ItemId = taken_from("view.item_id")
    device_id: str = taken_from("view.device_id")
    device_name: str = taken_from("view.device_name")
    title: str = taken_from("view.title")
    artist: str | None = taken_from("view.artist")
    album: str | None = taken_from("view.album")
    item_type: str = taken_from("view.item_type")
    file_path: str = taken_from("view.file_path")
    size: int | None = taken_from("view.expected_size")
    content_hash: str | None = taken_from("view.content_hash")
    completed_at: Moment | None = taken_from("view.completed_at")
    reasons: list[Reason] = taken_from("view.reasons")
    owners: list[str] = taken_from("view.owners")
    available: bool = taken_from("sight.is_available")
    text: str | None = taken_from("sight.text")
    path: PathText | None = taken_from("sight.path")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def kind(self) -> str:
        """The kind of item."""
        return kind_of(self.item_type).value

    @computed_field  # type: ignore[prop-decorator]
    @property
    def url(self) -> str | None:
        """The URL of the file."""
        return media_url(self.download_id) if self.available else None


class OfflineFiles(Listed[OfflineFile]):
    """One page of files, and how many files are missing."""

    missing: int


class OfflineItem(Schema):
    """An item and its files on all devices, the best one to play first."""

    item_id: ItemId
    files: list[OfflineFile]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def available(self) -> bool:
        """Whether the item can be played now."""
        return self.files[0].available

    @computed_field  # type: ignore[prop-decorator]
    @property
    def text(self) -> str | None:
        """Why it cannot be played; null if it can."""
        return self.files[0].text

    @computed_field  # type: ignore[prop-decorator]
    @property
    def path(self) -> str | None:
        """The path of the best file on the sidecar's machine."""
        return self.files[0].path

    @computed_field  # type: ignore[prop-decorator]
    @property
    def url(self) -> str | None:
        """The URL of the best file."""
        return self.files[0].url


class Button(Schema):
    """The state of an item's download button for one device; `place` in the queue from 1.

    `text` says why nothing of it can come to this device; null if it can.
    """

    device_id: str
    device_name: str
    state: ButtonState
    download_id: int | None
    place: int | None
    progress: Fraction
    done: int
    total: int | None
    text: str | None


class LibraryItem(Schema):
    """One item of the library; `devices` is null if its state there was not looked up."""

    item_id: ItemId = taken_from("entry.item.id")
    kind: Kind = taken_from("entry.kind")
    item_type: str = taken_from("entry.item.type")
    title: str = taken_from("entry.item.title")
    artist: Annotated[str | None, BeforeValidator(_artist)] = taken_from("entry.item")
    album: str | None = taken_from("entry.item.album")
    album_id: ItemId | None = taken_from("entry.item.album_id")
    series: str | None = taken_from("entry.item.series")
    series_id: ItemId | None = taken_from("entry.item.series_id")
    number: int | None = taken_from("entry.item.number")
    disc: int | None = taken_from("entry.item.disc")
    year: int | None = taken_from("entry.item.year")
    seconds: float | None = taken_from("entry.item.seconds")
    size: int | None = taken_from("entry.item.size")
    favourite: bool | None = taken_from("entry.item.is_favorite")
    played: bool | None = taken_from("entry.item.is_played")
    children: int | None = taken_from("entry.children")
    can_download: Annotated[bool, BeforeValidator(bool)] = taken_from("entry.item.can_download")
    cover: Annotated[str | None, BeforeValidator(_cover_url)] = taken_from("entry.item")
    devices: list[Button] | None = taken_from("buttons")


class Heart(Schema):
    """Whether Jellyfin has the item as a favourite now."""

    item_id: ItemId
    favourite: bool


class Local(Schema):
    """The item is played from a device: `path` is on the sidecar's machine, `url` streams it."""

    source: Literal["local"]
    path: str
    url: str


class Remote(Schema):
    """The item is proxied from Jellyfin; the URL needs no Jellyfin token."""

    source: Literal["remote"]
    stream_url: str


class PinnedButton(Button):
    """The state of an item's button, and whether you pinned the item there."""

    pinned: bool


class ItemButtons(Schema):
    """How an item stands on each of your devices; none if it is nothing that is downloaded."""

    item_id: ItemId
    title: str
    devices: list[PinnedButton]
