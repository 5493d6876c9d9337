"""Facts about the whole installation: which Jellyfin server is ours, and the like."""

from __future__ import annotations

from sidecar.store.database import Database
from sidecar.store.schema.tables import MetaRow


class Meta:
    """Named texts. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, key: str) -> str | None:
        """Return a fact; None if it was never set."""
        row = self._db.row(MetaRow.select(MetaRow.value).where(MetaRow.key == key))
        return None if row is None else str(row["value"])

    def set(self, key: str, value: str) -> None:
        """Remember a fact, in place of what was there."""
        row = MetaRow.insert(key=key, value=value)
        with self._db.write():
            self._db.execute(
                row.on_conflict(conflict_target=[MetaRow.key], preserve=[MetaRow.value])
            )
