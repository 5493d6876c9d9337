"""Records for which finished files companions (cover, lyrics, subtitles) were looked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sidecar.store.database import Database

# A file that was fetched again has another `completed_at` and is checked again.
WAITING = """SELECT d.id, d.item_id, d.user_id, d.file_path, d.item_type,
        d.image_item_id, d.image_tag, d.completed_at
    FROM downloads AS d LEFT JOIN beside AS b
        ON b.download_id = d.id AND b.completed_at = d.completed_at
    WHERE d.status = 'completed' AND d.device_id = ? AND b.download_id IS NULL
        AND d.missing_since IS NULL
    ORDER BY d.file_path LIMIT ?"""
NOTE = """INSERT INTO beside (download_id, completed_at)
    SELECT id, completed_at FROM downloads WHERE id = ? AND completed_at = ? AND file_path = ?
    ON CONFLICT (download_id) DO UPDATE SET completed_at = excluded.completed_at"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A finished file whose companions were not looked for yet.

    Attributes:
        user_id: The account that fetched it.
        moment: When it was completed, as stored in the table.
    """

    id: int
    item_id: str
    user_id: str
    path: str
    item_type: str
    image_item_id: str | None
    image_tag: str | None
    moment: int


class CompanionFiles:
    """Stores which files were checked. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def waiting(self, device_id: str, most: int) -> Sequence[NewFile]:
        """Return files that were not checked since they arrived, in the order of their paths."""
        return [
            NewFile(
                id=row[0],
                item_id=row[1],
                user_id=row[2],
                path=row[3],
                item_type=row[4],
                image_item_id=row[5],
                image_tag=row[6],
                moment=row[7],
            )
            for row in self._db.sql(WAITING, (device_id, most))
        ]

    def note(self, looked_at: Iterable[NewFile]) -> None:
        """Record that these were checked, but those that were renamed since."""
        with self._db.write():
            for one in looked_at:
                self._db.sql(NOTE, (one.id, one.moment, one.path))
