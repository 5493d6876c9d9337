"""The folders of a device, as the paths of its downloads have them."""

from __future__ import annotations

from sidecar.domain.files.folders import owner_id
from sidecar.store.database import Database

FIRST_IN = """SELECT file_path, item_type, item_id, album_id, series_id FROM downloads
    WHERE device_id = ? AND path_key > ? AND path_key < ? ORDER BY id LIMIT 1"""
PATH_OF = "SELECT file_path FROM downloads WHERE device_id = ? AND item_id = ?"
NEXT = """SELECT path_key FROM downloads
    WHERE device_id = ? AND path_key >= ? AND path_key < ? ORDER BY path_key LIMIT 1"""
# Behind the last key of any kind.
LAST = "\U0010ffff"


class DeviceFolders:
    """The folders of one device. Implements `domain.files.folders.FoldersThere`.

    For one transaction that only adds downloads: what is found is remembered.
    """

    def __init__(self, db: Database, device_id: str) -> None:
        self._db = db
        self._device_id = device_id
        self._known: dict[str, tuple[str, str, str, str | None, str | None]] = {}

    def path_of(self, item_id: str) -> str | None:
        """Return the path of an item's download; None if it has none."""
        rows = self._db.sql(PATH_OF, (self._device_id, item_id))
        return next((str(path) for (path,) in rows), None)

    def spelling(self, key: str) -> str | None:
        """Return how a folder is spelled, without those above it; None if there is none."""
        first = self._first_in(key)
        return None if first is None else first[0].split("/")[key.count("/")]

    def owner(self, key: str) -> str | None:
        """Return what the first file in a folder belongs to; None if that is not known."""
        first = self._first_in(key)
        return None if first is None else owner_id(*first[1:])

    def has_entries(self, key: str, least: int) -> bool:
        """Whether a folder has at least so many files and folders; the key "" is the root.

        Each is found by one step in the index, however much is in it.
        """
        above, end = (f"{key}/", f"{key}0") if key else ("", LAST)
        start = above
        for _ in range(least):
            found = self._db.sql(NEXT, (self._device_id, start, end))
            if not found:
                return False
            name, slash, _ = found[0][0][len(above) :].partition("/")
            # "0" is the character after "/": behind all that is in this folder.
            start = f"{above}{name}0" if slash else f"{above}{name}\0"
        return True

    def _first_in(self, key: str) -> tuple[str, str, str, str | None, str | None] | None:
        # What comes later to a folder is not the first there.
        if key not in self._known:
            found = self._db.sql(FIRST_IN, (self._device_id, f"{key}/", f"{key}0"))
            if not found:
                return None
            self._known[key] = found[0]
        return self._known[key]
