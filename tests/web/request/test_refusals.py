"""Malformed requests over bare sockets: each is answered in our form, or ended on purpose."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from sidecar.clock import SystemClock
from sidecar.process import limits
from sidecar.web.app import WebOptions, plain_flask
from sidecar.web.request.refusals import Refusals
from sidecar.web.security.hosts import HostList
from sidecar.web.security.middleware import HEADERS, Middleware
from sidecar.web.server import WebServer, serve_in_thread
from tests.fakes.clock import FakeClock
from tests.patience import PATIENCE_S
from tests.web.house import ANN, WebHouse, web_house

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PLACES = ("/api/v1/downloads", "/", "/socket.io/", "/media/item/x")
HOST = b"Host: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def get(path: bytes, headers: bytes = b"", body: bytes = b"", method: bytes = b"GET") -> bytes:
    return method + b" " + path + b" HTTP/1.1\r\n" + HOST + headers + b"\r\n" + body


def post(path: bytes, headers: bytes, body: bytes = b"") -> bytes:
    return get(path, JSON + headers, body, b"POST")


# What is sent, to which the path is put in, and the status; None where it depends on the place.
MALFORMED: MappingProxyType[str, tuple[Callable[[bytes], bytes], int | None]] = MappingProxyType(
    {
        "length of letters": (lambda p: post(p, b"Content-Length: abc\r\n"), 400),
        "negative length": (lambda p: post(p, b"Content-Length: -1\r\n"), 400),
        "signed length": (lambda p: post(p, b"Content-Length: +2\r\n", b"{}"), 400),
        "hexadecimal length": (lambda p: post(p, b"Content-Length: 0x2\r\n", b"{}"), 400),
        "length with underscore": (lambda p: post(p, b"Content-Length: 1_0\r\n", b"{}"), 400),
        "empty length": (lambda p: post(p, b"Content-Length:\r\n"), 400),
        "length in other digits": (
            lambda p: post(p, b"Content-Length: \xd9\xa2\r\n", b"{}"),
            400,
        ),
        "list of lengths": (lambda p: post(p, b"Content-Length: 2, 2\r\n", b"{}"), 400),
        "two lengths": (
            lambda p: post(p, b"Content-Length: 2\r\nContent-Length: 3\r\n", b"{} "),
            400,
        ),
        "two equal lengths": (
            lambda p: post(p, b"Content-Length: 2\r\ncontent-length: 2\r\n", b"{}"),
            400,
        ),
        "huge length": (lambda p: post(p, b"Content-Length: 99999999999999999999\r\n"), 413),
        "length over the limit": (lambda p: post(p, b"Content-Length: 65537\r\n"), 413),
        "length and chunked": (
            lambda p: post(p, b"Content-Length: 2\r\n" + CHUNKED, b"2\r\n{}\r\n0\r\n\r\n"),
            400,
        ),
        "unknown coding": (lambda p: post(p, b"Transfer-Encoding: gzip\r\n"), 501),
        "coding before chunked": (lambda p: post(p, b"Transfer-Encoding: gzip, chunked\r\n"), 501),
        "chunked twice": (lambda p: post(p, CHUNKED + CHUNKED, b"0\r\n\r\n"), 400),
        "coding that hides": (lambda p: post(p, b"Transfer-Encoding: \x0bchunked\r\n"), 501),
        "chunked in HTTP/1.0": (
            lambda p: b"POST " + p + b" HTTP/1.0\r\n" + HOST + CHUNKED + b"\r\n0\r\n\r\n",
            400,
        ),
        "chunk of letters": (lambda p: post(p, CHUNKED, b"xyz\r\n{}\r\n0\r\n\r\n"), None),
        "chunk without end": (lambda p: post(p, CHUNKED, b"2\r\n{}XX0\r\n\r\n"), None),
        "chunk of negative size": (lambda p: post(p, CHUNKED, b"-2\r\n{}\r\n0\r\n\r\n"), None),
        "oversized chunk": (lambda p: post(p, CHUNKED, b"fffffff\r\n" + b"x" * 70_000), None),
        "body cut off": (lambda p: post(p, b"Content-Length: 50\r\n", b"{}"), None),
        "HTTP/0.9": (lambda p: b"GET " + p + b"\r\n", 400),
        "HTTP/1.2": (lambda p: b"GET " + p + b" HTTP/1.2\r\n" + HOST + b"\r\n", 505),
        "HTTP/2.0": (lambda p: b"GET " + p + b" HTTP/2.0\r\n" + HOST + b"\r\n", 505),
        "HTTP/0.1": (lambda p: b"GET " + p + b" HTTP/0.1\r\n" + HOST + b"\r\n", 505),
        "version of letters": (lambda p: b"GET " + p + b" HTTP/x.y\r\n" + HOST + b"\r\n", 400),
        "signed version": (lambda p: b"GET " + p + b" HTTP/+1.1\r\n" + HOST + b"\r\n", 400),
        "other protocol": (lambda p: b"GET " + p + b" SIP/2.0\r\n\r\n", 400),
        "two spaces": (lambda p: b"GET  " + p + b" HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        "space in the path": (lambda p: b"GET " + p + b" x HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        "tab in the line": (lambda p: b"GET\t" + p + b" HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        "line feeds alone": (lambda p: b"GET " + p + b" HTTP/1.1\nHost: localhost\n\n", 400),
        "raw bytes in the path": (lambda p: get(p + b"\xff\xfe"), 400),
        "NUL in the path": (lambda p: get(p + b"\x00"), 400),
        "fragment": (lambda p: get(p + b"#x"), 400),
        "no slash": (lambda p: get(p[1:] + b"x"), 400),
        "two slashes": (lambda p: get(b"//[" + p), 400),
        "absolute target": (lambda p: get(b"http://localhost" + p), 400),
        "absolute broken target": (lambda p: get(b"http://[" + p), 400),
        "asterisk": (lambda _: get(b"*"), 400),
        "OPTIONS *": (lambda _: get(b"*", method=b"OPTIONS"), 405),
        "CONNECT": (lambda _: get(b"example.org:443", method=b"CONNECT"), 405),
        "broken CONNECT": (lambda _: get(b"//[", method=b"CONNECT"), 405),
        "lower-case method": (lambda p: get(p, method=b"get"), 400),
        "unknown method": (lambda p: get(p, method=b"BREW"), None),
        "TRACE": (lambda p: get(p, method=b"TRACE"), None),
        "method that is no token": (lambda p: get(p, method=b"G(T"), 400),
        "endless path": (lambda p: get(p + b"x" * 40_000), 414),
        "endless header": (lambda p: get(p, b"X-Long: " + b"x" * 40_000 + b"\r\n"), 431),
        "a thousand headers": (lambda p: get(p, b"X: y\r\n" * 1000), 431),
        "header without colon": (lambda p: get(p, b"nonsense\r\n"), 400),
        "space before the colon": (lambda p: get(p, b"X-Name : x\r\n"), 400),
        "folded header": (lambda p: get(p, b"X-Name: a\r\n b\r\n"), 400),
        "header without name": (lambda p: get(p, b": x\r\n"), 400),
        "NUL in a header": (lambda p: get(p, b"X-Name: a\x00b\r\n"), 400),
        "CR in a header": (lambda p: get(p, b"X-Name: a\rb\r\n"), 400),
        "no Host": (lambda p: b"GET " + p + b" HTTP/1.1\r\n\r\n", 400),
        "two Hosts": (lambda p: get(p, HOST), 400),
        "foreign Host": (lambda p: b"GET " + p + b" HTTP/1.1\r\nHost: evil.example\r\n\r\n", 400),
        "two keys": (
            lambda p: get(p, b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"),
            400,
        ),
        "headers cut off": (lambda p: b"GET " + p + b" HTTP/1.1\r\n" + HOST, 400),
        "line cut off": (lambda p: b"GET " + p + b" HT", 400),
        "TLS": (lambda _: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500, 400),
        "HTTP/2": (lambda _: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        "SSH": (lambda _: b"SSH-2.0-OpenSSH_9.2\r\n", 400),
        "one byte": (lambda _: b"\x00", 400),
        "escaped NUL": (lambda p: get(p + b"%00"), None),
        "escaped bytes": (lambda p: get(p + b"%ff%fe?q=%ff%00"), None),
        "escaped line": (lambda p: get(p + b"%0d%0aSet-Cookie:x"), None),
        "WebSocket without a key": (
            lambda p: get(p, UPGRADE),
            None,
        ),
    }
)
PATHLESS = {"asterisk", "OPTIONS *", "CONNECT", "broken CONNECT", "no slash", "two spaces"}
PATHLESS |= {"TLS", "HTTP/2", "SSH", "one byte", "tab in the line", "method that is no token"}
PATHLESS |= {"two slashes"}


@dataclass(frozen=True)
class Answer:
    """A response as it came over the connection, which must be over with it."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(server: WebServer, octets: bytes) -> Answer:
    """Send it, say that no more comes, and return the one whole response."""
    address = urlsplit(server.url)
    with socket.create_connection(
        (address.hostname, address.port or 0), timeout=PATIENCE_S
    ) as line:
        try:
            line.sendall(octets)
            line.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass  # it was refused before it was all sent
        received = b""
        while piece := line.recv(65536):
            received += piece
    return parsed(received)


