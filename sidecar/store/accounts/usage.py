"""Counts the files and bytes that each account holds on the devices."""

from __future__ import annotations

from collections.abc import Mapping

from sidecar.store.database import Database

OF_EACH = """SELECT user_id, count(*), sum(file_size) FROM (
    SELECT DISTINCT holds.user_id, downloads.id, downloads.file_size
    FROM holds JOIN downloads
        ON downloads.device_id = holds.device_id AND downloads.item_id = holds.item_id
    WHERE downloads.status = 'completed' AND downloads.missing_since IS NULL
) AS every GROUP BY user_id"""


class UsageByAccount:
    """Counts what accounts hold. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def measure(self) -> Mapping[str, tuple[int, int]]:
        """Return the number of files and bytes of each account that holds any."""
        return {user_id: (files, octets or 0) for user_id, files, octets in self._db.sql(OF_EACH)}
