from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from select import select
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests

from sidecar.errors import ConfigError
from sidecar.process.limits import BUSY_WORKERS_AN_ADDRESS
from sidecar.web.live import socketio
from sidecar.web.request.refusals import KEY
from sidecar.web.server import WebServer, cheroot, serve_in_thread
from tests.fakes.page import OpenPage
from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S
from tests.web.house import ANN, PASSWORD, WebHouse

if TYPE_CHECKING:
    from wsgiref.types import StartResponse


def connected(server: WebServer) -> socket.socket:
    address = urlsplit(server.url)
    return socket.create_connection((address.hostname, address.port or 0), timeout=PATIENCE_S)


def everything(line: socket.socket) -> bytes:
    received = b""
    while piece := line.recv(65536):
        received += piece
    return received


def test_it_answers_on_a_port_that_the_system_chose(server: WebServer) -> None:
    answer = requests.get(f"{server.url}/health", timeout=PATIENCE_S)

    assert answer.json() == {"status": "ok"}
    assert answer.headers["Server"] == "sidecar"


def test_a_taken_port_is_named_together_with_what_to_do(house: WebHouse, server: WebServer) -> None:
    port = urlsplit(server.url).port or 0
    second = WebServer(house.web.wsgi, "127.0.0.1", port)

    with pytest.raises(ConfigError, match=rf"server.port = {port}: another program listens"):
        second.bind()
    second.stop()


def test_an_address_of_another_machine_is_named(house: WebHouse) -> None:
    server = WebServer(house.web.wsgi, "192.0.2.1", 0)

    with pytest.raises(ConfigError, match=r"server\.host = .192\.0\.2\.1.: this machine does not"):
        server.bind()


def test_a_body_over_the_limit_is_refused_before_it_is_read(server: WebServer) -> None:
    answer = requests.post(f"{server.url}/api/v1/session", data=b"x" * 65_537, timeout=PATIENCE_S)

    assert answer.status_code == 413


def test_a_chunked_body_over_the_limit_is_refused(server: WebServer) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield b" " * 4096

    try:
        answer = requests.post(
            f"{server.url}/api/v1/session",
            data=endless(),
            headers={"Content-Type": "application/json"},
            timeout=PATIENCE_S,
        )
    except requests.ConnectionError:
        pass  # it hung up while we were sending
    else:
        assert answer.status_code == 413
    assert requests.get(f"{server.url}/health", timeout=PATIENCE_S).ok


def test_headers_over_the_limit_are_refused(server: WebServer) -> None:
    answer = requests.get(
        f"{server.url}/health", headers={"X-Long": "x" * 40_000}, timeout=PATIENCE_S
    )

    assert answer.status_code == 431


def test_silent_connections_keep_nobody_waiting(server: WebServer) -> None:
    with ExitStack() as opened:
        silent = [opened.enter_context(connected(server)) for _ in range(60)]

        answer = requests.get(f"{server.url}/health", timeout=PATIENCE_S)

        assert answer.ok
        # Before any of them was given up.
        assert select(silent, [], [], 0)[0] == []


def test_garbage_is_answered_with_a_refusal(server: WebServer) -> None:
    with connected(server) as line:
        line.sendall(b"\x16\x03\x01 what is this\r\n\r\n")

        assert b" 400 " in everything(line)[:40]


def test_fifty_pages_are_open_at_once_and_requests_are_still_answered(
    house: WebHouse, server: WebServer
) -> None:
    with ExitStack() as opened:
        pages = [
            opened.enter_context(OpenPage(server.url, cookie=house.begin_session(ANN)))
            for _ in range(50)
        ]
        assert [page.next()[0] for page in pages] == ["snapshot"] * 50
        signed_in = requests.post(
            f"{server.url}/api/v1/session",
            json={"username": "ann", "password": PASSWORD},
            timeout=PATIENCE_S,
        )

        assert signed_in.ok
        assert not any(page.closed(within_s=0) for page in pages)


