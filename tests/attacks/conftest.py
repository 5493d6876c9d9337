"""A house to attack: the real services behind the real web server, on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.web.server import WebServer, serve_in_thread
from tests.fakes.clock import FakeClock
from tests.patience import PATIENCE_S
from tests.web.house import WebHouse, web_house


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def house(tmp_path: Path, clock: FakeClock) -> Iterator[WebHouse]:
    with web_house(tmp_path, clock) as built:
        yield built


@pytest.fixture
def url(house: WebHouse) -> Iterator[str]:
    """Return where the house is served, with its live connection."""
    server = WebServer(house.web.wsgi, "127.0.0.1", 0)
    server.bind()
    thread = serve_in_thread(server)
    house.web.live.start(around=house.store.db.thread)
    yield server.url
    house.web.live.stop()
    server.stop()
    thread.join(PATIENCE_S)
