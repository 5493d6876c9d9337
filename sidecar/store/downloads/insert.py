"""Builds the row of a new download: a free path on the device, and the item's columns."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sidecar.domain.downloads.download import Status
from sidecar.domain.files.naming import get_extension
from sidecar.domain.items.item import Item
from sidecar.store.database import Database, Row
from sidecar.store.downloads.filter import search_key
from sidecar.store.downloads.order import find_last_place

# Two queries: with one and an OR, SQLite reads all rows of the device.
TAKEN = """SELECT 1 FROM downloads
        WHERE device_id = ? AND path_key IN (SELECT value FROM json_each(?))
    UNION ALL SELECT 1 FROM downloads WHERE device_id = ? AND path_key > ? AND path_key < ?
    LIMIT 1"""


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A path below the device's root, and the key by which two paths are the same file there."""

    path: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDownload:
    """A download to be queued.

    Attributes:
        user_id: Who asked first; whose token fetches.
        places: Possible paths, best first; the last one should be unique (with an id in it).
        priority: Higher first.
        format: `original`, or the name of a conversion.
    """

    item: Item
    device_id: str
    user_id: str
    places: Iterable[FilePlace]
    priority: int = 0
    format: str = "original"


def find_free_place(db: Database, device_id: str, places: Iterable[FilePlace]) -> FilePlace:
    """Return the first place that no download of this device has, neither as file nor as folder.

    Raises:
        ValueError: All of them are taken.
    """
    for place in places:
        if _is_free(db, device_id, place.key):
            return place
    raise ValueError("every offered place is taken by another download")


def to_columns(db: Database, wanted: NewDownload, place: FilePlace, now: datetime) -> Row:
    """Return the columns of a new row."""
    item = wanted.item
    return {
        **columns_of_item(item),
        "device_id": wanted.device_id,
        "user_id": wanted.user_id,
        "status": Status.PENDING,
        "file_path": place.path,
        "path_key": place.key,
        "priority": wanted.priority,
        "queued_at": now,
        "place": find_last_place(db),
        "format": wanted.format,
        "source_extension": get_extension(place.path),
    }


def columns_of_item(item: Item) -> Row:
    """Return the columns that describe the item."""
    artist = item.artist or item.album_artist or item.series
    return {
        "item_id": item.id,
        "title": item.title,
        "item_type": item.type,
        "artist": artist,
        "album": item.album,
        "album_id": item.album_id,
        "series_id": item.series_id,
        "image_item_id": item.image_item_id,
        "image_tag": item.image_tag,
        "source_etag": item.source_etag,
        "source_path": item.source_path,
        "search_key": search_key(item.title, artist, item.album),
        "expected_size": item.size,
        "seconds": item.seconds,
    }


def _is_free(db: Database, device_id: str, key: str) -> bool:
    parts = key.split("/")
    same_or_above = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    # "0" is the character after "/": all paths below the folder `key` sort between the two.
    below = f"{key}/", f"{key}0"
    return not db.sql(TAKEN, (device_id, json.dumps(same_or_above), device_id, *below))
