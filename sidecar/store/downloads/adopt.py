"""Adoption: makes a file that is already on the device a completed download."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sidecar.clock import Clock
from sidecar.domain.downloads.download import MOVES, Download, Move, Status
from sidecar.domain.files.naming import make_path_key
from sidecar.domain.formats.formats import ORIGINAL
from sidecar.store.database import Database
from sidecar.store.downloads.insert import FilePlace, NewDownload, find_free_place, to_columns
from sidecar.store.downloads.queries import COLUMNS, DownloadQueries, to_download
from sidecar.store.downloads.transitions import FROM_ZERO, UNBLEMISHED, Columns, DownloadTransitions
from sidecar.store.schema.tables import DownloadRow


@dataclass(frozen=True, slots=True)
class AdoptedFile:
    """The file as it is on the device.

    Attributes:
        content_hash: xxh3-128; None if it was not read.
        format: `original`, or the name of the format that it was to have.
        source_size: Bytes of the original if it was converted; else None.
    """

    path: str
    size: int
    content_hash: str | None
    mime_type: str | None
    format: str = ORIGINAL
    source_size: int | None = None


class DownloadAdopter:
    """Adopts files. Safe to use from any thread."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        queries: DownloadQueries,
        transitions: DownloadTransitions,
    ) -> None:
        self._db = db
        self._clock = clock
        self._queries = queries
        self._transitions = transitions

    def adopt(self, wanted: NewDownload, file: AdoptedFile) -> Download | None:
        """Make a file the completed download of an item, at the path where it is.

        Args:
            wanted: The item, the device, and who wants it; its `places` are ignored.
            file: The file.

        Returns:
            None if the item has a file there already, is being fetched at this moment, or the
            place belongs to another download; then nothing was changed.
        """
        place = FilePlace(file.path, make_path_key(file.path))
        facts = _to_columns(file) | {"completed_at": self._clock.now()}
        with self._db.write():
            there = self._queries.by_item(wanted.device_id, wanted.item.id)
            if there is not None and (there.status, Move.ADOPT) not in MOVES:
                return None
            if there is None or make_path_key(there.file_path) != place.key:
                try:
                    find_free_place(self._db, wanted.device_id, [place])
                except ValueError:
                    return None
            if there is None:
                return self._insert_adopted(wanted, place, facts)
            where: Columns = {"file_path": place.path, "path_key": place.key}
            if not self._transitions.move(
                there, Move.ADOPT, **{**FROM_ZERO, **UNBLEMISHED, **facts, **where}
            ):
                return None
            return self._queries.get(there.id)

    def list_settled(self, device_id: str) -> list[tuple[str, str]]:
        """Return the items that need no adoption on a device, with their paths.

        They have a file there, or one is being fetched at this moment.
        """
        states = sorted(str(one) for one in Status if (one, Move.ADOPT) not in MOVES)
        return self._db.sql(
            "SELECT item_id, file_path FROM downloads WHERE device_id = ?"
            " AND status IN (SELECT value FROM json_each(?))",
            (device_id, json.dumps(states)),
        )

    def _insert_adopted(self, wanted: NewDownload, place: FilePlace, facts: Columns) -> Download:
        columns = to_columns(self._db, wanted, place, self._clock.now())
        columns |= {**facts, "status": Status.COMPLETED}
        row = self._db.execute_returning(DownloadRow.insert(**columns).returning(COLUMNS))[0]
        download = to_download(row)
        self._transitions.publish(download, None, Status.COMPLETED)
        return download


def _to_columns(file: AdoptedFile) -> dict[str, object]:
    return {
        "file_size": file.size,
        "bytes_downloaded": file.size,
        "content_hash": file.content_hash,
        "mime_type": file.mime_type,
        "format": file.format,
        "source_size": file.source_size,
        "started_at": None,
    }
