"""The database: opening and locking it, one connection per thread, transactions, events.

Tables and queries are in the modules beside this one, what differs between databases in `dialects`.
Nothing outside the store sees peewee, a row or an SQL error; errors become `DatabaseError`.

    with db.write():                    BEGIN IMMEDIATE … COMMIT, synced to the disk
        db.change(Row.update(…))
        db.after_commit(tell)           called after the commit, or never
    with db.look():                     of one page, say
        db.once("accounts", read)       read at the first time only
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import local
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import filelock
import peewee

from sidecar.clock import Clock
from sidecar.domain.processes.roles import ALONE, Roles
from sidecar.errors import AlreadyRunning, DatabaseError
from sidecar.process import private_files
from sidecar.process.fair_lock import FairLock
from sidecar.store.dialects.dialect import Dialect
from sidecar.store.dialects.postgresql import PostgresqlAddress, PostgresqlDialect
from sidecar.store.dialects.rows import Rows
from sidecar.store.dialects.sqlite import SqliteDialect
from sidecar.store.errors import translate_database_errors, translate_file_errors
from sidecar.store.schema import migrations, recovery
from sidecar.store.schema.tables import ProcessRow

BUSY_TIMEOUT_S = 5.0
DAILY_COPIES_KEPT = 3

Row = dict[str, Any]
Query = Any  # the stubs have no common type for what can be executed
T = TypeVar("T")


class _Mine(local):
    """The state of one thread."""

    news: list[Callable[[], object]] | None = (
        None  # what to call after the commit; None outside a write
    )
    reads: bool = False
    seen: dict[object, object] | None = None  # what was read in this look; None outside of one


class _Write:
    """The outermost write transaction of a thread, in whose block it has the writer.

    A class, as three are made for each file: with generators they take thrice as long.
    """

    __slots__ = ("_begun", "_db", "_is_lazy", "_mine", "_one_writer")

    def __init__(self, db: Database, mine: _Mine, one_writer: FairLock, *, lazily: bool) -> None:
        self._db = db
        self._mine = mine
        self._one_writer = one_writer
        self._is_lazy = lazily

    def __enter__(self) -> None:
        """Wait for the other writers, and begin."""
        if self._mine.reads:
            # SQLite refuses a write in a read transaction whose snapshot is old.
            raise RuntimeError("a write cannot begin inside a read")
        self._one_writer.__enter__()
        try:
            with translate_database_errors(self._db.dialect.place):
                self._begun = self._db.dialect.write(lazily=self._is_lazy)
                self._begun.__enter__()
        except BaseException:
            self._one_writer.__exit__()
            raise
        self._mine.news = []

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it, let the next writer in, and tell the news if it was committed."""
        news, self._mine.news = self._mine.news or (), None
        if self._mine.seen is not None:
            self._mine.seen = {}
        translating = translate_database_errors(self._db.dialect.place)
        try:
            with translating:
                self._begun.__exit__(kind, error, trace)
            translating.__exit__(kind, error, trace)
        finally:
            self._one_writer.__exit__()
        for tell in news if error is None else ():
            tell()


