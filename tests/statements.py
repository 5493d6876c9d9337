"""Listens to the statements of a database: this thread's, and those of whoever writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import peewee

from sidecar.store.database import Database


def connections(db: Database) -> Sequence[peewee.Database]:
    """Return what is read and written through; both are the same on a server."""
    return list({id(one): one for one in (db.dialect.peewee, db.dialect.writer)}.values())


def trace(db: Database, tell: Callable[[str], object] | None) -> None:
    """Have `tell` called with each statement from now on; None ends it. For SQLite."""
    for one in connections(db):
        one.connection().set_trace_callback(tell)


def hook(db: Database, tell: Callable[[str, Sequence[object]], object]) -> Callable[[], None]:
    """Have `tell` called with each statement and its values; return what ends it."""
    for one in connections(db):
        one.query_hooks.append(lambda event: tell(event.sql, event.params))

    def end() -> None:
        for one in connections(db):
            one.query_hooks.clear()

    return end


@contextmanager
def broken(db: Database) -> Iterator[None]:
    """Have each query of downloads fail inside. For SQLite."""
    with db.write():
        db.sql("ALTER TABLE downloads RENAME TO downloads_away")
    yield
    with db.write():
        db.sql("ALTER TABLE downloads_away RENAME TO downloads")