def parsed(received: bytes) -> Answer:
    head, gap, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [^\r\n]+", first)
    assert gap, received
    assert match, first
    headers = [line.split(": ", 1) for line in lines]
    names = [name.lower() for name, _ in headers]
    assert len(set(names)) == len(names), names
    return Answer(int(match[1]), {name: value for name, value in headers}, body)  # noqa: C416 - lists of two


def assert_ours(answer: Answer, *, for_program: bool) -> None:
    """It is a refusal as a view gives one, and nothing of a library."""
    assert {name: answer.headers.get(name) for name in HEADERS} == dict(HEADERS)
    assert answer.headers["Server"] == "sidecar"
    assert "Date" in answer.headers
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert b"Traceback" not in answer.body
    assert b"cheroot" not in answer.body.lower()
    if for_program:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert json.loads(answer.body)["status"] == answer.status
        assert json.loads(answer.body)["detail"]
    else:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert b'<section class="card narrow">' in answer.body
    if answer.status == 405:
        assert "GET" in answer.headers["Allow"] or "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("kind", MALFORMED)
def test_whatever_comes_is_refused_in_our_form(shared: WebServer, kind: str, path: str) -> None:
    octets, status = MALFORMED[kind]

    answer = ask(shared, octets(path.encode()))

    if status is not None:
        assert answer.status == status
    if answer.status >= 400:
        assert_ours(answer, for_program=path != "/" and kind not in PATHLESS)
    else:
        # The path is that of the front page, or a body that it does not read.
        assert answer.status == 302 or (answer.status, path) == (303, "/"), answer
    assert requests.get(f"{shared.url}/health", timeout=PATIENCE_S).json() == {"status": "ok"}


