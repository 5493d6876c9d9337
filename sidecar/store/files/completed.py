"""Lists the complete files on a device, for its index page and its manifest.

Files that the last scan did not find are left out: the page lists what can be played.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sidecar.domain.files.catalogue import ListedFile
from sidecar.domain.files.manifest import ManifestFile
from sidecar.domain.formats.formats import ORIGINAL
from sidecar.store.database import Database
from sidecar.store.schema.fields import EPOCH, MILLISECOND

COMPLETED = """SELECT item_id, file_path, title, artist, album, item_type, file_size, content_hash,
        completed_at, format, source_size
    FROM downloads WHERE status = 'completed' AND device_id = ? AND missing_since IS NULL
    ORDER BY file_path"""
LISTED = """SELECT file_path, title, artist, album, item_type, file_size FROM downloads
    WHERE status = 'completed' AND device_id = ? AND missing_since IS NULL ORDER BY file_path"""
PATHS = "SELECT file_path FROM downloads WHERE status = 'completed' AND device_id = ?"
MUSIC = """SELECT file_path, album_id FROM downloads
    WHERE status = 'completed' AND device_id = ? AND item_type IN ('Audio', 'AudioBook')"""
BUSY = """SELECT EXISTS (SELECT 1 FROM downloads INDEXED BY downloads_by_status
    WHERE status = 'downloading' AND device_id = ?)"""


class CompletedFiles:
    """Lists complete files. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def files(self, device_id: str) -> Sequence[ListedFile]:
        """Return all complete files that the last scan found, in the order of their paths."""
        # The files of an album have its name and artist in common, in memory as well.
        shared: dict[str | None, str | None] = {}
        share = shared.setdefault
        return [
            ListedFile(
                path=path,
                title=title,
                artist=share(artist, artist),
                album=share(album, album),
                kind=share(kind, kind) or "",
                size=size or 0,
            )
            for path, title, artist, album, kind, size in self._db.each(LISTED, (device_id,))
        ]

    def each_file(self, device_id: str) -> Iterator[ManifestFile]:
        """Yield the same with all that a manifest tells of them."""
        for (
            item_id,
            path,
            title,
            artist,
            album,
            kind,
            size,
            content_hash,
            completed_at,
            made_as,
            source_size,
        ) in self.each_row(device_id):
            yield ManifestFile(
                item_id=item_id,
                path=path,
                title=title,
                artist=artist,
                album=album,
                kind=kind or "",
                size=size or 0,
                content_hash=content_hash,
                completed_at=EPOCH + (completed_at or 0) * MILLISECOND,
                format=made_as or ORIGINAL,
                source_size=source_size,
            )

    def each_row(self, device_id: str) -> Iterator[tuple[Any, ...]]:
        """Yield what `each_file` makes its values of: the path is the second of each row."""
        return self._db.each(COMPLETED, (device_id,))

    def mixed_folders(self, device_id: str) -> frozenset[str]:
        """Return the folders with music of several albums, or with any that is of no album."""
        albums: dict[str, str] = {}
        mixed = set()
        for path, album_id in self._db.each(MUSIC, (device_id,)):
            folder = path.rpartition("/")[0]
            if album_id is None or albums.setdefault(folder, album_id) != album_id:
                mixed.add(folder)
        return frozenset(mixed)

    def paths(self, device_id: str) -> Sequence[str]:
        """Return the paths of all complete files, missing ones included."""
        return [path for (path,) in self._db.sql(PATHS, (device_id,))]

    def is_busy(self, device_id: str) -> bool:
        """Whether anything is being fetched for a device now."""
        ((busy,),) = self._db.sql(BUSY, (device_id,))
        return bool(busy)
