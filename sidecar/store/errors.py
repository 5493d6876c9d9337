"""Turns errors of SQLite and the file system into `DatabaseError`s with a message for people."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import peewee

from sidecar.domain.processes.machines import OF_MACHINE
from sidecar.errors import DatabaseError, LockedOut
from sidecar.messages import msg

SENTENCES = {
    sqlite3.SQLITE_BUSY: msg("is held by another program; try again in a moment"),
    sqlite3.SQLITE_LOCKED: msg("is held by another program; try again in a moment"),
    sqlite3.SQLITE_FULL: msg("cannot grow: the disk is full; it goes on when there is room"),
    sqlite3.SQLITE_READONLY: msg("cannot be written: it is read-only, or was moved or deleted"),
    sqlite3.SQLITE_IOERR: msg("cannot be read or written: the disk reports an error"),
    sqlite3.SQLITE_CANTOPEN: msg(
        "cannot be opened: check that the folder is there and may be written"
    ),
    sqlite3.SQLITE_PERM: msg("may not be opened: check who owns the file"),
    sqlite3.SQLITE_AUTH: msg("may not be opened: check who owns the file"),
    sqlite3.SQLITE_NOTADB: msg("is damaged; start the sidecar again, it puts a copy in its place"),
    sqlite3.SQLITE_CORRUPT: msg("is damaged; start the sidecar again, it puts a copy in its place"),
}

_OURS = (peewee.DatabaseError, peewee.InterfaceError, sqlite3.Error)
# By PostgreSQL's SQLSTATE.
SERVER_SENTENCES = {
    "55P03": msg("is held by another program; try again in a moment"),
    "53100": msg("cannot grow: the disk of its server is full; it goes on when there is room"),
    "25006": msg("cannot be written: its server only lets us read"),
    "42501": msg("may not be used: its user lacks rights there"),
    "53300": msg("does not take another connection: raise max_connections of its server"),
}
NO_ANSWER = msg(
    "cannot be reached: check the address, user and password, and that its server runs; "
    "it goes on when it answers"
)

LOCKED_OUT = msg(
    "The database {path} does not let this machine in any more: an admin has removed it, or a "
    "machine of the same name has joined. The files on its devices stay as they are; none comes "
    "or goes any more. To join again, have an admin make a code on the sidecar's page (Admin, "
    "Machines) and run `jellyfin-sidecar agent --join https://THE-PAGE CODE` here"
)


class translate_database_errors:  # noqa: N801 - used like a function
    """Turn SQLite's errors into `DatabaseError`s; those of wrong queries stay as they are.

    A class, as it is around each query: with a generator it takes thrice as long.
    """

    __slots__ = ("_place",)

    def __init__(self, place: object) -> None:
        self._place = place

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, _trace: object) -> None:
        """Raise a `DatabaseError` in place of SQLite's."""
        if not isinstance(error, Exception):
            return
        if not isinstance(error, _OURS) and not _is_of_server(error):
            return
        if _is_locked_out(error):
            raise LockedOut(msg(LOCKED_OUT, path=self._place)) from error
        sentence = SENTENCES.get(error_code(error) or 0) or _sentence_of_server(error)
        if sentence is not None:
            raise DatabaseError(
                msg("The database {path} {sentence}", path=self._place, sentence=sentence)
            ) from error


def _sentence_of_server(error: BaseException) -> str | None:
    own = _innermost(error)
    if not _is_of_server(own):
        return None
    state = getattr(own, "sqlstate", None)
    if state in SERVER_SENTENCES:
        return SERVER_SENTENCES[state]
    is_gone = state is None and type(own).__name__ in {"OperationalError", "InterfaceError"}
    # Connections that break, and servers that start or stop.
    return NO_ANSWER if is_gone or str(state).startswith(("08", "57P", "28", "3D")) else None


def _is_locked_out(error: BaseException) -> bool:
    """Whether a server refuses a connection to the user of a machine that has joined.

    It says so in its own language, and names the user; libpq passes on nothing else. Of an address
    that may not connect at all it says where that is written.
    """
    own = _innermost(error)
    is_refused = _is_of_server(own) and getattr(own, "sqlstate", None) is None
    return is_refused and OF_MACHINE in str(own) and "pg_hba.conf" not in str(own)


@contextmanager
def translate_file_errors(path: Path) -> Iterator[None]:
    """Turn errors of the file system into `DatabaseError`s."""
    try:
        yield
    except OSError as error:
        raise DatabaseError(
            msg(
                "The database {path} cannot be used: {reason}; check the folder",
                path=path,
                reason=error.strerror or error,
            )
        ) from error


def error_code(error: Exception) -> int | None:
    """Return SQLite's primary error code, None if the error is not SQLite's."""
    found: int | None = getattr(_innermost(error), "sqlite_errorcode", None)
    # What all processes share of the log is a file that grows: only for want of room it cannot.
    if found == sqlite3.SQLITE_IOERR_SHMSIZE:
        return sqlite3.SQLITE_FULL
    return None if found is None else found & 0xFF


def _innermost(error: BaseException) -> object:
    """Return the driver's own error; peewee's carry it as `orig`, sometimes one inside another."""
    own: object = error
    while isinstance(own, peewee.PeeweeException):
        own = getattr(own, "orig", None)
    return own


def _is_of_server(error: object) -> bool:
    """Whether psycopg raised it, which it can only if it is loaded (`dialects.driver`)."""
    psycopg = sys.modules.get("psycopg")
    return psycopg is not None and isinstance(error, psycopg.Error)
