"""Checks the database file before it is opened, and restores a damaged or lost one.

SQLite opens a file that was cut to nothing as a fresh, empty database and says not a word. So a
sentinel stands beside the file from the first day on:

    file      sentinel   then
    sound     any        go on
    absent    absent     a first start
    damaged   any        set it aside, restore the newest daily copy, or begin empty and say so
    absent    present    the same, with nothing to set aside

To look at every page of the file takes long, so who ends writes into the sentinel how it leaves
the file. Where that is still so, a start is content with the first page, and looks at the others
once it serves people: if they are damaged then, it starts again, which does the above.

A file of a newer sidecar, of another program, or one that the disk will not give is refused and
not touched. Nothing is ever deleted here.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime
from enum import Enum, auto
from pathlib import Path

from sidecar.errors import DatabaseError
from sidecar.store.schema.migrations import STEPS, list_copies
from sidecar.store.schema.steps import APPLICATION_ID

log = logging.getLogger(__name__)

DAMAGE = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}


class Condition(Enum):
    """What is found where the database should be."""

    ABSENT = auto()
    SOUND = auto()
    DAMAGED = auto()


def recover(path: Path, now: datetime, *, wholly: bool = True) -> str | None:
    """Make `path` safe to open; return a sentence for people if a database was lost.

    Args:
        path: The file.
        now: Names what is set aside.
        wholly: Look at every page of the file.

    Raises:
        DatabaseError: The file is a newer sidecar's, another program's, or cannot be read.
    """
    condition = examine_file(path, wholly=wholly)
    if condition is Condition.SOUND:
        return None
    if condition is Condition.ABSENT and not sentinel_path(path).exists():
        return None
    aside = _set_aside(path, now)
    restored = _restore(path)
    note = _note(path, aside, restored)
    log.error("%s", note)
    return note


def examine_file(path: Path, *, wholly: bool = True) -> Condition:
    """Look at the file, or only at what it begins with, without changing it.

    Raises:
        DatabaseError: As `recover`.
    """
    if not path.exists() or path.stat().st_size == 0:
        return Condition.ABSENT
    try:
        with closing(open_to_read(path)) as connection:
            return _examine(path, connection, wholly=wholly)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in DAMAGE:
            return Condition.DAMAGED
        raise DatabaseError(f"{path} cannot be read: {error}; nothing was changed") from error


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open the file to read it and to leave nothing: neither in it nor beside it."""
    # Read-only: a newer sidecar's write-ahead log must not be folded in by us. Where there is
    # none, `immutable` keeps SQLite from putting an empty one there, which stays.
    mode = "mode=ro" if _log_path(path).exists() else "immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)


def sentinel_path(path: Path) -> Path:
    """Return the file that says: there was a database here."""
    return path.with_name(f"{path.name}.exists")


def write_sentinel(path: Path) -> None:
    """Put the sentinel beside a database that is in use from now on."""
    sentinel_path(path).touch(mode=0o600)


def note_end(path: Path) -> None:
    """Note how a sound file is left, once all have closed it: nobody has to look at it again."""
    with suppress(OSError):
        if not _log_path(path).exists():
            sentinel_path(path).write_text(_describe(path))


def forget_end(path: Path) -> None:
    """Forget how the file was left: from now on it is in use."""
    with suppress(OSError), sentinel_path(path).open("r+") as noted:
        noted.truncate()


def is_as_left(path: Path) -> bool:
    """Whether the file still is as the last sidecar left it, which knew that it was sound."""
    with suppress(OSError):
        noted = sentinel_path(path).read_bytes()
        return noted == _describe(path).encode() and not _log_path(path).exists()
    return False


def _describe(path: Path) -> str:
    """Return what changes whenever anybody writes to the file, or puts another in its place."""
    there = path.stat()
    return f"{there.st_size} {there.st_mtime_ns} {there.st_ino}"


def _log_path(path: Path) -> Path:
    """Return the write-ahead log: it is there as long as anybody has the database open."""
    # SQLite puts it beside the file itself, where `path` is a link to it.
    file = path.resolve()
    return file.with_name(f"{file.name}-wal")


def list_daily_copies(path: Path) -> list[Path]:
    """Return the daily copies of the database, newest first."""
    return sorted((path.parent / "backups").glob(f"{path.stem}-????-??-??.db"), reverse=True)


def _examine(path: Path, connection: sqlite3.Connection, *, wholly: bool) -> Condition:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if not version and not tables:
        return Condition.ABSENT
    if owner != APPLICATION_ID:
        raise DatabaseError(f"{path} is the database of another program; nothing was changed")
    if version > len(STEPS):
        raise DatabaseError(
            f"{path} was written by a newer Jellyfin Sidecar (its tables are at step {version}, "
            f"this version knows {len(STEPS)}); nothing was changed. Start the newer one"
            f"{_way_back(path)}, or use another data folder"
        )
    if not wholly:
        return Condition.SOUND
    verdict: str = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    return Condition.SOUND if verdict == "ok" else Condition.DAMAGED


def _way_back(path: Path) -> str:
    """Name the newest copy from before a migration that this version can use, if there is one."""
    for one in list_copies(path):
        # The copy from before step N has the tables of step N - 1.
        if int(one.suffix.removeprefix(".before-")) - 1 <= len(STEPS):
            return f", go back with `jellyfin-sidecar restore {one}`"
    return ""


def _set_aside(path: Path, now: datetime) -> Path | None:
    """Rename the file and its companions, which belong to it alone; return where it is now."""
    name = f"{path.name}.damaged-{now:%Y-%m-%dT%H-%M-%S}"
    taken = len(list(path.parent.glob(f"{name}*")))
    aside = path.with_name(f"{name}-{taken}" if taken else name)
    found = False
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
            found = True
    return aside if found else None


def _restore(path: Path) -> Path | None:
    """Put the newest sound daily copy in place of the database; return which one it was."""
    for daily in _keep_sound(list_daily_copies(path)):
        draft = path.with_name(f"{path.name}.draft")
        shutil.copyfile(daily, draft)
        draft.chmod(0o600)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(path)
        return daily
    return None


def _keep_sound(files: list[Path]) -> Iterator[Path]:
    return (one for one in files if examine_file(one) is Condition.SOUND)


def _note(path: Path, aside: Path | None, restored: Path | None) -> str:
    lost = f"The database {path} was damaged or lost"
    kept = f" and was set aside as {aside.name}" if aside else ""
    if restored:
        return f"{lost}{kept}; the copy {restored.name} took its place, later changes are missing"
    return f"{lost}{kept}; there is no copy, so the sidecar begins empty: sign in again"
