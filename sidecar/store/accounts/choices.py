"""What each person chose last on the page: the device to download to, the rows of a list."""

from __future__ import annotations

from collections.abc import Callable

import peewee

from sidecar.store.database import Database
from sidecar.store.schema.tables import ChoiceRow


class Choices:
    """Remembers choices by their names. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, user_id: str, name: str) -> str | None:
        """Return what a person chose last; None if they never did."""
        query = ChoiceRow.select().where(ChoiceRow.user_id == user_id, ChoiceRow.name == name)
        return next((row["value"] for row in self._db.rows(query)), None)

    def named(self, user_id: str, prefix: str) -> dict[str, str]:
        """Return a person's choices whose names begin so."""
        query = ChoiceRow.select().where(
            ChoiceRow.user_id == user_id, ChoiceRow.name.startswith(prefix)
        )
        return {row["name"]: row["value"] for row in self._db.rows(query)}

    def drop(self, user_id: str, name: str) -> None:
        """Forget a choice."""
        which = (ChoiceRow.user_id == user_id, ChoiceRow.name == name)
        with self._db.write():
            self._db.execute(peewee.ModelDelete(ChoiceRow).where(*which))

    def change(self, user_id: str, name: str, change: Callable[[str | None], str | None]) -> None:
        """Change a choice as it is now; `change` returns what it becomes, None for no change."""
        with self._db.write():
            value = change(self.of(user_id, name))
            if value is not None:
                self.put(user_id, name, value)

    def put(self, user_id: str, name: str, value: str) -> None:
        """Remember a choice in place of the one before."""
        if self.of(user_id, name) == value:
            return
        row = ChoiceRow.insert(user_id=user_id, name=name, value=value)
        key = [ChoiceRow.user_id, ChoiceRow.name]
        with self._db.write():
            self._db.execute(row.on_conflict(conflict_target=key, preserve=[ChoiceRow.value]))
