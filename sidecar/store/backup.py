"""Copies the whole database while it is in use, without secrets if wanted, and puts a copy back.

Putting back has one moment, a rename: before it the old database is there, after it the new one.
Nothing is deleted: what was there stays beside it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from sidecar.errors import DatabaseError
from sidecar.process import private_files
from sidecar.store.database import BUSY_TIMEOUT_S, lock_folder
from sidecar.store.errors import translate_database_errors, translate_file_errors
from sidecar.store.schema import migrations, recovery

# Sign-ins of browsers are never kept: one that has ended since must not come to life again.
_ALWAYS = {
    "push_subscriptions": "DELETE FROM push_subscriptions",
    "sessions": "DELETE FROM sessions",
}
_SECRET = {
    "accounts": "UPDATE accounts SET token_encrypted = NULL, state = 'signed-out'",
    "api_keys": "DELETE FROM api_keys",
    "choices": "DELETE FROM choices WHERE name = 'notification-addresses'",
    "meta": "DELETE FROM meta WHERE key IN ('webhooks', 'push-key')",
    "page_settings": "DELETE FROM page_settings WHERE json_extract(value, '$.sealed') NOT NULL",
}


def copy_database(path: Path, to: Path, *, with_secrets: bool) -> int:
    """Write a consistent copy of the database at `path`, which may be in use; return its schema.

    Raises:
        DatabaseError: There is no sound database, or the copy could not be written.
    """
    path = path.absolute()
    with translate_file_errors(path), translate_database_errors(path):
        if recovery.examine_file(path) is not recovery.Condition.SOUND:
            raise DatabaseError(f"{path} is not a sound database of Jellyfin Sidecar")
        source = f"{path.as_uri()}?mode=rw"
        with closing(
            sqlite3.connect(source, uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S)
        ) as connection:
            migrations.copy(connection, to)
    return clean(to, with_secrets=with_secrets)


def clean(path: Path, *, with_secrets: bool) -> int:
    """Take out of a copy what no copy has, and secrets if it is to have none; return its schema."""
    with translate_file_errors(path), translate_database_errors(path):
        return _clean(path, _ALWAYS if with_secrets else {**_ALWAYS, **_SECRET})


def check(draft: Path) -> None:
    """Check a copy that is to be put back.

    Raises:
        DatabaseError: It is no sound database, or is a newer version's.
    """
    if recovery.examine_file(draft) is not recovery.Condition.SOUND:
        raise DatabaseError(f"{draft.name} is not a sound database of Jellyfin Sidecar")


@contextmanager
def replacing(path: Path) -> Iterator[None]:
    """Keep every sidecar out of the data folder while its database is put back.

    Raises:
        AlreadyRunning: A sidecar is running on it.
    """
    with translate_file_errors(path):
        private_files.make_folder(path.parent)
        lock = lock_folder(path)
    try:
        yield
    finally:
        lock.release()


def put_back(path: Path, draft: Path, now: datetime) -> Path | None:
    """Rename `draft`, a file in the same folder, to the database; only inside `replacing`.

    Returns:
        Where the database is now that was there before; None if there was none.

    Raises:
        DatabaseError: The draft is no sound database, or is a newer version's; nothing changed.
    """
    path, draft = path.absolute(), draft.absolute()
    with translate_file_errors(path), translate_database_errors(path):
        check(draft)
        before = _keep_present(path, now)
        recovery.write_sentinel(path)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return before


def _clean(path: Path, statements: Mapping[str, str]) -> int:
    """Run the statements for the tables that are there; return the schema of the database."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        found = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        there = {name for (name,) in found}
        for table, statement in statements.items():
            if table in there:
                connection.execute(statement)
        # What was deleted would else still be in the free pages of the file.
        connection.execute("VACUUM")
        schema: int = connection.execute("PRAGMA user_version").fetchone()[0]
        return schema


def _keep_present(path: Path, now: datetime) -> Path | None:
    """Copy the present database aside, and fold its write-ahead log in: another's is poison."""
    beside = path.with_name(f"{path.name}.replaced-{now:%Y-%m-%dT%H-%M-%S}")
    try:
        condition = recovery.examine_file(path)
    except DatabaseError:
        # A newer sidecar's: its file and log are kept as they are.
        condition = recovery.Condition.DAMAGED
    if condition is recovery.Condition.SOUND:
        with closing(
            sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_S)
        ) as connection:
            migrations.copy(connection, beside)
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise DatabaseError(f"{path} is in use by another program; nothing was changed")
    elif path.exists():
        shutil.copyfile(path, beside)
        private_files.keep_others_out(beside)
    for suffix in ("-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists() and condition is recovery.Condition.SOUND:
            part.unlink()
        elif part.exists():
            part.rename(beside.with_name(beside.name + suffix))
    return beside if beside.exists() else None