def test_the_table_is_not_short() -> None:
    assert len(MALFORMED) >= 40
    assert set(MALFORMED) >= PATHLESS


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (CHUNKED + b"\r\nxyz\r\n{}\r\n0\r\n\r\n", 400),
        (CHUNKED + b"\r\n2\r\n{}XX0\r\n\r\n", 400),
        (CHUNKED + b"\r\n2\r\n{", 400),
        (CHUNKED + b"\r\n2\r\n{}\r\n", 400),
        (CHUNKED + b"\r\n0x2\r\n{}\r\n0\r\n\r\n", 400),
        (CHUNKED + b"\r\n" + b"0" * 300 + b"2\r\n{}\r\n0\r\n\r\n", 400),
        (CHUNKED + b"\r\n1\r\n{\r\n1;a=b\r\n}\r\n0\r\nX: y\r\n\r\n", 422),
        (CHUNKED + b"\r\n0\r\n\r\n", 400),
        (CHUNKED + b"\r\nfffffff\r\n" + b"x" * 200_000, 413),
        (CHUNKED + b"\r\n" + b"1000\r\n" + b"x" * 4096 + b"\r\n", 400),
        (b"Content-Length: 50\r\n\r\n{}", 400),
        (b"Content-Length: 2\r\n\r\n{]", 400),
        (b"Content-Length: 2\r\n\r\n\xff\xfe", 400),
        (b"Content-Length: 2\r\n\r\n{}", 422),
        (b"Content-Length: 2\r\nContent-Encoding: gzip\r\n\r\n{}", 422),
    ],
)
def test_a_broken_body_that_a_view_reads_is_refused_too(
    shared: WebServer, body: bytes, status: int
) -> None:
    head = b"POST /api/v1/session HTTP/1.1\r\n" + HOST + JSON

    answer = ask(shared, head + body)

    assert answer.status == status
    assert_ours(answer, for_program=True)


