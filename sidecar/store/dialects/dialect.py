"""What the store asks of a database, besides the SQL that all of them understand.

The statements of the store are written for SQLite, as portably as may be. What cannot be said in
the same words for all is here: `sqlite` is the default, `postgresql` the other one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import peewee

from sidecar.store.dialects.rows import Rows


@dataclass(frozen=True, slots=True)
class WordSearch:
    """How finished files are found by the beginnings of words in their titles.

    Attributes:
        source: The FROM and WHERE of the found rows, with the downloads as `d` and one parameter.
        tiled: The same of files that are there, with their rows of `tiled` as `t`; None where that
            is no quicker.
        order: What the rows are ordered by, so that the newest come first without sorting.
        order_of_few: The same where few rows of the table are found, and all of these are read.
        match: Makes the parameter from folded words.
    """

    source: str
    tiled: str | None
    order: str
    order_of_few: str
    match: Callable[[Collection[str]], str]


class Dialect(Protocol):
    """One database, and how it is spoken to. Safe to use from many threads.

    Attributes:
        place: Where the database is, for people: never with a password.
        writer: The connection of whoever writes; `peewee` where each thread writes by its own.
        peewee: The connections, one for each thread.
        words: How files are found by words.
        skip_locked: Ends a subquery that chooses a row to be claimed.
        defer_foreign_keys: The statement after which foreign keys are checked at the commit.
    """

    place: object
    writer: peewee.Database
    peewee: peewee.Database
    words: WordSearch
    skip_locked: str
    defer_foreign_keys: str

    def write(self, *, lazily: bool) -> AbstractContextManager[Any]:
        """Begin a transaction that excludes all other writers, and end it.

        Args:
            lazily: A power cut may undo it; the commit does not wait for the disk.
        """
        ...

    def read(self) -> AbstractContextManager[Any]:
        """Begin a transaction whose queries all see the same state, and end it."""
        ...

    def close_thread(self) -> None:
        """Close the connection of the calling thread; the next query opens another."""
        ...

    def close(self) -> None:
        """Let go of what is held for the whole process, after all threads."""
        ...

    def is_claimed(self) -> bool:
        """Whether others are still kept off that must not use it meanwhile."""
        ...

    def count_anew(self, *tables: str) -> None:
        """Let the database know how large tables are, in a transaction that is to write much.

        Plans that were made while a table was nearly empty may read all of it for each row.
        """
        ...

    def last_id(self, table: str) -> str:
        """Return an SQL expression: the last number that any row of a table had, or NULL."""
        ...

    def rename_ids(self, table: str, column: str) -> str:
        """Return the statement that replaces ids as `new_ids` says, where no row has them yet."""
        ...

    def list_tables_with(self, column: str) -> Sequence[str]:
        """Return the tables that have such a column."""
        ...

    def may_change(self, table: str) -> bool:
        """Whether our user may change a table; that of a machine that joined not all of them."""
        ...

    def read_version(self) -> int:
        """Return the number of the last step that its tables have been through."""
        ...

    def measure(self) -> int:
        """Return the bytes that the database takes."""
        ...

    def rows(self) -> Rows:
        """Return all its rows, in a transaction of this thread."""
        ...

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy of everything, an SQLite file, while the database is in use."""
        ...
