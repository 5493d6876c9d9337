"""The formats of a device's files, wanted and present."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sidecar.domain.formats.films import FILMS
from sidecar.domain.formats.formats import MUSIC
from sidecar.domain.space.reformat import PresentFile
from sidecar.store.database import Database

TYPES = json.dumps(sorted(MUSIC))
_WANTED = "CASE WHEN item_type IN (SELECT value FROM json_each(?1)) THEN ?2 ELSE ?3 END"
# This index holds the device as well: only rows of it are read, and none of its finished files.
# Of music and of films at once: thousands of rows may wait, and most of the time is to read them.
ALIGN = f"""UPDATE downloads INDEXED BY downloads_by_status SET format = {_WANTED}
    WHERE device_id = ?4 AND format <> {_WANTED}
        AND item_type IN (SELECT value FROM json_each(?5))
        AND status IN ('pending', 'paused', 'failed', 'removed')
    RETURNING id"""  # noqa: S608 - an expression of ours
_IS_MUSIC = """status = 'completed' AND missing_since IS NULL
        AND item_type IN (SELECT value FROM json_each(?2))"""
IN_FORMAT = f"""SELECT id FROM downloads INDEXED BY downloads_by_format
    WHERE device_id = ?1 AND format = ?3 AND {_IS_MUSIC} ORDER BY id"""  # noqa: S608 - ours
# Of each device whose name and formats are listed.
_LOW, _HIGH = (f"json_extract(one.value, '$[{place}]')" for place in (1, 2))
_FILE = f"""SELECT device_id, downloads.id, format, file_path, file_size, source_size, seconds,
        original_size
    FROM json_each(?1) AS one CROSS JOIN downloads INDEXED BY downloads_by_format
    ON device_id = json_extract(one.value, '$[0]') AND format {{}} AND {_IS_MUSIC}"""  # noqa: S608 - ours
# In ranges of the index: with OR, SQLite would go through all that the device has.
_OTHER = " UNION ALL ".join(
    map(_FILE.format, (f"< {_LOW}", f"> {_LOW} AND format < {_HIGH}", f"> {_HIGH}"))
)
OTHERS = f"SELECT * FROM ({_OTHER}) AS others ORDER BY id"  # noqa: S608 - an expression of ours
RELABEL = """UPDATE downloads SET format = ?
    WHERE status = 'completed' AND id IN (SELECT CAST(value AS INTEGER) FROM json_each(?))
    RETURNING id"""

WITH_ORIGINAL = """SELECT id FROM downloads
    WHERE original_size IS NOT NULL AND device_id = ? AND status = 'completed' LIMIT ?"""
WITHOUT = """UPDATE downloads SET original_size = NULL, validator = NULL
    WHERE status = 'completed' AND id IN (SELECT CAST(value AS INTEGER) FROM json_each(?))
    RETURNING id"""


class FormatStore:
    """Reads and changes the formats of downloads. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def align(self, device_id: str, music: str, film: str | None = None) -> int:
        """Set the format of all that is not completed yet; return how many changed.

        Args:
            device_id: The device.
            music: Name of the format of music.
            film: Name of the format of films; None leaves them as they are.
        """
        kinds = json.dumps(sorted(MUSIC if film is None else MUSIC | FILMS))
        values = (TYPES, music, film or music, device_id, kinds)
        with self._db.write():
            return len(self._db.execute_sql(ALIGN, values))

    def others(
        self, wanted: Mapping[str, tuple[str, str | None]]
    ) -> Mapping[str, Sequence[PresentFile]]:
        """Return the finished music files that were made for another format, by device.

        Args:
            wanted: By device the format, and another one that is right as well.
        """
        found: defaultdict[str, list[PresentFile]] = defaultdict(list)
        listed = [
            (device_id, *sorted((name, or_this or name)))
            for device_id, (name, or_this) in wanted.items()
        ]
        for device_id, *row in self._db.sql(OTHERS, (json.dumps(listed), TYPES)):
            found[device_id].append(PresentFile(*row))
        return found

    def in_format(self, device_id: str, name: str) -> list[int]:
        """Return the downloads of the finished music files that were made for this format."""
        return [row[0] for row in self._db.sql(IN_FORMAT, (device_id, TYPES, name))]

    def relabel(self, download_ids: Collection[int], name: str) -> None:
        """Record that these files fit this format."""
        with self._db.write():
            self._db.execute_sql(RELABEL, [name, json.dumps(sorted(download_ids))])

    def with_original(self, device_id: str, most: int) -> list[int]:
        """Return some of the finished downloads whose original is kept on a device."""
        return [row[0] for row in self._db.sql(WITH_ORIGINAL, (device_id, most))]

    def forget_originals(self, download_ids: Collection[int]) -> None:
        """Record that their originals are not kept any more."""
        with self._db.write():
            self._db.execute_sql(WITHOUT, [json.dumps(sorted(download_ids))])
