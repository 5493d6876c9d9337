from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from sidecar.clock import SystemClock
from sidecar.services.accounts.person import Person
from sidecar.web.server import WebServer
from tests.fakes.clock import FakeClock
from tests.web.house import WebHouse, serving, web_house

DEADLINE_MS = 30_000

SignedIn = Callable[..., Page]


@pytest.fixture
def house(quick_path: Path) -> Iterator[WebHouse]:
    """The real services; news come in real time."""
    with web_house(quick_path, FakeClock(), web_clock=SystemClock()) as built:
        yield built


@pytest.fixture
def server(house: WebHouse) -> Iterator[WebServer]:
    with serving(house.web) as server:
        yield server


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(DEADLINE_MS)
    yield context
    context.close()


@pytest.fixture
def signed_in(context: BrowserContext, house: WebHouse, server: WebServer) -> SignedIn:
    """Return what opens a page of somebody who has signed in."""

    def open_page(person: Person, path: str = "/downloads") -> Page:
        give_session(context, house, server, person)
        page = context.new_page()
        page.goto(server.url + path)
        return page

    return open_page


def give_session(
    context: BrowserContext, house: WebHouse, server: WebServer, person: Person
) -> None:
    secret = house.begin_session(person)
    context.add_cookies([{"name": "sidecar_session", "value": secret, "url": server.url}])


@pytest.fixture
def port() -> Iterator[int]:
    """Return a port that nobody else is given while a server goes away and comes back."""
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]
