"""The folders of a device, as the paths of its downloads have them, with those about to be added.

learn(keys)      one statement, however many they are
is_free, owner…  from memory; what was not learnt is looked up by itself
add(…)           what a new download changes, before it is written
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from sidecar.domain.files.folders import owner_id
from sidecar.domain.files.naming import make_path_key
from sidecar.domain.items.item import Item
from sidecar.store.database import Database
from sidecar.store.downloads.insert import FilePlace

# A number and a sum, not EXISTS and the least id: PostgreSQL would go through all of the device.
KNOWN = """SELECT one.value,
        (SELECT count(*) FROM downloads WHERE device_id = ?1 AND path_key = one.value),
        first.file_path, first.item_type, first.item_id, first.album_id, first.series_id
    FROM json_each(?2) AS one LEFT JOIN downloads AS first ON first.id = (
        SELECT min(id + 0) FROM downloads WHERE device_id = ?1
            AND path_key > one.value || '/' AND path_key < one.value || '0')"""
PATH_OF = "SELECT file_path FROM downloads WHERE device_id = ? AND item_id = ?"
# Each entry of a folder is found by one step in the index, however much is in it.
ENTRIES = """WITH RECURSIVE found (key) AS (
        SELECT (SELECT path_key FROM downloads
            WHERE device_id = ?1 AND path_key >= ?2 AND path_key < ?3
            ORDER BY path_key LIMIT 1)
        UNION ALL
        SELECT (SELECT path_key FROM downloads
            WHERE device_id = ?1 AND path_key < ?3 AND path_key >= CASE
                instr(substr(found.key, ?4), '/') WHEN 0 THEN found.key || ?6
                ELSE substr(found.key, 1, ?4 + instr(substr(found.key, ?4), '/') - 2) || '0' END
            ORDER BY path_key LIMIT 1)
        FROM found WHERE found.key IS NOT NULL
    ) SELECT key FROM found WHERE key IS NOT NULL LIMIT ?5"""
# Before and behind the last character of any key.
FIRST = "\1"
LAST = "\U0010ffff"


class _First(NamedTuple):
    """The first file in a folder."""

    path: str
    item_type: str
    item_id: str
    album_id: str | None
    series_id: str | None


class DeviceFolders:
    """The folders of one device. Implements `domain.files.folders.FoldersThere`.

    For one transaction that only adds downloads: what is found is remembered, and each new one has
    to be told with `add`.
    """

    def __init__(self, db: Database, device_id: str) -> None:
        self._db = db
        self._device_id = device_id
        self._files: dict[str, bool] = {}
        self._first: dict[str, _First | None] = {}
        self._entries: dict[str, dict[int, set[str]]] = {}
        self._added: dict[str, str] = {}

    def learn(self, paths: Iterable[str]) -> bool:
        """Look up what is at these paths and in the folders above, all at once.

        Returns:
            Whether anything is there already.
        """
        keys = {above for one in paths for above in _with_above(make_path_key(one))}
        return self._learn(keys)

    def is_free(self, key: str) -> bool:
        """Whether no download has this path, neither as file nor as folder."""
        self._learn(_with_above(key))
        return not any(map(self._is_file, _with_above(key))) and self._first_in(key) is None

    def add(self, place: FilePlace, item: Item) -> None:
        """Take into account that a download of this item gets this place."""
        names = place.key.split("/")
        self._files[place.key] = True
        self._added[item.id] = place.path
        first = _First(place.path, item.type, item.id, item.album_id, item.series_id)
        for depth in range(len(names)):
            above = "/".join(names[:depth])
            if above and self._first_in(above) is None:
                self._first[above] = first
            for entries in self._entries.get(above, {}).values():
                entries.add(names[depth])

    def path_of(self, item_id: str) -> str | None:
        """Return the path of an item's download; None if it has none."""
        if item_id in self._added:
            return self._added[item_id]
        rows = self._db.sql(PATH_OF, (self._device_id, item_id))
        return next((str(path) for (path,) in rows), None)

    def spelling(self, key: str) -> str | None:
        """Return how a folder is spelled, without those above it; None if there is none."""
        first = self._first_in(key)
        return None if first is None else first.path.split("/")[key.count("/")]

    def owner(self, key: str) -> str | None:
        """Return what the first file in a folder belongs to; None if that is not known."""
        first = self._first_in(key)
        return None if first is None else owner_id(*first[1:])

    def has_entries(self, key: str, least: int) -> bool:
        """Whether a folder has at least so many files and folders; the key "" is the root."""
        known = self._entries.setdefault(key, {})
        if least not in known:
            known[least] = self._list_entries(key, least)
        return len(known[least]) >= least

    def _list_entries(self, key: str, most: int) -> set[str]:
        above, end = (f"{key}/", f"{key}0") if key else ("", LAST)
        asked = (self._device_id, above, end, len(above) + 1, most, FIRST)
        return {one[len(above) :].partition("/")[0] for (one,) in self._db.sql(ENTRIES, asked)}

    def _is_file(self, key: str) -> bool:
        if key not in self._files:
            self._learn([key])
        return self._files[key]

    def _first_in(self, key: str) -> _First | None:
        if key not in self._first:
            self._learn([key])
        return self._first[key]

    def _learn(self, keys: Iterable[str]) -> bool:
        asked = sorted({one for one in keys if one not in self._files or one not in self._first})
        rows = self._db.sql(KNOWN, (self._device_id, json.dumps(asked))) if asked else ()
        is_any = False
        for key, is_file, *first in rows:
            # What was added since is known better.
            self._files.setdefault(key, bool(is_file))
            self._first.setdefault(key, None if first[0] is None else _First(*first))
            is_any |= bool(is_file) or first[0] is not None
        return is_any


def _with_above(key: str) -> list[str]:
    names = key.split("/")
    return ["/".join(names[:depth]) for depth in range(1, len(names) + 1)]
