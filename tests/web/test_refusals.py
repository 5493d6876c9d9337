"""Malformed requests over bare sockets: each is answered in our form, or ended on purpose."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests
from cheroot import server as cheroot
from cheroot.connections import ConnectionManager
from cheroot.workers.threadpool import ThreadPool
from flask import Flask

from sidecar.errors import StoreTrouble
from sidecar.events import Bus
from sidecar.web import server as web_server
from sidecar.web.app import WebOptions, create_app
from sidecar.web.gate import HEADERS, Gate
from sidecar.web.hosts import HostList
from sidecar.web.refusals import Refusals
from sidecar.web.server import WebServer, serving
from tests.fakes.desk import ANN, FakeDesk

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PLACES = ("/api/v1/downloads", "/", "/socket.io/", "/media/item/x")
HOST = b"Host: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"
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
            lambda p: get(p, b"Connection: Upgrade\r\nUpgrade: websocket\r\n"),
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
    with socket.create_connection((address.hostname, address.port or 0), timeout=10) as line:
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
def test_whatever_comes_is_refused_in_our_form(server: WebServer, kind: str, path: str) -> None:
    octets, status = MALFORMED[kind]

    answer = ask(server, octets(path.encode()))

    if status is not None:
        assert answer.status == status
    if answer.status >= 400:
        assert_ours(answer, for_program=path != "/" and kind not in PATHLESS)
    else:
        # The path is that of the front page, or a body that it does not read.
        assert answer.status == 302 or (answer.status, path) == (303, "/"), answer
    assert requests.get(f"{server.url}/health", timeout=10).json() == {"status": "ok"}


def test_the_table_is_not_short() -> None:
    assert len(MALFORMED) >= 40
    assert PATHLESS <= set(MALFORMED)
