"""Facts about the whole installation, such as the id of its Jellyfin server."""

from __future__ import annotations

from functools import partial

from sidecar.store.database import Database
from sidecar.store.schema.tables import MetaRow


class Meta:
    """Key-value pairs of text. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, key: str) -> str | None:
        """Return a fact; None if it was never set."""
        return self._db.once((Meta, key), partial(self._read, key))

    def _read(self, key: str) -> str | None:
        rows = self._db.sql("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def set(self, key: str, value: str) -> None:
        """Set or replace a fact."""
        row = MetaRow.insert(key=key, value=value)
        with self._db.write():
            self._db.execute(
                row.on_conflict(conflict_target=[MetaRow.key], preserve=[MetaRow.value])
            )
