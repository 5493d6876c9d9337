"""Opens the database for a short command, even while the sidecar is running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sidecar.assembly.store import DATABASE
from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.errors import AlreadyRunning
from sidecar.store.database import Database


@contextmanager
def open_database(settings: Settings, clock: Clock) -> Iterator[Database]:
    """Open the database, creating it if there is none; works beside a running sidecar.

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
    """Whether a running sidecar uses the data folder."""
    path = settings.server.data_dir / DATABASE
    if not path.exists():
        return False
    try:
        Database.open(path, clock=clock).close()
    except AlreadyRunning:
        return True
    return False