@pytest.mark.parametrize(
    "octets",
    [
        b"HEAD /api/v1/downloads HTTP/2.0\r\n\r\n",
        b"HEAD / HTTP/1.1\r\n" + HOST + b"Content-Length: x\r\n\r\n",
        b"HEAD /media/1 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"HEAD /socket.io/ HTTP/1.1\r\n" + HOST + b"\r\n",
    ],
)
def test_head_is_refused_without_a_body(shared: WebServer, octets: bytes) -> None:
    answer = ask(shared, octets)

    assert answer.status >= 400
    assert int(answer.headers["Content-Length"]) > 0
    assert answer.body == b""


def test_a_page_is_refused_in_the_reader_s_language(shared: WebServer) -> None:
    answer = ask(shared, get(b"/", b"Accept-Language: de\r\nContent-Length: x\r\n"))

    assert '<html lang="de">' in answer.body.decode()
    assert "Diese Anfrage ist nicht zu verstehen." in answer.body.decode()


def test_a_program_is_told_what_is_wrong(shared: WebServer) -> None:
    answer = ask(shared, post(b"/api/v1/session", b"Content-Length: x\r\n"))

    assert "The Content-Length is not a number." in json.loads(answer.body)["detail"]


def test_what_is_refused_long_before_its_end_still_reads_the_answer(shared: WebServer) -> None:
    sent = b"POST /api/v1/session HTTP/1.1\r\n" + HOST + b"Content-Length: 900000\r\n\r\n"

    answer = ask(shared, sent + b"x" * 900_000)

    assert answer.status == 413


@pytest.mark.parametrize(
    ("octets", "path"),
    [
        (b"", None),
        (b"GET /api/v1/x", "/api/v1/x"),
        (b"GET / HTTP/1.1\r\nHost: localh", "/"),
    ],
)
def test_who_is_too_slow_is_told_so(
    shared: WebServer, monkeypatch: pytest.MonkeyPatch, octets: bytes, path: str | None
) -> None:
    monkeypatch.setattr(limits, "HEAD_S", 0.3)
    address = urlsplit(shared.url)
    with socket.create_connection(
        (address.hostname, address.port or 0), timeout=PATIENCE_S
    ) as line:
        line.sendall(octets or b"\r\n")
        received = b""
        while piece := line.recv(65536):
            received += piece

    answer = parsed(received)
    assert answer.status == 408
    assert_ours(answer, for_program=bool(path and path.startswith("/api/")))


