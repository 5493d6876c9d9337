"""The settings that admins set on the page, by the keys of the settings file.

What they mean, and which of them count, `services.configuration` knows.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import peewee

from sidecar.store.database import Database
from sidecar.store.errors import translate_database_errors
from sidecar.store.schema.recovery import open_to_read
from sidecar.store.schema.tables import PageSettingRow


class PageSettings:
    """Stores the settings of the page. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def all(self) -> dict[str, object]:
        """Return every setting of the page."""
        rows = self._db.rows(PageSettingRow.select())
        return {row["key"]: json.loads(row["value"]) for row in rows}

    def may_save(self) -> bool:
        """Whether this process may: the user of a machine that has joined may only read them."""
        with translate_database_errors(self._db.dialect.place):
            return self._db.dialect.may_change("page_settings")

    def save(self, changes: Mapping[str, object]) -> None:
        """Set some settings, all or none; None removes one."""
        with self._db.write():
            for key, value in changes.items():
                if value is None:
                    self._db.execute(
                        peewee.ModelDelete(PageSettingRow).where(PageSettingRow.key == key)
                    )
                    continue
                row = PageSettingRow.insert(key=key, value=json.dumps(value))
                target, kept = [PageSettingRow.key], [PageSettingRow.value]
                self._db.execute(row.on_conflict(conflict_target=target, preserve=kept))


def read_page_settings(path: Path) -> dict[str, object]:
    """Return the settings of the page from a database that a sidecar may be using.

    Nothing if there is no database yet, or it is of an older version.
    """
    if not path.is_file():
        return {}
    try:
        with closing(open_to_read(path)) as read:
            rows = read.execute("SELECT key, value FROM page_settings").fetchall()
    except sqlite3.Error:
        return {}
    return {key: json.loads(value) for key, value in rows}
