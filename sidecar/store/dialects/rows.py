"""Copies all rows from one database to another, whatever kinds they are, and compares them.

Tables and columns are those of this version's schema. Triggers do not run meanwhile: what they
keep is in tables that are copied as well.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Protocol

from sidecar.errors import DatabaseError
from sidecar.messages import msg
from sidecar.store.schema import migrations

BATCH = 2000
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        columns: Those that are stored.
        key: By which its rows are told apart.
        is_numbered: It numbers new rows by itself.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    is_numbered: bool

    @property
    def select(self) -> str:
        """All its rows in the order of their keys, which is the same everywhere."""
        return f"SELECT {self.names} FROM {self.name} ORDER BY {', '.join(self.key)}"  # noqa: S608 - ours

    @property
    def names(self) -> str:
        """Its columns, one after another."""
        return ", ".join(f'"{one}"' for one in self.columns)


@dataclass(frozen=True, slots=True)
class Content:
    """What is in a table: the number of its rows, and a digest of them all in their order."""

    rows: int
    digest: str


class Rows(Protocol):
    """The rows of one database, inside of a transaction."""

    def read(self, table: Table) -> Iterable[Row]:
        """Yield all rows of a table in the order of their keys."""
        ...

    def write(self, table: Table, rows: Iterable[Row]) -> None:
        """Add rows to a table."""
        ...

    def read_numbers(self) -> Mapping[str, int]:
        """Return the last number that any row had, of the tables that number their rows."""
        ...

    def write_numbers(self, numbers: Mapping[str, int]) -> None:
        """Let new rows be numbered from there on."""
        ...


@cache
def list_tables() -> Sequence[Table]:
    """Return the tables of this version; what a row points at comes before it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for step in migrations.STEPS:
            for statement in step:
                connection.execute(statement)
        names = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'offline%'"
            " AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
        ).fetchall()
        return tuple(_describe(connection, name) for (name,) in names)


def list_numbered() -> Sequence[str]:
    """Return the tables that number their rows by themselves."""
    return [one.name for one in list_tables() if one.is_numbered]


def copy(source: Rows, target: Rows) -> None:
    """Copy all rows into empty tables."""
    for table in list_tables():
        target.write(table, source.read(table))
    target.write_numbers(source.read_numbers())


def compare(source: Rows, target: Rows) -> Mapping[str, Content]:
    """Return what both have in each table.

    Raises:
        DatabaseError: They differ.
    """
    found = {}
    for table in list_tables():
        one, other = _measure(source.read(table)), _measure(target.read(table))
        if one != other:
            raise DatabaseError(
                msg(
                    "The rows of the table {table} are not the same in both databases; the one "
                    "that you have is as it was",
                    table=table.name,
                )
            )
        found[table.name] = one
    return found


class SqliteRows:
    """The rows of an SQLite file. Implements `Rows`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def read(self, table: Table) -> Iterable[Row]:
        """Yield all rows of a table in the order of their keys."""
        return self._connection.execute(table.select)

    def write(self, table: Table, rows: Iterable[Row]) -> None:
        """Add rows to a table."""
        places = ", ".join("?" * len(table.columns))
        text = f"INSERT INTO {table.name} ({table.names}) VALUES ({places})"  # noqa: S608 - ours
        self._connection.executemany(text, rows)

    def read_numbers(self) -> Mapping[str, int]:
        """Return the last number that any row had, of the tables that number their rows."""
        return dict(self._connection.execute("SELECT name, seq FROM sqlite_sequence"))

    def write_numbers(self, numbers: Mapping[str, int]) -> None:
        """Let new rows be numbered from there on."""
        kept = {row[0] for row in self._connection.execute(AUTOINCREMENT)}
        self._connection.execute("DELETE FROM sqlite_sequence")
        self._connection.executemany(
            "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)",
            [one for one in numbers.items() if one[0] in kept],
        )


AUTOINCREMENT = """SELECT name FROM sqlite_schema
    WHERE type = 'table' AND sql LIKE '%PRIMARY KEY AUTOINCREMENT%'"""


def fill_file(connection: sqlite3.Connection, source: Rows) -> None:
    """Copy all rows into a fresh file with tables, in one transaction."""
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid"
    ).fetchall()
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("BEGIN IMMEDIATE")
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    copy(source, SqliteRows(connection))
    for _, text in triggers:
        connection.execute(text)
    connection.execute("INSERT INTO offline (offline) VALUES ('rebuild')")
    if connection.execute("PRAGMA foreign_key_check").fetchone():
        raise DatabaseError(msg("A row of the database points at one that is not there"))
    connection.execute("COMMIT")


class PostgresqlRows:
    """The rows of a database on a server. Implements `Rows`; in a transaction of the caller's."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - psycopg's, which may not be there
        self._connection = connection

    def read(self, table: Table) -> Iterable[Row]:
        """Yield all rows of a table in the order of their keys."""
        with self._connection.cursor(name=f"rows_of_{table.name}") as cursor:
            cursor.itersize = BATCH
            cursor.execute(table.select)
            yield from cursor

    def write(self, table: Table, rows: Iterable[Row]) -> None:
        """Add rows to a table."""
        head = f"COPY {table.name} ({table.names}) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(head) as writing:
            for row in rows:
                if any(isinstance(one, str) and "\0" in one for one in row):
                    raise DatabaseError(
                        msg(
                            "A row of the table {table} has a zero byte in a text, which "
                            "PostgreSQL does not store; nothing was changed",
                            table=table.name,
                        )
                    )
                writing.write_row(row)

    def read_numbers(self) -> Mapping[str, int]:
        """Return the last number that any row had, of the tables that number their rows."""
        found = {name: self._last(name) for name in list_numbered()}
        return {name: last for name, last in found.items() if last is not None}

    def write_numbers(self, numbers: Mapping[str, int]) -> None:
        """Let new rows be numbered from there on."""
        for name in list_numbered():
            ((last,),) = self._connection.execute(f"SELECT max(id) FROM {name}").fetchall()  # noqa: S608 - ours
            newest = max(numbers.get(name, 0), last or 0)
            if newest:
                self._connection.execute(
                    "SELECT setval(pg_get_serial_sequence($1, 'id'), $2)", (name, newest)
                )

    def _last(self, table: str) -> int | None:
        text = "SELECT pg_sequence_last_value(pg_get_serial_sequence($1, 'id')::regclass)"
        ((last,),) = self._connection.execute(text, (table,)).fetchall()
        return None if last is None else int(last)


def fill_server(connection: Any, source: Rows) -> None:  # noqa: ANN401 - psycopg's, which may not be there
    """Copy all rows into the empty tables of a server, in a transaction of the caller's."""
    names = [one.name for one in list_tables()]
    for name in names:
        connection.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
    copy(source, PostgresqlRows(connection))
    for name in names:
        connection.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")


def _describe(connection: sqlite3.Connection, name: str) -> Table:
    # Columns that are made of others are not among them.
    columns = connection.execute(f"PRAGMA table_info({name})").fetchall()
    key = sorted((place, column) for _, column, *_, place in columns if place)
    is_numbered = any(one[1:3] == ("id", "INTEGER") and one[-1] for one in columns)
    return Table(
        name,
        tuple(one[1] for one in columns),
        tuple(column for _, column in key),
        is_numbered=is_numbered,
    )


def _measure(rows: Iterable[Row]) -> Content:
    digest, count = hashlib.sha256(), 0
    for some in _batches(rows):
        count += len(some)
        for row in some:
            digest.update(repr(row).encode())
    return Content(count, digest.hexdigest())


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while some := [tuple(one) for one in islice(left, BATCH)]:
        yield some
