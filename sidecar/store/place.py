"""Where the database is: a file, or a database on a server; and moves it from one to the other."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sidecar.clock import Clock
from sidecar.domain.processes.roles import ALONE, Roles
from sidecar.errors import DatabaseError
from sidecar.messages import msg
from sidecar.process import private_files
from sidecar.store import backup
from sidecar.store.database import BUSY_TIMEOUT_S, Database
from sidecar.store.dialects import rows
from sidecar.store.dialects.postgresql import PostgresqlAddress, PostgresqlDialect
from sidecar.store.dialects.rows import Content
from sidecar.store.errors import translate_database_errors, translate_file_errors
from sidecar.store.page_settings import PageSettings, read_page_settings
from sidecar.store.schema import migrations


@dataclass(frozen=True, slots=True)
class Place:
    """Where a database is.

    Attributes:
        path: The file; with a server it is where it would be: copies are named after it.
        address: On a server; None for the file.
    """

    path: Path
    address: PostgresqlAddress | None = None

    def __str__(self) -> str:
        """Return it for people; there is no password in it."""
        return str(self.address or self.path)

    def open(self, clock: Clock, roles: Roles = ALONE) -> Database:
        """Open the database for a sidecar; make it if there is none.

        Raises:
            AlreadyRunning: Another sidecar uses it that does not share it, or does the same.
            DatabaseError: It cannot be used, or not by several; nothing was changed.
        """
        if self.address is not None:
            return Database.open_server(self.address, self.path, roles=roles)
        if not roles.is_alone:
            raise DatabaseError(
                msg(
                    "{path} is a file, which one sidecar uses at a time: `--role` needs a "
                    "PostgreSQL database (settings: database.url); without it one does all",
                    path=self.path,
                )
            )
        return Database.open(self.path, clock=clock)

    def open_existing(self) -> Database:
        """Open the database for one short command, while a sidecar may be using it.

        Raises:
            DatabaseError: There is none, or its tables are not of this version.
        """
        if self.address is None:
            return Database.open_existing(self.path)
        return Database.open_existing_server(self.address, self.path)

    def exists(self) -> bool:
        """Whether there may be a database: whether a server has one is known when it answers."""
        return self.address is not None or self.path.exists()

    def read_page_settings(self) -> dict[str, object]:
        """Return the settings of the page; nothing if there is no database of this version yet."""
        if self.address is None:
            return read_page_settings(self.path)
        try:
            db = self.open_existing()
        except DatabaseError:
            return {}
        with closing(db):
            return PageSettings(db).all()

    def copy_to(self, to: Path, *, with_secrets: bool) -> int:
        """Write a consistent copy, an SQLite file, while it may be in use; return its schema.

        Raises:
            DatabaseError: There is no sound database, or the copy could not be written.
        """
        if self.address is None:
            return backup.copy_database(self.path, to, with_secrets=with_secrets)
        with (
            closing(self.open_existing()) as db,
            translate_file_errors(to),
            translate_database_errors(self.address),
        ):
            db.dialect.copy_to(to)
        return backup.clean(to, with_secrets=with_secrets)

    @contextmanager
    def replacing(self) -> Iterator[None]:
        """Keep every sidecar off the database while it is put back.

        Raises:
            AlreadyRunning: A sidecar uses it.
        """
        if self.address is None:
            with backup.replacing(self.path):
                yield
            return
        with translate_file_errors(self.path):
            private_files.make_folder(self.path.parent)
        with _claimed(self.address):
            yield

    def put_back(self, draft: Path, now: datetime) -> Path | None:
        """Let a copy, an SQLite file beside `path`, take the place of the database.

        Only inside `replacing`.

        Returns:
            A copy of the database that was there before; None if there was none.

        Raises:
            DatabaseError: The copy is not sound, or of a newer version; nothing was changed.
        """
        if self.address is None:
            return backup.put_back(self.path, draft, now)
        before = self.path.with_name(f"{self.path.name}.replaced-{now:%Y-%m-%dT%H-%M-%S}")
        backup.check(draft)
        with translate_file_errors(draft):
            migrations.migrate(draft)
        dialect = PostgresqlDialect(self.address, busy_timeout_s=BUSY_TIMEOUT_S)
        try:
            with translate_file_errors(draft), translate_database_errors(self.address):
                dialect.prepare()
                is_empty = dialect.is_empty()
                if not is_empty:
                    dialect.copy_to(before)
                with closing(sqlite3.connect(draft)) as connection:
                    dialect.replace_all(rows.SqliteRows(connection))
        finally:
            dialect.close_thread()
        return None if is_empty else before


def move(source: Place, target: Place, clock: Clock) -> Mapping[str, Content]:
    """Copy a whole database to another place, and compare every row; `source` stays as it is.

    Returns:
        What both have in each table.

    Raises:
        AlreadyRunning: A sidecar uses one of them.
        DatabaseError: The target is not empty, or they differ; the target was not changed.
    """
    with closing(source.open(clock)) as db:
        if target.address is not None:
            return _move_to_server(db, target.address, source.path)
        return _move_to_file(db, target.path, clock.now())


def _move_to_server(db: Database, address: PostgresqlAddress, path: Path) -> Mapping[str, Content]:
    with closing(Database.open_server(address, path)) as there:
        dialect = there.dialect
        assert isinstance(dialect, PostgresqlDialect)  # noqa: S101 - it was opened as one
        if not dialect.is_empty():
            raise DatabaseError(
                msg(
                    "{place} has rows already: give an empty database; nothing was changed",
                    place=address,
                )
            )
        with translate_database_errors(address), db.read_rows() as found:
            return dialect.replace_all(found)


def _move_to_file(db: Database, path: Path, now: datetime) -> Mapping[str, Content]:
    path = path.absolute()
    draft = path.with_name(f"{path.name}.moving")
    with backup.replacing(path), translate_file_errors(path):
        draft.unlink(missing_ok=True)
        private_files.write(draft, b"")
        try:
            migrations.migrate(draft)
            with (
                closing(sqlite3.connect(draft, isolation_level=None)) as connection,
                translate_database_errors(db.dialect.place),
                db.read_rows() as found,
            ):
                rows.fill_file(connection, found)
                same = rows.compare(found, rows.SqliteRows(connection))
                connection.execute("PRAGMA journal_mode = DELETE")
            backup.put_back(path, draft, now)
        finally:
            draft.unlink(missing_ok=True)
    return same


@contextmanager
def _claimed(address: PostgresqlAddress) -> Iterator[None]:
    dialect = PostgresqlDialect(address, busy_timeout_s=BUSY_TIMEOUT_S)
    with translate_database_errors(address):
        dialect.claim()
    try:
        yield
    finally:
        dialect.close()
