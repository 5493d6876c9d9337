"""SQLite: one file in WAL mode, with one writer at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, closing
from functools import partial
from pathlib import Path
from typing import Any

import peewee

from sidecar.store.dialects.dialect import WordSearch
from sidecar.store.dialects.rows import Rows, SqliteRows
from sidecar.store.errors import error_code
from sidecar.store.schema import migrations

TRIES = 3
# KiB of pages that each connection keeps. There is one for each thread, dozens of them, and the
# system keeps the file's pages for all: with SQLite's own 2000 a claim or a page is no quicker.
CACHE_KIB = 512
PRAGMAS = {
    "cache_size": -CACHE_KIB,
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    "journal_size_limit": 16 * 1024 * 1024,
}


class _Transaction:
    """A transaction of one connection: committed at the end of the block, or undone by an error.

    Not peewee's: three are made for each file, and that one takes three times as long.
    """

    __slots__ = ("_begin", "_connection")

    def __init__(self, connection: sqlite3.Connection, begin: str) -> None:
        self._connection = connection
        self._begin = begin

    def __enter__(self) -> None:
        """Begin; try a few times if another program has locked the file."""
        for left in reversed(range(TRIES)):
            try:
                self._connection.execute(self._begin)
            except sqlite3.OperationalError as error:
                if not left or error_code(error) != sqlite3.SQLITE_BUSY:
                    raise
            else:
                return

    def __exit__(self, kind: object, *_error: object) -> None:
        """Commit, or roll back."""
        if kind is None:
            try:
                self._connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise
        else:
            self._roll_back()

    def _roll_back(self) -> None:
        # On a full disk SQLite has done so by itself.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


class _Connections(peewee.SqliteDatabase):
    """Connections that pass statements on without a look at logging and a cursor of their own.

    A dozen are run for each file, and what peewee adds takes as long as a short one.
    """

    def execute_sql(self, sql: str, params: Sequence[object] | None = None) -> Any:  # noqa: ANN401 - a cursor
        """Run a statement; errors become peewee's, as ever."""
        if self.query_hooks:
            return super().execute_sql(sql, params)  # type: ignore[no-untyped-call]
        try:
            return self.connection().execute(sql, params or ())  # type: ignore[no-untyped-call]
        except sqlite3.Error:
            with peewee.__exception_wrapper__:  # type: ignore[attr-defined]
                raise


class SqliteDialect:
    """One file. Implements `Dialect`."""

    skip_locked = ""
    defer_foreign_keys = "PRAGMA defer_foreign_keys = ON"

    def __init__(self, path: Path, *, busy_timeout_s: float) -> None:
        self.place: object = path
        self._path = path
        # mode=rw: a file that is deleted while we run is not silently created anew.
        open_file = partial(
            _Connections,
            f"{path.as_uri()}?mode=rw",
            uri=True,
            pragmas=PRAGMAS,
            timeout=busy_timeout_s,
        )
        self.peewee: peewee.Database = open_file()
        # One for all threads, which write in turn: what another connection has changed each must
        # read again from the file, page by page.
        self.writer: peewee.Database = open_file(thread_safe=False, check_same_thread=False)
        self._synced = ""  # the writer's `synchronous`: FULL, NORMAL or not set yet
        # `offline` is read in the order of its rows, newest first, and never sorted.
        self.words = WordSearch(
            source="FROM offline CROSS JOIN downloads AS d ON d.id = offline.rowid"
            " WHERE offline MATCH ?",
            tiled="FROM offline CROSS JOIN tiled AS t ON t.download_id = offline.rowid"
            " WHERE offline MATCH ?",
            order="offline.rowid",
            order_of_few="offline.rowid",
            match=_match,
        )

    def write(self, *, lazily: bool) -> AbstractContextManager[Any]:
        """BEGIN IMMEDIATE … COMMIT, synced to the disk unless `lazily`.

        The next synced commit syncs a lazy one as well, so the order of commits stays.
        """
        how = "NORMAL" if lazily else "FULL"
        # Not possible inside a transaction, and for this connection only.
        if self._synced != how:
            self.writer.execute_sql(f"PRAGMA synchronous = {how}")
            self._synced = how
        return _Transaction(self.writer.connection(), "BEGIN IMMEDIATE")

    def read(self) -> AbstractContextManager[Any]:
        """BEGIN DEFERRED … COMMIT."""
        return _Transaction(self.peewee.connection(), "BEGIN DEFERRED")

    def close_thread(self) -> None:
        """Close the connection of the calling thread; the next query opens another."""
        self.peewee.close()

    def close(self) -> None:
        """Close the writer; the lock of the folder is the store's."""
        self.writer.close()
        self._synced = ""

    def is_claimed(self) -> bool:
        """Return True: the locked file stays locked as long as the process lives."""
        return True

    def count_anew(self, *tables: str) -> None:
        """Do nothing: its plans do not depend on how large the tables are."""

    def last_id(self, table: str) -> str:
        """Return an SQL expression: the last number that any row of a table had, or NULL."""
        return f"(SELECT seq FROM sqlite_sequence WHERE name = '{table}')"  # noqa: S608 - ours

    def rename_ids(self, table: str, column: str) -> str:
        """Return the statement that replaces ids as `new_ids` says, where no row has them yet."""
        return f"""UPDATE OR IGNORE {table}
            SET {column} = (SELECT new FROM new_ids WHERE old = {column})
            WHERE {column} IN (SELECT old FROM new_ids)"""  # noqa: S608 - names of ours

    def list_tables_with(self, column: str) -> Sequence[str]:
        """Return the tables that have such a column."""
        rows = self.peewee.execute_sql(
            "SELECT one.name FROM sqlite_master AS one JOIN pragma_table_info(one.name) AS its"
            " WHERE one.type = 'table' AND its.name = ? ORDER BY one.rowid",
            (column,),
        )
        return [name for (name,) in rows]

    def may_change(self, table: str) -> bool:  # noqa: ARG002 - whoever may write the file may
        """Whether our user may change a table."""
        return True

    def read_version(self) -> int:
        """Return the number of the last step that its tables have been through."""
        ((version,),) = self.peewee.execute_sql("PRAGMA user_version")
        return int(version)

    def measure(self) -> int:
        """Return the bytes of the file and of its write-ahead log."""
        parts = (self._path.with_name(f"{self._path.name}{end}") for end in ("", "-wal"))
        return sum(map(_size, parts))

    def rows(self) -> Rows:
        """Return all its rows, in a transaction of this thread."""
        return SqliteRows(self.peewee.connection())

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy of the file, while it is in use."""
        with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            migrations.copy(connection, path)


def _match(words: Collection[str]) -> str:
    """Return words as FTS5 looks for them: each is the beginning of one."""
    return " AND ".join('"{}" *'.format(one.replace('"', '""')) for one in words)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
