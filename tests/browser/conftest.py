from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from sidecar.events import Bus
from sidecar.services.accounts.person import Person
from sidecar.services.downloads.undo import UndoService
from sidecar.web.app import WebOptions, create_app
from sidecar.web.server import WebServer, serve_in_thread
from tests.fakes.actions import FakeActions
from tests.fakes.clock import FakeClock
from tests.fakes.desk import FakeDesk
from tests.fakes.web_services import services_of

DEADLINE_MS = 10_000

SignedIn = Callable[..., Page]


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
def acting(desk: FakeDesk) -> FakeActions:
    return FakeActions(desk)


@pytest.fixture
def server(desk: FakeDesk, bus: Bus, acting: FakeActions) -> Iterator[WebServer]:
    yield from served(desk, bus, 0, doing=acting)


def served(
    desk: FakeDesk, bus: Bus, port: int, base_url: str = "", doing: FakeActions | None = None
) -> Iterator[WebServer]:
    doing = doing or FakeActions(desk)
    undoing = UndoService(lambda _person, _reversal: True, FakeClock())
    services = services_of(desk, actions=doing, undo=undoing)
    web = create_app(services, bus, WebOptions(base_url=base_url))
    server = WebServer(web.wsgi, "127.0.0.1", port)
    server.bind()
    thread = serve_in_thread(server)
    web.live.start()
    yield server
    web.live.stop()
    server.stop()
    thread.join(5)
    assert not [one for one in threading.enumerate() if one.name.startswith("websocket-")]


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(DEADLINE_MS)
    yield context
    context.close()


@pytest.fixture
def signed_in(context: BrowserContext, desk: FakeDesk, server: WebServer) -> SignedIn:
    """Return what opens a page of somebody who has signed in."""

    def open_page(person: Person, path: str = "/downloads") -> Page:
        give_session(context, desk, server, person)
        page = context.new_page()
        page.goto(server.url + path)
        return page

    return open_page


def give_session(
    context: BrowserContext, desk: FakeDesk, server: WebServer, person: Person
) -> None:
    secret = desk.begin(person).secret
    context.add_cookies([{"name": "sidecar_session", "value": secret, "url": server.url}])


@pytest.fixture
def axe() -> str:
    """Return the accessibility checker's source."""
    here = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
    return here.read_text(encoding="utf-8")
