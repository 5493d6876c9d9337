from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.events import Bus, Event
from sidecar.store.database import Database
from sidecar.store.devices import Device, Devices
from sidecar.store.downloads import Downloads
from tests.fakes.clock import START, FakeClock
from tests.store.examples import CARD, STICK


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
    database = Database.open(tmp_path / "state" / "sidecar.db", clock=clock)
    Devices(database).save(Device(STICK, "Car stick", "/media/car", START))
    Devices(database).save(Device(CARD, "Player", "/media/player", START))
    yield database
    database.close()


@pytest.fixture
def downloads(db: Database, bus: Bus, clock: FakeClock) -> Downloads:
    return Downloads(db, bus, clock)