@pytest.fixture
def patient_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a stop wait long for what holds it up, but not until silent pages are given up."""
    monkeypatch.setattr(cheroot, "STOP_WITHIN_S", socketio.PING_EVERY_S)


def assert_nothing_was_abandoned(caplog: pytest.LogCaptureFixture) -> None:
    assert "does not end" not in caplog.text


@pytest.mark.usefixtures("patient_stop")
def test_it_stops_at_once_while_pages_are_open_and_leaves_no_thread(
    house: WebHouse, caplog: pytest.LogCaptureFixture
) -> None:
    before, web = set(threading.enumerate()), house.web
    server = WebServer(web.wsgi, "127.0.0.1", 0)
    server.bind()
    thread = serve_in_thread(server)
    web.live.start()
    pages = [OpenPage(server.url, cookie=house.begin_session(ANN)) for _ in range(10)]

    web.live.stop()
    server.stop()
    thread.join(PATIENCE_S)

    assert_nothing_was_abandoned(caplog)
    assert all(page.closed() for page in pages)
    for page in pages:
        page.leave()
    for one in set(threading.enumerate()) - before:
        one.join(PATIENCE_S)
    assert set(threading.enumerate()) - before == set()


@pytest.mark.usefixtures("patient_stop")
def test_it_stops_at_once_even_if_it_is_stopped_before_the_live_connection(
    house: WebHouse, caplog: pytest.LogCaptureFixture
) -> None:
    web = house.web
    server = WebServer(web.wsgi, "127.0.0.1", 0)
    server.bind()
    thread = serve_in_thread(server)
    web.live.start()
    page = OpenPage(server.url, cookie=house.begin_session(ANN))

    server.stop()
    web.live.stop()
    thread.join(PATIENCE_S)

    assert_nothing_was_abandoned(caplog)
    assert page.closed()
    page.leave()


def test_a_request_that_hangs_is_named_and_not_waited_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = set(threading.enumerate())
    is_in, goes_on, is_over = threading.Event(), threading.Event(), threading.Event()

    def waits_for_jellyfin(_environ: object, start_response: StartResponse) -> list[bytes]:
        is_in.set()
        goes_on.wait(PATIENCE_S)
        is_over.set()
        start_response("200 OK", [("Content-Length", "0")])
        return []

    server = WebServer(waits_for_jellyfin, "127.0.0.1", 0)
    server.bind()
    thread = serve_in_thread(server)
    with connected(server) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert is_in.wait(PATIENCE_S)

        server.stop()

        assert not is_over.is_set()
        assert "waits_for_jellyfin" in caplog.text
    goes_on.set()
    for one in {thread, *threading.enumerate()} - before:
        one.join(PATIENCE_S)


def test_a_request_for_which_no_worker_is_free_is_answered_when_the_server_stops() -> None:
    before = set(threading.enumerate())
    goes_on = threading.Event()

    def waits(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        if KEY in environ:
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return []
        goes_on.wait(PATIENCE_S)
        start_response("200 OK", [("Content-Length", "0")])
        return []

    server = WebServer(waits, "127.0.0.1", 0)
    server.bind()
    thread = serve_in_thread(server)
    waiting = server._server.waiting
    with ExitStack() as opened:
        lines = [opened.enter_context(connected(server)) for _ in range(BUSY_WORKERS_AN_ADDRESS)]
        for line in lines:
            line.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_until(lambda: len(server._server.answering) == len(lines), what="busy workers")
        last = opened.enter_context(connected(server))
        last.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_until(lambda: waiting.qsize() == 1, what="the one that waits")

        server.stop()

        assert everything(last).startswith(b"HTTP/1.1 503 ")
        assert waiting.qsize() == 0
    goes_on.set()
    for one in {thread, *threading.enumerate()} - before:
        one.join(PATIENCE_S)


def test_a_refused_websocket_is_told_why(server: WebServer) -> None:
    with connected(server) as line:
        line.sendall(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )

        assert everything(line).startswith(b"HTTP/1.1 401 ")


def test_a_broken_handshake_ends_the_connection_and_nothing_else(
    house: WebHouse, server: WebServer
) -> None:
    cookie = house.begin_session(ANN).encode()
    with connected(server) as line:
        line.sendall(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
            b"Cookie: sidecar_session=" + cookie + b"\r\n"
            b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        )

        everything(line)

    assert requests.get(f"{server.url}/health", timeout=PATIENCE_S).ok