def test_a_body_that_does_not_come_is_refused_and_the_connection_ends(
    shared: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WHOLE_REQUEST_S", 0.3)
    monkeypatch.setattr(limits, "HEAD_S", 0.3)
    monkeypatch.setattr(limits, "HEAR_OUT_S", 0.1)
    address = urlsplit(shared.url)
    with socket.create_connection(
        (address.hostname, address.port or 0), timeout=PATIENCE_S
    ) as line:
        line.sendall(post(b"/api/v1/session", b"Content-Length: 50\r\n", b"{"))
        received = b""
        while piece := line.recv(65536):
            received += piece

    assert_ours(parsed(received), for_program=True)


def test_a_body_that_nobody_reads_does_not_become_the_next_request(shared: WebServer) -> None:
    inner = get(b"/health")
    first = get(b"/health", b"Content-Length: %d\r\n" % len(inner), inner)
    address = urlsplit(shared.url)
    with socket.create_connection(
        (address.hostname, address.port or 0), timeout=PATIENCE_S
    ) as line:
        line.sendall(first + get(b"/health", b"Connection: close\r\n"))
        received = b""
        while piece := line.recv(65536):
            received += piece

    assert received.count(b"HTTP/1.1 200 ") == 2


def test_a_header_with_an_underscore_is_not_taken_for_another(shared: WebServer) -> None:
    length = b"Content-Length: 2\r\n"

    real = ask(shared, post(b"/api/v1/session", length + b"Sec-Fetch-Site: cross-site\r\n", b"{}"))
    other = ask(shared, post(b"/api/v1/session", length + b"Sec_Fetch_Site: cross-site\r\n", b"{}"))

    assert (real.status, other.status) == (403, 400)
    assert "underscore" in json.loads(other.body)["detail"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """One server for all of them, which is a part of what they show."""
    folder = tmp_path_factory.mktemp("house")
    with web_house(folder, FakeClock()) as house, running(house.web.wsgi) as server:
        yield server


@contextmanager
def running(app: WSGIApplication) -> Iterator[WebServer]:
    server = WebServer(app, "127.0.0.1", 0)
    server.bind()
    thread = serve_in_thread(server)
    try:
        yield server
    finally:
        server.stop()
        thread.join(PATIENCE_S)


def around(below: WSGIApplication) -> Middleware:
    """Our gate round another application; only its refusals are ours."""
    refusals = Refusals(plain_flask(SystemClock()))
    return Middleware(below, refusals=refusals, hosts=HostList.of("localhost", []))


def test_below_a_base_url_a_program_is_answered_as_one(quick_path: Path, clock: FakeClock) -> None:
    options = WebOptions(base_url="/sidecar")
    with (
        web_house(quick_path, clock, options=options) as house,
        running(house.web.wsgi) as server,
    ):
        api = ask(server, get(b"/sidecar/api/v1/downloads", b"Content-Length: x\r\n"))
        page = ask(server, get(b"/sidecar/x", b"Content-Length: x\r\n"))
        outside = ask(server, get(b"/nothing"))

    assert_ours(api, for_program=True)
    assert_ours(page, for_program=False)
    assert re.search(rb'href="/sidecar/static/[0-9a-f]{16}/vendor/style\.css"', page.body)
    assert outside.status == 404
    assert_ours(outside, for_program=False)


def _raises(_environ: WSGIEnvironment, _start: StartResponse) -> list[bytes]:
    raise ValueError("nobody expected this")


def _raises_after_its_status(_environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
    start("200 OK", [("Content-Length", "2")])
    raise ValueError("nobody expected this")


def _raises_in_its_body(_environ: WSGIEnvironment, start: StartResponse) -> Iterator[bytes]:
    start("200 OK", [("Content-Length", "2")])
    yield b""
    raise ValueError("nobody expected this")


def _says_too_much(_environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
    start("200 OK", [("Content-Length", "2")])
    return [b"far more than two"]


def _loses_its_disk(_environ: WSGIEnvironment, _start: StartResponse) -> list[bytes]:
    raise OSError(5, "input/output error")


@pytest.mark.parametrize(
    "below",
    [_raises, _raises_after_its_status, _raises_in_its_body, _says_too_much, _loses_its_disk],
)
def test_a_failure_outside_of_every_view_shows_the_id_that_the_log_has(
    below: WSGIApplication, caplog: pytest.LogCaptureFixture
) -> None:
    with running(around(below)) as server:
        answer = ask(server, get(b"/api/v1/downloads"))

    assert answer.status == 500
    assert_ours(answer, for_program=True)
    error_id = json.loads(answer.body)["id"]
    told = [one for one in caplog.records if error_id in one.getMessage()]
    assert len(told) == 1
    assert told[0].exc_info


def test_a_failure_in_the_midst_of_a_body_ends_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def breaks_off(_environ: WSGIEnvironment, start: StartResponse) -> Iterator[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        yield b"so far"
        raise ValueError("nobody expected this")

    with running(around(breaks_off)) as server:
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            requests.get(f"{server.url}/", timeout=PATIENCE_S)
        assert "broke off" in caplog.text
        address = urlsplit(server.url)
        with socket.create_connection(
            (address.hostname, address.port or 0), timeout=PATIENCE_S
        ) as line:
            line.sendall(get(b"/"))
            received = b""
            while piece := line.recv(65536):
                received += piece

    assert received.count(b"HTTP/1.1") == 1
    assert not received.endswith(b"0\r\n\r\n")


def test_a_body_that_is_shorter_than_it_says_ends_the_connection() -> None:
    def is_short(_environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        start("200 OK", [("Content-Length", "5")])
        return [b"two"]

    with running(around(is_short)) as server:
        address = urlsplit(server.url)
        with socket.create_connection(
            (address.hostname, address.port or 0), timeout=PATIENCE_S
        ) as line:
            line.sendall(get(b"/"))
            received = b""
            while piece := line.recv(65536):
                received += piece

    assert received.endswith(b"\r\n\r\ntwo")


def test_a_store_in_trouble_is_told_by_the_live_connection_too(house: WebHouse) -> None:
    house.lose_database()

    with running(house.web.wsgi) as server:
        answer = ask(server, get(b"/socket.io/?EIO=4", b"Cookie: sidecar_session=x\r\n"))

    assert answer.status == 503
    assert_ours(answer, for_program=True)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ((b"EIO=3&transport=polling", b"GET", b""), 400),
        ((b"EIO=4&transport=other", b"GET", b""), 400),
        ((b"EIO=4&transport=polling&sid=nobody", b"GET", b""), 400),
        ((b"EIO=4&transport=polling&sid=nobody", b"POST", b""), 400),
        ((b"EIO=4&transport=websocket", b"GET", b""), 400),
        ((b"EIO=4&transport=polling&j=x", b"GET", b""), 400),
        ((b"EIO=4&transport=polling", b"PUT", b""), 405),
        ((b"EIO=4&transport=websocket", b"GET", b"Upgrade: websocket\r\n"), 400),
        ((b"EIO=4&transport=websocket", b"GET", UPGRADE), 400),
        ((b"EIO=4&transport=polling&sid=nobody", b"POST", UPGRADE), 400),
        (
            (
                b"EIO=4&transport=websocket",
                b"GET",
                UPGRADE
                + b"Sec-WebSocket-Version: 7\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
            ),
            400,
        ),
    ],
)
def test_engine_io_and_websockets_refuse_in_our_form(
    house: WebHouse, server: WebServer, asked: tuple[bytes, bytes, bytes], status: int
) -> None:
    query, method, upgrade = asked
    cookie = b"Cookie: sidecar_session=" + house.begin_session(ANN).encode() + b"\r\n"

    answer = ask(server, get(b"/socket.io/?" + query, cookie + upgrade, method=method))

    assert answer.status == status
    assert_ours(answer, for_program=True)


def test_one_websocket_too_many_is_told_so(
    server: WebServer, house: WebHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.web.server.websockets.SOCKETS", 0)
    cookie = b"Cookie: sidecar_session=" + house.begin_session(ANN).encode() + b"\r\n"

    answer = ask(server, get(b"/socket.io/?EIO=4&transport=websocket", cookie + UPGRADE))

    assert answer.status == 503
    assert_ours(answer, for_program=True)


def test_who_waits_while_it_stops_is_told_so() -> None:
    is_in, goes_on = threading.Event(), threading.Event()

    def waits(_environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        is_in.set()
        goes_on.wait(PATIENCE_S)
        start("200 OK", [("Content-Length", "4")])
        return [b"late"]

    before = set(threading.enumerate())
    with running(around(waits)) as server:
        address = urlsplit(server.url)
        with socket.create_connection(
            (address.hostname, address.port or 0), timeout=PATIENCE_S
        ) as line:
            line.sendall(get(b"/api/v1/downloads"))
            assert is_in.wait(PATIENCE_S)

            server.stop()
            received = b""
            while piece := line.recv(65536):
                received += piece
            goes_on.set()

    for one in set(threading.enumerate()) - before:
        one.join(PATIENCE_S)
    answer = parsed(received)
    assert answer.status == 503
    assert_ours(answer, for_program=True)


def test_who_comes_while_it_stops_is_told_so(server: WebServer) -> None:
    server._server.is_stopping = True

    answer = ask(server, get(b"/health"))

    assert answer.status == 503
    assert_ours(answer, for_program=True)
