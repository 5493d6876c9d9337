"""Opens the database for a short command, even while the sidecar is running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sidecar.assembly.store import database_place
from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.errors import AlreadyRunning, SidecarError
from sidecar.store.database import Database


@contextmanager
def open_database(settings: Settings, clock: Clock) -> Iterator[Database]:
    """Open the database, creating it if there is none; works beside a running sidecar.

    Raises:
        errors.DatabaseError: It cannot be used.
    """
    place = database_place(settings)
    try:
        db = place.open(clock)
    except AlreadyRunning:
        db = place.open_existing()
    try:
        yield db
    finally:
        db.close()


@contextmanager
def open_used_database(settings: Settings, clock: Clock) -> Iterator[Database]:
    """Do the same for what only a sidecar that has run can answer.

    Raises:
        errors.SidecarError: There is no database.
    """
    check_used(settings)
    with open_database(settings, clock) as db:
        yield db


def check_used(settings: Settings) -> None:
    """Make sure that there is a database, in place of making one that knows nothing.

    Raises:
        errors.SidecarError: There is none.
    """
    place = database_place(settings)
    if not place.exists():
        raise SidecarError(
            f"There is no {place}: the sidecar has never run with this data folder. If it runs "
            "with another one, give this command the same --config FILE or environment"
        )


def is_running(settings: Settings, clock: Clock) -> bool:
    """Whether a running sidecar uses the data folder."""
    place = database_place(settings)
    if not place.exists():
        return False
    try:
        place.open(clock).close()
    except AlreadyRunning:
        return True
    return False
