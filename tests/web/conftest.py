from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from werkzeug.test import Client

from sidecar.events import Bus
from sidecar.services.desk import Person
from sidecar.web import actions, keys, steering
from sidecar.web.app import Web, create_app
from sidecar.web.server import WebServer, serving
from tests.fakes.actions import FakeActions
from tests.fakes.clock import FakeClock
from tests.fakes.desk import ANN, FakeDesk


@dataclass
class Browser:
    """A client with a session: sends the cookie, and the token when told to."""

    client: Client
    csrf: str


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def doing(desk: FakeDesk) -> FakeActions:
    return FakeActions(desk)


@pytest.fixture
def web(desk: FakeDesk, doing: FakeActions, bus: Bus, clock: FakeClock) -> Web:
    further = [actions.routes(doing), keys.routes(doing), steering.routes(doing)]
    return create_app(desk, bus, clock=clock, further=further)


@pytest.fixture
def client(web: Web) -> Client:
    return Client(web.wsgi)


@pytest.fixture
def ann(web: Web, desk: FakeDesk) -> Browser:
    return come_in(web, desk, ANN)


def come_in(web: Web, desk: FakeDesk, person: Person) -> Browser:
    visit = desk.begin(person)
    client = Client(web.wsgi)
    client.set_cookie("sidecar_session", visit.secret)
    return Browser(client, visit.csrf)


@pytest.fixture
def server(desk: FakeDesk, bus: Bus) -> Iterator[WebServer]:
    """A real server with the live connection; no thread of its may outlive it."""
    before = set(threading.enumerate())
    web = create_app(desk, bus)
    server = WebServer(web.wsgi, "127.0.0.1", 0)
    server.bind()
    thread = serving(server)
    web.live.start()
    yield server
    web.live.stop()
    server.stop()
    thread.join(5)
    left = [one.name for one in threading.enumerate() if one not in before and one.is_alive()]
    assert not left
