"""Migrates the tables, in numbered steps.

A database remembers the number of its last step in `user_version`. A step, once released, is
never edited: an error in it is fixed by a later one. All missing steps run in one
transaction, after a copy of the file was put beside it: the way back to an older version.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sidecar.errors import DatabaseError
from sidecar.store.schema.kept_tiles import KEPT_TILES, OWN_TILES
from sidecar.store.schema.own_copies import OWN_COPIES
from sidecar.store.schema.owners import COPIES, OWN_TALLIES, OWNERS, WORDS_OF_COPIES
from sidecar.store.schema.search_index import OFFLINE_SEARCH
from sidecar.store.schema.steps import (
    ACCEPTED,
    ACTIVITY,
    ARRIVALS,
    BESIDE,
    BROWSER_PLAYS,
    CHOICES,
    CONCERNS,
    DEVICE_MACHINES,
    DEVICE_PLAYLISTS,
    DEVICE_REPORTS,
    DEVICE_SETTINGS,
    FINDINGS,
    FIRST,
    FOLLOWED,
    FORMATS,
    HIDDEN,
    IDENTITY,
    KEY_EXPIRY,
    KEY_ORIGINS,
    LISTS,
    MISSING,
    ONE_TABLE_OF_FINDINGS,
    ORDERS,
    ORIGINALS,
    PAGE_SETTINGS,
    PLAYER_STATES,
    PLAYLISTS,
    PLAYS,
    PROCESSES,
    PUSH_SUBSCRIPTIONS,
    QUEUE_ORDER,
    RESTS,
    RULES,
    SELECTIONS,
    SERIES,
    SESSION_BROWSERS,
    TAKEN_PLAYLISTS,
    TILES,
    TOLD_ROOM,
    TURNS,
)
from sidecar.store.schema.tables import IMPORTED_PLAYS, PEERS

log = logging.getLogger(__name__)

COPIES_KEPT = 3

Step = tuple[str, ...]
STEPS: tuple[Step, ...] = (
    FIRST,
    RULES,
    DEVICE_SETTINGS,
    RESTS,
    PLAYS,
    QUEUE_ORDER,
    OFFLINE_SEARCH,
    FORMATS,
    PEERS,
    IMPORTED_PLAYS,
    PLAYLISTS,
    TILES,
    BESIDE,
    ORIGINALS,
    ACCEPTED,
    MISSING,
    KEY_EXPIRY,
    IDENTITY,
    SERIES,
    PAGE_SETTINGS,
    OWNERS,
    LISTS,
    HIDDEN,
    SESSION_BROWSERS,
    CHOICES,
    TURNS,
    ACTIVITY,
    FOLLOWED,
    CONCERNS,
    PLAYER_STATES,
    BROWSER_PLAYS,
    DEVICE_PLAYLISTS,
    TAKEN_PLAYLISTS,
    SELECTIONS,
    KEY_ORIGINS,
    PROCESSES,
    PUSH_SUBSCRIPTIONS,
    DEVICE_MACHINES,
    ORDERS,
    TOLD_ROOM,
    DEVICE_REPORTS,
    ARRIVALS,
    FINDINGS,
    COPIES,
    ONE_TABLE_OF_FINDINGS,
    WORDS_OF_COPIES,
    KEPT_TILES,
    OWN_TALLIES,
    OWN_TILES,
    OWN_COPIES,
)


def migrate(path: Path, steps: Sequence[Step] = STEPS) -> None:
    """Bring the database at `path` to the last of `steps`; make it if there is none.

    A crash at any statement leaves the old tables or the new ones, never something between.

    Raises:
        DatabaseError: A step failed; the tables are as they were.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if version >= len(steps):
            return
        if version:
            copy(connection, path.with_name(f"{path.name}.before-{version + 1}"))
            for old in list_copies(path)[COPIES_KEPT:]:
                old.unlink()
        try:
            _run(connection, steps[version:], len(steps))
        except sqlite3.Error as error:
            connection.rollback()
            raise DatabaseError(
                f"{path} could not be brought up to date and is as it was: {error}"
            ) from error
        log.info("%s: tables brought from step %d to %d", path.name, version, len(steps))


def list_copies(path: Path) -> list[Path]:
    """Return the copies from before migrations of the database at `path`, newest first."""
    copies = [
        one for one in path.parent.glob(f"{path.name}.before-*") if one.suffix[8:].isdecimal()
    ]
    return sorted(copies, key=lambda one: (one.stat().st_mtime_ns, one.name), reverse=True)


def copy(connection: sqlite3.Connection, to: Path) -> None:
    """Put a whole, synced copy of the open database at `to`; only its owner may read it."""
    draft = to.with_name(f"{to.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    try:
        connection.execute("VACUUM INTO ?", (str(draft),))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.replace(to)


def _run(connection: sqlite3.Connection, steps: Sequence[Step], last: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for step in steps:
        for statement in step:
            connection.execute(statement)
    if connection.execute("PRAGMA foreign_key_check").fetchone():
        raise sqlite3.IntegrityError("a row points at one that is not there")
    connection.execute(f"PRAGMA user_version = {last}")
    connection.execute("COMMIT")
