"""Heads that are read or written here say the same as when the library does it."""

from __future__ import annotations

import io
import socket
from http.client import HTTPException, HTTPResponse
from typing import cast

import pytest
from urllib3.connection import HTTPConnection

from sidecar.transfer.http.heads import FastResponse, open_pool

ORDINARY = b"HTTP/1.1 200 OK\r\nContent-Type: audio/flac\r\nContent-Length: 5\r\n"
LONG = b"".join(b"X-%d: y\r\n" % number for number in range(120))
HEADS = {
    "ordinary": ORDINARY,
    "partial": b"HTTP/1.1 206 Part\r\ncontent-range: bytes 0-4/9\r\ncontent-length:5\r\n",
    "spaces": b"HTTP/1.1 200 \r\nContent-Length: \t 5\r\nDate:  now \r\nEmpty:\r\n",
    "kept": ORDINARY + b"Connection: Keep-Alive\r\nKeep-Alive: timeout=5\r\n",
    "twice the same name": ORDINARY + b"Vary: a\r\nVary: b\r\n",
    "closes": ORDINARY + b"Connection: close\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n",
    "both": ORDINARY + b"Transfer-Encoding: chunked\r\n",
    "two lengths": ORDINARY + b"Content-Length: 3\r\n",
    "negative": b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n",
    "no number": b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n",
    "no length": b"HTTP/1.1 200 OK\r\nA: b\r\n",
    "old": b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n",
    "not found": b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n",
    "continued line": ORDINARY + b"A: b\r\n c\r\n",
    "bare line ends": ORDINARY.replace(b"\r\n", b"\n"),
    "no colon": ORDINARY + b"Nothing\r\n",
    "space before the colon": ORDINARY + b"A : b\r\n",
    "other letters": ORDINARY + "Ä: ö\r\nB: ö\r\n".encode(),
    "control character": ORDINARY + b"A: \x00b\r\n",
    "too many": ORDINARY + LONG,
    "no head": b"SSH-2.0-OpenSSH\r\n",
    "after a continue": b"HTTP/1.1 100 Continue\r\n\r\n" + ORDINARY,
}


class Line:
    """A socket from which these bytes come."""

    def __init__(self, told: bytes) -> None:
        self._told = told

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(cast("io.RawIOBase", io.BytesIO(self._told)))


def read(kind: type[HTTPResponse], told: bytes) -> object:
    response = kind(cast("socket.socket", Line(told)), method="GET")
    try:
        response.begin()
    except HTTPException as error:
        return type(error)
    return (
        (response.status, response.reason, response.version, response.length),
        (response.chunked, response.will_close),
        sorted(response.headers.items()),
        b"" if response.chunked else response.read1(100),
    )


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_a_head_says_what_it_says_to_the_library(head: bytes) -> None:
    told = head + b"\r\nabcde"

    assert read(FastResponse, told) == read(HTTPResponse, told)


def test_a_head_that_is_not_all_there_is_waited_for() -> None:
    assert read(FastResponse, ORDINARY) == read(HTTPResponse, ORDINARY)


def test_the_ordinary_one_is_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(HTTPResponse, "begin")

    assert read(FastResponse, ORDINARY + b"\r\nabcde")


ASKED = {"Authorization": 'MediaBrowser Token="t"', "Accept-Encoding": "identity"}
REQUESTS: dict[str, tuple[str, str, dict[str, str]]] = {
    "ordinary": ("http://music.example:8096", "/Items/1/Download", ASKED),
    "a rest": (
        "http://10.0.0.1",
        "/a?b=%20c",
        {**ASKED, "Range": "bytes=5-", "If-Unmodified-Since": "Tue, 14 Nov 2023 22:13:20 GMT"},
    ),
    "an agent of its own": ("http://a", "/", {**ASKED, "User-Agent": "me"}),
    "a host of its own": ("http://a", "/", {**ASKED, "Host": "b"}),
    "another spelling": ("http://a", "/", {**ASKED, "user-agent": "me", "host": "b"}),
    "no encoding": ("http://a", "/", {"A": "b"}),
    "other letters": ("http://a", "/", {**ASKED, "A": "\xe4"}),
    "a line end": ("http://a", "/", {**ASKED, "A": "b\r\nC: d"}),
    "a line end in the target": ("http://a", "/x\r\nC: d", ASKED),
    "a space in the target": ("http://a", "/x y", ASKED),
    "IPv6": ("http://[::1]:8096", "/", ASKED),
}


def sent(line: HTTPConnection, target: str, headers: dict[str, str]) -> object:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        line.sock = ours
        try:
            line.request("GET", target, headers=headers, preload_content=False)
        except (ValueError, HTTPException) as error:
            return type(error)
        ours.shutdown(socket.SHUT_WR)
        return sorted(theirs.makefile("rb").read().split(b"\r\n"))


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_says_what_the_library_would_say(name: str) -> None:
    origin, target, headers = REQUESTS[name]
    pool = open_pool(origin, {})
    ours = pool._new_conn()
    assert isinstance(ours, HTTPConnection)
    library = HTTPConnection(pool.host, pool.port)

    assert sent(ours, target, headers) == sent(library, target, headers)
