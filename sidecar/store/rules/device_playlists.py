"""The playlists on devices as they were written there, or taken home from there, last.

What is on a device now is compared with this: so a change is offered once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sidecar.store.database import Database

PUT = """INSERT INTO device_playlists (device_id, path, list_id, user_id, paths)
    VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET list_id = excluded.list_id, user_id = excluded.user_id,
        paths = excluded.paths
    WHERE list_id IS NOT excluded.list_id OR user_id IS NOT excluded.user_id
        OR paths <> excluded.paths"""
LISTS = "SELECT path, list_id, user_id, paths FROM device_playlists WHERE device_id = ?"


@dataclass(frozen=True, slots=True)
class DeviceList:
    """A playlist on a device.

    Attributes:
        list_id: Of the playlist in Jellyfin, or the account whose hearts it is; None for one that
            came from the device and was passed over.
        user_id: Who took it home; None if it was written there by the sidecar.
        paths: The files on it, in order.
    """

    list_id: str | None
    user_id: str | None
    paths: tuple[str, ...]


class DevicePlaylists:
    """Remembers lists by device and path. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, device_id: str) -> Mapping[str, DeviceList]:
        """Return the lists of a device by their paths."""
        return {
            path: DeviceList(list_id, user_id, tuple(json.loads(paths)))
            for path, list_id, user_id, paths in self._db.sql(LISTS, (device_id,))
        }

    def put(self, device_id: str, path: str, there: DeviceList) -> None:
        """Remember a list in place of what was known of it."""
        paths = json.dumps(there.paths, ensure_ascii=False)
        with self._db.write():
            self._db.execute_sql(PUT, [device_id, path, there.list_id, there.user_id, paths])

    def files(self, device_id: str) -> Sequence[str]:
        """Return the paths of all downloads of a device, whatever became of them."""
        text = "SELECT file_path FROM downloads WHERE device_id = ?"
        return [path for (path,) in self._db.sql(text, (device_id,))]
