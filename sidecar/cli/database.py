"""Opens the database for one short command, beside the sidecar that may be running on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sidecar.assembly import DATABASE
from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.errors import AlreadyRunning
from sidecar.store.database import Database


@contextmanager
def open_database(settings: Settings, clock: Clock) -> Iterator[Database]:
    """Open the database, making it if there is none; a running sidecar is no hindrance.

    Raises:
        errors.DatabaseError: The file cannot be used.
    """
    path = settings.server.data_dir / DATABASE
    try:
        db = Database.open(path, clock=clock)
    except AlreadyRunning:
        db = Database.open_existing(path)
    try:
        yield db
    finally:
        db.close()


def is_running(settings: Settings, clock: Clock) -> bool:
    """Whether a sidecar works on the data folder now."""
    path = settings.server.data_dir / DATABASE
    if not path.exists():
        return False
    try:
        Database.open(path, clock=clock).close()
    except AlreadyRunning:
        return True
    return False
