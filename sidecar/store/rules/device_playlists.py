"""The playlists on devices as they were written there, or taken home from there, last.

    taken home: noted, with what Jellyfin had before ─▶ Jellyfin is told ─▶ done

What is on a device now is compared with what was written there: so a change is offered once. What
was noted and is not done may have arrived or not; a person may take back the one and the other.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass

from sidecar.store.database import Database

PUT = """INSERT INTO device_playlists (device_id, path, list_id, user_id, paths)
    VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (device_id, path) DO UPDATE
    SET list_id = excluded.list_id, user_id = excluded.user_id,
        paths = excluded.paths
    WHERE device_playlists.list_id IS NOT excluded.list_id
        OR device_playlists.user_id IS NOT excluded.user_id
        OR device_playlists.paths <> excluded.paths"""
NOTE = """INSERT INTO taken_playlists (user_id, device_id, path, told)
    VALUES (?, ?, ?, ?)"""
DONE = """UPDATE taken_playlists SET is_done = 1, told = ?
    WHERE user_id = ? AND device_id = ? AND path = ?"""
TAKEN = """SELECT path, told, is_done FROM taken_playlists
    WHERE user_id = ? AND device_id = ? ORDER BY id"""
FORGET = "DELETE FROM taken_playlists WHERE user_id = ? AND device_id = ? AND path = ?"
# What may have half arrived is not forgotten.
FORGET_OLD = """DELETE FROM taken_playlists WHERE user_id = ? AND is_done = 1 AND id NOT IN
    (SELECT id FROM taken_playlists WHERE user_id = ? ORDER BY id DESC LIMIT ?)"""
# So many lists of a person can be taken back.
MOST_TAKEN = 50
FILES = """SELECT path_key, file_path FROM downloads
    WHERE device_id = ? AND path_key IN (SELECT value FROM json_each(?))"""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenList:
    """A list that a person took home.

    Attributes:
        list_id: The playlist in Jellyfin; None for hearts, and for a new one that is being made.
        name: Of a new playlist; None for others.
        others: The playlists of that name that were there before.
        before, after: The items of the playlist.
        hearts_set, hearts_taken: The items whose hearts were changed.
        is_done: Whether Jellyfin has it all.
    """

    list_id: str | None = None
    name: str | None = None
    others: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    hearts_set: tuple[str, ...] = ()
    hearts_taken: tuple[str, ...] = ()
    is_done: bool = False

    @property
    def can_be_undone(self) -> bool:
        """Whether it is known what was changed in Jellyfin."""
        return self.list_id is not None or self.name is None


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

    def note(self, user_id: str, device_id: str, path: str, taken: TakenList) -> None:
        """Note what is taken home before Jellyfin is told, in place of an earlier time."""
        with self._db.write():
            # It is the newest then, with a number of its own.
            self._db.execute_sql(FORGET, [user_id, device_id, path])
            self._db.execute_sql(NOTE, [user_id, device_id, path, _to_json(taken)])
            self._db.execute_sql(FORGET_OLD, [user_id, user_id, MOST_TAKEN])

    def finish(self, user_id: str, device_id: str, path: str, taken: TakenList) -> None:
        """Record that Jellyfin has what was noted."""
        with self._db.write():
            self._db.execute_sql(DONE, [_to_json(taken), user_id, device_id, path])

    def taken(self, user_id: str, device_id: str) -> Mapping[str, TakenList]:
        """Return what a person took home from a device, by the paths of the lists."""
        rows = self._db.sql(TAKEN, (user_id, device_id))
        return {path: _to_taken(told, is_done=bool(is_done)) for path, told, is_done in rows}

    def forget(self, user_id: str, device_id: str, path: str) -> None:
        """Forget what was taken home: it was taken back, or Jellyfin has refused it."""
        with self._db.write():
            self._db.execute_sql(FORGET, [user_id, device_id, path])

    def files(self, device_id: str, keys: Collection[str]) -> Mapping[str, str]:
        """Return the paths of a device's downloads with these keys, whatever became of them."""
        return dict(self._db.sql(FILES, (device_id, json.dumps(list(keys)))))


def _to_json(taken: TakenList) -> str:
    return json.dumps(asdict(taken))


def _to_taken(told: str, *, is_done: bool) -> TakenList:
    facts = json.loads(told)
    lists = {name: tuple(value) for name, value in facts.items() if isinstance(value, list)}
    return TakenList(**{**facts, **lists, "is_done": is_done})
