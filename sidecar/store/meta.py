"""Values of the whole installation by name, such as the id of its Jellyfin server."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from sidecar.store.database import Database
from sidecar.store.schema.tables import MetaRow


class Meta:
    """Stores one text under each name (`server_id`, `identity`…). Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, key: str) -> str | None:
        """Return the value of a name; None if it was never set."""
        return self._db.once((Meta, key), partial(self.read, key))

    def read(self, key: str) -> str | None:
        """Return the same as it is now, whatever was read in this look before."""
        rows = self._db.sql("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def list_all(self, prefix: str) -> Mapping[str, str]:
        """Return the values of all names that begin like this."""
        rows = self._db.sql(
            "SELECT key, value FROM meta WHERE substr(key, 1, ?) = ?", (len(prefix), prefix)
        )
        return {str(key): str(value) for key, value in rows}

    def set(self, key: str, value: str) -> None:
        """Set or replace the value of a name."""
        row = MetaRow.insert(key=key, value=value)
        with self._db.write():
            self._db.execute(
                row.on_conflict(conflict_target=[MetaRow.key], preserve=[MetaRow.value])
            )

    def replace(self, key: str, before: str | None, value: str) -> bool:
        """Set the value of a name that had this one before, or none; return whether it had."""
        if before is None:
            statement = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING"
            values: tuple[str, ...] = (key, value)
        else:
            statement = "UPDATE meta SET value = ? WHERE key = ? AND value = ?"
            values = (value, key, before)
        with self._db.write():
            return bool(self._db.execute_sql(f"{statement} RETURNING key", values))

    def take(self, key: str, value: str) -> bool:
        """Remove a name that has this value; return whether it had, which is true once only."""
        with self._db.write():
            gone = self._db.execute_sql(
                "DELETE FROM meta WHERE key = ? AND value = ? RETURNING key", (key, value)
            )
            return bool(gone)
