"""Who floods the server takes nothing from the others; `make floods` does it at full size."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import requests

from sidecar.process import limits
from sidecar.web.server import WebServer
from sidecar.web.server.fair_queue import FairQueue
from sidecar.web.server.incoming import Incoming
from tests.patience import PATIENCE_S
from tests.web.house import ANN, WebHouse, serving

HEAD = b"POST /x HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def server(house: WebHouse) -> Iterator[WebServer]:
    with serving(house.web) as server:
        yield server


def connected(server: WebServer) -> socket.socket:
    address = urlsplit(server.url)
    return socket.create_connection((address.hostname, address.port or 0), timeout=PATIENCE_S)


@pytest.mark.parametrize(
    "request_",
    [
        HEAD + b"\r\n",
        HEAD + b"Content-Length: 5\r\n\r\nhello",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;a=b\r\n!\r\n0\r\n",
    ],
)
def test_a_request_counts_as_come_with_its_last_byte(request_: bytes) -> None:
    incoming = Incoming()
    whole = []
    for octet in request_:
        incoming.octets.append(octet)
        whole.append(incoming.is_whole())

    assert whole == [False] * (len(request_) - 1) + [True]


@pytest.mark.parametrize(
    "octets",
    [b"\x16", b"x" * (limits.HEAD_BYTES + 1), HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"],
)
def test_what_will_be_refused_is_not_waited_for(octets: bytes) -> None:
    assert Incoming(octets).is_whole()


def test_who_has_fewest_answered_is_next_and_one_address_never_has_all() -> None:
    queue = FairQueue(has_limits=lambda _address: True)
    for _ in range(20):
        queue.put(SimpleNamespace(remote_addr="flood"))
    first = [queue.get() for _ in range(limits.BUSY_WORKERS_AN_ADDRESS)]

    queue.put(SimpleNamespace(remote_addr="ben"))

    assert {one.remote_addr for one in first} == {"flood"}  # type: ignore[attr-defined]  # made above
    assert queue.get().remote_addr == "ben"  # type: ignore[attr-defined]  # made above
    assert queue.qsize() == 20 - len(first)


def test_half_heads_and_half_bodies_cost_no_worker(server: WebServer) -> None:
    with ExitStack() as opened:
        for number in range(2 * limits.WORKERS):
            line = opened.enter_context(connected(server))
            line.sendall(HEAD + (b"Content-Length: 9\r\n\r\nab" if number % 2 else b"X-A: b\r\n"))

        assert requests.get(f"{server.url}/health", timeout=PATIENCE_S).ok


def test_the_oldest_silent_connection_of_an_address_makes_room_for_its_newest(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS_AN_ADDRESS", 3)
    with ExitStack() as opened:
        silent = [opened.enter_context(connected(server)) for _ in range(4)]

        assert silent[0].recv(1) == b""
        assert requests.get(f"{server.url}/health", timeout=PATIENCE_S).ok
        assert silent[1].recv(1) == b""


def ask_for_websocket(house: WebHouse, url: str) -> requests.Response:
    """Return the answer to a request that would become a WebSocket."""
    headers = {
        "Cookie": f"sidecar_session={house.begin_session(ANN)}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    return requests.get(url, headers=headers, timeout=PATIENCE_S)


def test_no_other_address_than_that_of_the_live_connection_becomes_a_websocket(
    house: WebHouse, server: WebServer
) -> None:
    answer = ask_for_websocket(house, f"{server.url}/health")

    assert answer.status_code == 200, answer.text


def test_a_websocket_of_a_connection_that_is_not_known_is_refused(
    house: WebHouse, server: WebServer
) -> None:
    answer = ask_for_websocket(
        house, f"{server.url}/socket.io/?EIO=4&transport=websocket&sid=unknown"
    )

    assert answer.status_code == 400
    assert answer.headers["Connection"] == "close"


def test_a_websocket_that_does_not_join_is_hung_up_on(
    house: WebHouse, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "JOIN_WITHIN_S", 0.2)
    head = (
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: sidecar_session="
    )
    with connected(server) as line:
        line.sendall(head + house.begin_session(ANN).encode() + b"\r\n\r\n")
        received = b""
        while piece := line.recv(4096):
            received += piece

    assert received.startswith(b"HTTP/1.1 101 ")
