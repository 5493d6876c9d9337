"""Heads that are read or written here say the same as when the library does it."""

from __future__ import annotations

import io
import socket
from http.client import HTTPException, HTTPResponse
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import HTTPHeaderDict
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.util import parse_url

from sidecar.clock import SystemClock
from sidecar.transfer.http import answer
from sidecar.transfer.http.connection import KeptConnections
from sidecar.transfer.http.heads import write_request
from sidecar.transfer.timeouts import Timeouts
from tests.transfer.http.given import ask, given_line

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
BODY = b"abcde"
CHUNKS = b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"


def read(*pieces: bytes) -> object:
    """Return what we read of an answer that comes in pieces, and whether we close after it."""
    # In packets: each piece is received by itself.
    with given_line(socket.SOCK_SEQPACKET) as (line, theirs):
        try:
            with ask(line, theirs, *pieces, is_end=True) as found:
                body = b""
                while block := found.fill(100):
                    body += block
        except (HTTPException, HTTPError) as error:
            return type(error)
        is_closed = line._connection.sock is None
        return found.status, sorted(found.headers.items()), body, is_closed


def read_by_library(told: bytes) -> object:
    class Line:
        def makefile(self, _mode: str) -> io.BufferedReader:
            return io.BufferedReader(cast("io.RawIOBase", io.BytesIO(told)))

    response = HTTPResponse(cast("socket.socket", Line()), method="GET")
    try:
        response.begin()
        said = response.headers.get_all("content-length", [])
        if len({one.strip() for line in said for one in line.split(",")}) > 1:
            # Here urllib3 says so.
            return HTTPException
        is_odd = response.status not in {200, 206}
        length, size = response.length, response.fp.tell()
        fields = HTTPHeaderDict(response.headers.items()).itermerged()
        headers = sorted((name.lower(), value) for name, value in fields)
    except HTTPException as error:
        return type(error)
    body = b""
    try:
        while block := response.read1(100):
            body += block
    except HTTPException:
        # As urllib3 says it.
        return ProtocolError
    is_all = length is None or size + length == len(told)
    is_closed = response.will_close or is_odd or not is_all
    return response.status, headers, body, is_closed


def tell(head: bytes) -> bytes:
    return head + b"\r\n" + (CHUNKS if b"chunked" in head else BODY)


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_a_head_says_what_it_says_to_the_library(head: bytes) -> None:
    expected = read_by_library(tell(head))

    assert read(tell(head)) == expected
    assert expected != read_by_library(b"")


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_it_may_come_in_two_pieces(head: bytes) -> None:
    told = tell(head)
    expected = read_by_library(told)

    for at in range(1, len(told)):
        assert read(told[:at], told[at:]) == expected


LINES = [
    *(b"Content-Length: " + length for length in (b"5", b"0005", b"0", b"5 ", b"+5", b"5_0")),
    *(b"Content-Length:" + length for length in (b"\t5", b"3", b"9" * 30, b"9" * 5000, b"")),
    b"Content-Length: " + str(len(CHUNKS)).encode(),
    *(b"Transfer-Encoding: " + coding for coding in (b"chunked", b"identity", b"gzip", b"")),
    *(b"Connection: " + kept for kept in (b"close", b"keep-alive", b"Upgrade, close", b"")),
    *(b"content-length : 4", b" folded", b"\tfolded", b"no colon", b": no name", b"", b"A: \rb"),
    *(b"Vary: a", b"vary: b", b"X-" + b"y" * 300 + b": z", b"Date: now", b"\xe9: \xe9"),
]


@given(
    st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.1 206 ", b"HTTP/1.0 200 OK", b"HTTP/1.1 200"]),
    st.lists(st.sampled_from(LINES), max_size=6),
    st.sampled_from([b"\r\n", b"\r\n", b"\n"]),
)
def test_what_lines_say_together_is_what_they_say_to_the_library(
    status: bytes, lines: list[bytes], end: bytes
) -> None:
    told = end.join([status, *lines, b"", b""]) + CHUNKS

    assert read(told) == read_by_library(told)


def test_the_ordinary_one_is_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(answer, "read_by_library")

    assert read(ORDINARY + b"\r\nabcde")


ASKED = {"Authorization": 'MediaBrowser Token="t"'}
REQUESTS: dict[str, tuple[str, dict[str, str]]] = {
    "ordinary": ("http://music.example:8096/Items/1/Download", ASKED),
    "a rest": (
        "http://10.0.0.1/a?b=%20c",
        {**ASKED, "Range": "bytes=5-", "If-Unmodified-Since": "Tue, 14 Nov 2023 22:13:20 GMT"},
    ),
    "the usual port": ("http://a:80/", ASKED),
    "no target": ("http://a", ASKED),
    "no path": ("http://a?b=c", ASKED),
    "a fragment": ("http://a/b?c#d", ASKED),
    "small digits": ("http://a/%c3%a4", ASKED),
    "a space": ("http://a/x y", ASKED),
    "a name with an underscore": ("http://my_server:8096/", ASKED),
    "a name of other letters": ("http://m\xfcsic.example/\xe4?\xf6", ASKED),
    "IPv6": ("http://[::1]:8096/", ASKED),
    "other letters": ("http://a/", {**ASKED, "A": "\xe4"}),
    "letters of other alphabets": ("http://a/", {**ASKED, "A": "\u0416"}),
    "a line end": ("http://a/", {**ASKED, "A": "b\r\nC: d"}),
    "another line end": ("http://a/", {**ASKED, "A": "b\nC: d"}),
    "a line end in the target": ("http://a/x\r\nC: d", ASKED),
}


def sent_by_library(url: str, headers: dict[str, str]) -> object:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        line = HTTPConnection(parse_url(url).host or "", parse_url(url).port)
        line.sock = ours
        try:
            line.request(
                "GET",
                parse_url(url).request_uri,
                headers={"Accept-Encoding": "identity", **headers},
                preload_content=False,
            )
        except ValueError:
            return ValueError
        ours.shutdown(socket.SHUT_WR)
        return sorted(theirs.makefile("rb").read().split(b"\r\n"))


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_says_what_the_library_would_say(name: str) -> None:
    url, headers = REQUESTS[name]
    line = KeptConnections(SystemClock(), Timeouts(), None)._make_line(url)
    try:
        ours: object = sorted(write_request(url, line.host, headers).split(b"\r\n"))
    except ValueError:
        ours = ValueError

    assert ours == sent_by_library(url, headers)
