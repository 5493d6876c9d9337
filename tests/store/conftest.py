from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.events import Bus, Event
from sidecar.store.database import Database
from sidecar.store.devices.devices import Device, Devices
from sidecar.store.downloads.queue import Downloads
from tests.fakes.clock import START, FakeClock
from tests.store.examples import CARD, STICK, with_tables


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
def news(bus: Bus) -> list[Event]:
    told: list[Event] = []
    bus.subscribe(told.append)
    return told


@pytest.fixture
def db(tmp_path: Path, clock: FakeClock) -> Iterator[Database]:
    database = Database.open(with_tables(tmp_path / "state" / "sidecar.db"), clock=clock)
    Devices(database).save(Device(STICK, "Car stick", "/media/car", START))
    Devices(database).save(Device(CARD, "Player", "/media/player", START))
    statements: list[str] = []
    database._peewee.connection().set_trace_callback(statements.append)
    yield database
    database.close()
    assert changes_outside_of_an_immediate_transaction(statements) == []


def changes_outside_of_an_immediate_transaction(statements: list[str]) -> list[str]:
    """A read that turns into a write fails at once when another writer came between."""
    transaction, strays = "", []
    for statement in statements:
        word = statement.split()[0].upper()
        if word in {"BEGIN", "COMMIT", "ROLLBACK"}:
            transaction = statement if word == "BEGIN" else transaction
            transaction = transaction if word == "BEGIN" or " TO " in statement else ""
        elif word in {"INSERT", "UPDATE", "DELETE", "REPLACE"} and "IMMEDIATE" not in transaction:
            strays.append(statement)
    return strays


@pytest.fixture
def downloads(db: Database, bus: Bus, clock: FakeClock) -> Downloads:
    return Downloads(db, bus, clock)