class Database:
    """One database. Safe to use from many threads; each gets its connection.

    Attributes:
        path: The file; copies are kept beside it and named after it.
        dialect: What this kind of database does in its own way.
        recovery: A sentence if a damaged or lost database had to be replaced.
    """

    def __init__(
        self,
        path: Path,
        dialect: Dialect,
        *,
        recovery_note: str | None = None,
        is_checked: bool = True,
    ) -> None:
        self.path = path
        self.dialect = dialect
        # Names this process in the claims of its workers; another one once its lease was lost.
        self.process_id = secrets.token_hex(8)
        self.recovery = recovery_note
        self._is_checked = is_checked
        self._mine = _Mine()
        # The database excludes other writers by itself, but by polling or a question over a
        # connection; a lock is faster, and lets nobody wait for who writes again and again.
        self._one_writer = FairLock()
        self._lock: filelock.BaseFileLock | None = None

    @classmethod
    def open(cls, path: Path, *, clock: Clock, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Self:
        """Lock the data folder; check, restore and migrate the file; open it.

        A file that is as the last sidecar left it is checked by `is_sound`, later. `recovery` is
        a message if a damaged or lost database had to be replaced.

        Raises:
            AlreadyRunning: Another sidecar has locked the folder.
            DatabaseError: The file cannot be used; nothing was changed.
        """
        path = path.absolute()
        with translate_file_errors(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A file that was restored with `cp` has the usual permissions.
            for part in path.parent.glob(f"{path.name}*"):
                private_files.keep_others_out(part)
            lock = lock_folder(path)
        try:
            with translate_file_errors(path), translate_database_errors(path):
                is_as_left = recovery.is_as_left(path)
                note = recovery.recover(path, clock.now(), wholly=not is_as_left)
                recovery.forget_end(path)
                path.touch(mode=0o600)
                migrations.migrate(path)
                recovery.write_sentinel(path)
            dialect = SqliteDialect(path, busy_timeout_s=busy_timeout_s)
            opened = cls(path, dialect, recovery_note=note, is_checked=not is_as_left)
        except BaseException:
            lock.release()
            raise
        opened._lock = lock
        return opened

    @classmethod
    def open_existing(cls, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Self:
        """Open the database for one short command, while a sidecar may be using it.

        Raises:
            DatabaseError: There is no database, or its tables are not of this version.
        """
        path = path.absolute()
        with translate_file_errors(path):
            condition = recovery.examine_file(path)
        if condition is not recovery.Condition.SOUND:
            raise DatabaseError(f"{path} is not a sound database of Jellyfin Sidecar")
        opened = cls(path, SqliteDialect(path, busy_timeout_s=busy_timeout_s))
        if opened.version() != len(migrations.STEPS):
            opened.close()
            raise DatabaseError(f"{path} is of an older version: `jellyfin-sidecar run` updates it")
        return opened

    @classmethod
    def open_server(
        cls,
        address: PostgresqlAddress,
        path: Path,
        *,
        roles: Roles = ALONE,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
    ) -> Self:
        """Keep other sidecars off a database on a server, migrate it, and open it.

        Those that share it may run at once; while one brings the tables to the last step it is
        alone.

        Args:
            address: The database.
            path: Where the file would be; copies are kept beside it and named after it.
            roles: What the process does, and whether it shares the database.
            busy_timeout_s: How long a writer waits for the others.

        Raises:
            AlreadyRunning: Another sidecar uses it.
            DatabaseError: It cannot be used; nothing was changed.
        """
        path = path.absolute()
        dialect = PostgresqlDialect(address, busy_timeout_s=busy_timeout_s)
        try:
            with translate_file_errors(path):
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with translate_database_errors(address):
                if roles.is_alone or not dialect.is_up_to_date():
                    dialect.claim()
                    dialect.prepare()
                if not roles.is_alone:
                    dialect.close()
                    dialect.claim(roles)
                    dialect.prepare()
        except BaseException:
            dialect.close_thread()
            dialect.close()
            raise
        return cls(path, dialect)

    @classmethod
    def open_existing_server(
        cls, address: PostgresqlAddress, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S
    ) -> Self:
        """Open a database on a server for one short command, while a sidecar may be using it.

        Raises:
            DatabaseError: There is no database, or its tables are not of this version.
        """
        dialect = PostgresqlDialect(address, busy_timeout_s=busy_timeout_s)
        opened = cls(path.absolute(), dialect)
        try:
            with translate_database_errors(address):
                dialect.check_ready()
        except BaseException:
            opened.close()
            raise
        return opened

    # -- writing

    def write(self) -> AbstractContextManager[None]:
        """A write transaction: afterwards all changes are on the disk, or none.

        Inside another `write` it joins that one. Do nothing slow inside: every
        other writer waits.

        Raises:
            DatabaseError: The database is busy for too long, full, read-only or broken.
        """
        return self._write(lazily=False)

    def write_lazily(self) -> AbstractContextManager[None]:
        """Like `write`, but without a sync: a power cut (not a crash) may undo it.

        The next `write` syncs it as well, so the order of commits stays.
        """
        return self._write(lazily=True)

    def after_commit(self, tell: Callable[[], object]) -> None:
        """Call `tell` once the current write is committed; never if it is rolled back."""
        if self._mine.news is None:
            raise RuntimeError("there is nothing to wait for outside a write")
        self._mine.news.append(tell)

    @property
    def is_writing(self) -> bool:
        """Whether this thread is in a `write`."""
        return self._mine.news is not None

    def execute(self, query: Query) -> int:
        """Run an INSERT, UPDATE or DELETE; return the number of rows (INSERT: the id)."""
        self._check_writing()
        changed: int = query.execute(self.dialect.writer)
        return changed

    def execute_returning(self, query: Query) -> list[Row]:
        """Run a statement with RETURNING; return its rows."""
        self._check_writing()
        return list(query.dicts().execute(self.dialect.writer))

    def execute_sql(self, text: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        """Run an SQL text with RETURNING; return its rows."""
        self._check_writing()
        return self.sql(text, parameters)

    # -- reading

    @contextmanager
    def read(self) -> Iterator[None]:
        """A read transaction: all queries inside see the same state."""
        if self._mine.news is not None or self._mine.reads:
            yield
            return
        with translate_database_errors(self.dialect.place), self.dialect.read():
            self._mine.reads = True
            try:
                yield
            finally:
                self._mine.reads = False

    def rows(self, query: Query) -> list[Row]:
        """Run a SELECT."""
        with translate_database_errors(self.dialect.place):
            return list(query.dicts().execute(self._connections))

    def row(self, query: Query) -> Row | None:
        """Run a SELECT; return its first row, None if there is none."""
        found = self.rows(query)
        return found[0] if found else None

    def sql(self, text: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a SELECT written as SQL text, where that is clearer or faster."""
        with translate_database_errors(self.dialect.place):
            cursor = self._connections.execute_sql(text, parameters)
            # A change without RETURNING has no rows to ask for.
            found: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
            return found

    def each(self, text: str, parameters: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """Run a SELECT of many rows, and yield them without ever having all.

        To be read to its end at once: until then the thread sees an old state.
        """
        with translate_database_errors(self.dialect.place):
            yield from self._connections.execute_sql(text, parameters)

    @contextmanager
    def look(self) -> Iterator[None]:
        """Answer each `once` of this thread only once until the end; a write begins it anew.

        A page asks for the same few rows in many places. Unlike `read` it holds no snapshot, so it
        may last as long as Jellyfin is waited for.
        """
        before, self._mine.seen = self._mine.seen, {}
        try:
            yield
        finally:
            self._mine.seen = before

    @property
    def is_file_locked(self) -> bool:
        """Whether no other process can begin while this one lives, even if it is cut off."""
        return self._lock is not None

    @property
    def is_looking(self) -> bool:
        """Whether this thread is in a `look`, and changes nothing."""
        return self._mine.seen is not None and self._mine.news is None

    def once(self, key: object, read: Callable[[], T]) -> T:
        """Return what `read` returns, or returned before under this key in the same look.

        The caller must not change it.
        """
        seen = self._mine.seen
        if seen is None or not self.is_looking:
            return read()
        if key not in seen:
            found = read()
            # A write meanwhile has begun another look.
            cast("dict[object, object]", self._mine.seen)[key] = found
            return found
        return cast("T", seen[key])

    @contextmanager
    def read_rows(self) -> Iterator[Rows]:
        """Read all rows of all tables in one state, to copy or compare them."""
        with self.read():
            yield self.dialect.rows()

    # -- life

    def version(self) -> int:
        """Return the number of the last step that the tables have been through."""
        with translate_database_errors(self.dialect.place):
            return self.dialect.read_version()

    def measure(self) -> int:
        """Return the bytes that the database takes."""
        with translate_database_errors(self.dialect.place):
            return self.dialect.measure()

    def is_answering(self) -> bool:
        """Whether the database can be read now."""
        try:
            self.sql("SELECT count(*) FROM meta")
        except DatabaseError:
            return False
        return True

    def is_sound(self) -> bool:
        """Whether the whole file is sound; looks at it unless it was looked at before.

        One that is not gives way to its newest copy at the next start.

        Raises:
            DatabaseError: It cannot be read.
        """
        if not self._is_checked:
            with translate_file_errors(self.path):
                found = recovery.examine_file(self.path)
            self._is_checked = found is recovery.Condition.SOUND
        return self._is_checked

    def back_up(self, clock: Clock) -> Path:
        """Make today's copy beside the database and delete all but the newest few.

        Raises:
            DatabaseError: It could not be made; older copies are kept.
        """
        to = self.path.parent / "backups" / f"{self.path.stem}-{clock.now():%Y-%m-%d}.db"
        with translate_file_errors(to), translate_database_errors(to):
            private_files.make_folder(to.parent)
            self.dialect.copy_to(to)
            for old in recovery.list_daily_copies(self.path)[DAILY_COPIES_KEPT:]:
                old.unlink()
        return to

    @contextmanager
    def thread(self) -> Iterator[None]:
        """Close this thread's connection at the end; to be put around the body of every thread."""
        try:
            yield
        finally:
            self.close_thread()

    def close_thread(self) -> None:
        """Close the connection of the calling thread; the next query opens another."""
        self.dialect.close_thread()

    def close(self) -> None:
        """Close this thread's connection and unlock the folder, after all other threads."""
        self.close_thread()
        self.dialect.close()
        if self._lock is not None:
            if self._is_checked:
                recovery.note_end(self.path)
            self._lock.release()

    # -- inside

    def _write(self, *, lazily: bool) -> AbstractContextManager[None]:
        if self._mine.news is not None:
            return self._joined(self._mine.news)
        return _Write(self, self._mine, self._one_writer, lazily=lazily)

    @contextmanager
    def _joined(self, news: list[Callable[[], object]]) -> Iterator[None]:
        mark = len(news)
        # Always the same name, so that each is prepared once; SQLite means the innermost by it.
        self.sql("SAVEPOINT inside")
        try:
            yield
            self.sql("RELEASE inside")
        except BaseException:
            del news[mark:]
            # On a full disk SQLite has rolled back all of it by itself.
            if getattr(self._connections.connection(), "in_transaction", True):
                self.sql("ROLLBACK TO inside")
                self.sql("RELEASE inside")
            raise

    @property
    def _connections(self) -> peewee.Database:
        """What this thread speaks to the database through now: in a write it is the writer."""
        return self.dialect.peewee if self._mine.news is None else self.dialect.writer

    def has_lease(self) -> bool:
        """Whether this process is known to the others: its lease has not been ended."""
        return bool(self.rows(ProcessRow.select().where(ProcessRow.id == self.process_id)))

    def _check_writing(self) -> None:
        if self._mine.news is None:
            raise RuntimeError("a change belongs inside `write`")


def lock_folder(path: Path) -> filelock.BaseFileLock:
    """Lock the folder of the database; the caller releases it.

    Raises:
        AlreadyRunning: Another sidecar has locked it.
    """
    lock = filelock.FileLock(
        path.parent / "sidecar.lock",
        mode=0o600,
        thread_local=False,
        preserve_lock_file=True,
        fallback_to_soft=False,
    )
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise AlreadyRunning(
            f"Another Jellyfin Sidecar is running on the data folder {path.parent}; "
            "stop it first, or give this one another folder"
        ) from None
    return lock
