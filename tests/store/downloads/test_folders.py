"""The folders as the database has them are those of a plan in memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sidecar.domain.files.folders import PlannedFolders, owner_id
from sidecar.domain.files.naming import make_path_key
from sidecar.domain.items.item import ItemType
from sidecar.store.database import Database
from sidecar.store.downloads.folders import DeviceFolders
from sidecar.store.downloads.insert import FilePlace, NewDownload
from sidecar.store.downloads.queue import Downloads
from tests.store.examples import ANN, STICK, track

PATHS = (
    "Abba - Live/One (1999)/1.flac",
    "Abba/One (1999)/1.flac",
    "abba/One (1999)/2.flac",
    "Abba/Two/1.flac",
    "Abba!/Two/1.flac",
    "Abba0/Two/1.flac",
    "Zoë/\U0010ffff/1.flac",
    "loose.flac",
)
SERIES = "f" * 32


@pytest.mark.parametrize("item_type", [ItemType.AUDIO, ItemType.EPISODE, ItemType.MOVIE])
def test_both_say_the_same(db: Database, downloads: Downloads, item_type: ItemType) -> None:
    planned, stored = PlannedFolders(), DeviceFolders(db, STICK)
    for number, path in enumerate(PATHS):
        album = f"{number:032x}"
        item = replace(track(number), type=item_type, album_id=album, series_id=SERIES)
        place = FilePlace(path, make_path_key(path))
        wanted = NewDownload(item=item, device_id=STICK, user_id=ANN, places=[place])
        downloads.queue.add_all([wanted])
        planned.add(path, owner_id(item.type, item.id, item.album_id, item.series_id))

    keys = {"", "nobody", "abba/nothing"}
    for path in PATHS:
        parts = make_path_key(path).split("/")
        keys |= {"/".join(parts[:depth]) for depth in range(1, len(parts))}
    for key in keys:
        if key:
            assert stored.spelling(key) == planned.spelling(key)
            assert stored.owner(key) == planned.owner(key)
        for least in range(9):
            assert stored.has_entries(key, least) == planned.has_entries(key, least), (key, least)
    assert stored.has_entries("", 6)
    assert not stored.has_entries("", 7)
    assert stored.spelling("abba") == "Abba"
