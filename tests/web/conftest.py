from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client

from sidecar.device.drives import DevicePlaces
from sidecar.web.app import Web
from sidecar.web.server import WebServer
from tests.fakes.clock import FakeClock
from tests.web.house import (
    ANN,
    BEN,
    EVE,
    NO_DRIVES,
    Browser,
    WebHouse,
    only_for,
    serving,
    web_house,
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def users() -> tuple[str, ...]:
    """Return who uses the stick: everybody, so that only admins manage it.

    A module may say otherwise; somebody who uses it alone manages it as well.
    """
    return ()


@pytest.fixture
def places() -> DevicePlaces:
    """Return where devices can be; a module may say another place."""
    return NO_DRIVES


@pytest.fixture
def house(
    quick_path: Path, clock: FakeClock, users: tuple[str, ...], places: DevicePlaces
) -> Iterator[WebHouse]:
    with web_house(quick_path, clock, change=only_for(*users), places=places) as built:
        yield built


@pytest.fixture
def web(house: WebHouse) -> Web:
    return house.web


@pytest.fixture
def client(web: Web) -> Client:
    return Client(web.wsgi)


@pytest.fixture
def ann(house: WebHouse) -> Browser:
    return house.come_in(ANN)


@pytest.fixture
def ben(house: WebHouse) -> Browser:
    return house.come_in(BEN)


@pytest.fixture
def eve(house: WebHouse) -> Browser:
    return house.come_in(EVE)


@pytest.fixture
def server(house: WebHouse) -> Iterator[WebServer]:
    """A real server with the live connection; no thread of its may outlive it."""
    with serving(house.web) as server:
        yield server
