"""Parses the request line and headers strictly by RFC 9112.

Anything ambiguous is refused, so that we and a proxy before us never disagree about where a
request ends (request smuggling), whom it is for, or who sends it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from http import HTTPStatus
from typing import Protocol
from urllib.parse import unquote_to_bytes

MOST_HEADERS = 100
# Headers that may occur only once.
SINGLE = frozenset(
    {
        b"Authorization",
        b"Content-Length",
        b"Content-Type",
        b"Host",
        b"Origin",
        b"Sec-Fetch-Site",
        b"Transfer-Encoding",
        b"Upgrade",
    }
)
TOO_LARGE = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
VERSIONS = frozenset({b"1.0", b"1.1"})

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_LINE = re.compile(rb"(%s) ([!-~]+) HTTP/([0-9]\.[0-9])\r\n" % _TOKEN)
# The spaces around a value are stripped afterwards: a pattern that looks for them takes hours for
# some lines of 30 kB, and nothing else runs meanwhile.
_HEADER = re.compile(rb"(%s):([^\x00\r\n]*)\r\n" % _TOKEN)
_BEGINNING = re.compile(rb"(%s) (?:https?://[^/? ]*)?(/[^? \r\n]*)" % _TOKEN, re.IGNORECASE)
_LENGTH = re.compile(rb"[0-9]{1,40}")


class Refused(ValueError):
    """The request is refused; the message is the reason."""

    def __init__(self, reason: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(reason)
        self.status = status


class Lines(Protocol):
    """A stream that is read line by line."""

    def readline(self) -> bytes:
        """Return the next line with its end; empty at the end of the stream."""


def check_line(line: bytes) -> None:
    """Check a request line.

    Raises:
        Refused: It is malformed or not supported.
    """
    match = _LINE.fullmatch(line)
    if match is None:
        raise Refused("The request line is not one of HTTP/1.1.")
    method, target, version = match.groups()
    if version not in VERSIONS:
        raise Refused(
            "This server speaks HTTP/1.1 and HTTP/1.0.", HTTPStatus.HTTP_VERSION_NOT_SUPPORTED
        )
    if method == b"CONNECT" or (method, target) == (b"OPTIONS", b"*"):
        raise Refused("This server is not a proxy.", HTTPStatus.METHOD_NOT_ALLOWED)
    if method != method.upper():
        raise Refused("A method is written in upper case.")
    if not target.startswith(b"/") or target.startswith(b"//"):
        raise Refused("The request target must be a path that begins with one slash.")
    if b"#" in target:
        raise Refused("The request target must not have a fragment.")


def beginning(line: bytes) -> tuple[str, str]:
    """Return the method and path of a request line, even if it is malformed or incomplete."""
    match = _BEGINNING.match(line)
    if match is None:
        return "GET", "/"
    return match[1].decode("ascii"), unquote_to_bytes(match[2]).decode("latin-1")


def read_headers(lines: Lines, headers: MutableMapping[bytes, bytes]) -> None:
    """Read headers up to and including the empty line into `headers`.

    Raises:
        Refused: They are malformed; those before the error are in `headers`.
    """
    count = 0
    while (line := lines.readline()) != b"\r\n":
        count += 1
        if count > MOST_HEADERS:
            raise Refused("There are too many headers.", TOO_LARGE)
        match = _HEADER.fullmatch(line)
        if match is None:
            raise Refused("A header is malformed.")
        _add(headers, match[1].title(), match[2].strip(b" \t"))
    _check_body(headers)


def check_version(headers: Mapping[bytes, bytes], version: bytes) -> None:
    """Check the headers that are required or forbidden in an HTTP version, such as `HTTP/1.1`.

    Raises:
        Refused: One is missing or not allowed.
    """
    if version == b"HTTP/1.1" and b"Host" not in headers:
        raise Refused("There is no Host.")
    if version == b"HTTP/1.0" and b"Transfer-Encoding" in headers:
        raise Refused("HTTP/1.0 has no Transfer-Encoding.")


def _add(headers: MutableMapping[bytes, bytes], name: bytes, value: bytes) -> None:
    if b"_" in name:
        # In WSGI it equals the same name with a hyphen, which a proxy may have checked.
        raise Refused("A header's name has an underscore.")
    before = headers.get(name)
    if before is not None and name in SINGLE:
        raise Refused(f"There is more than one {name.decode('ascii')}.")
    joint = b"; " if name == b"Cookie" else b", "
    headers[name] = value if before is None else before + joint + value


def _check_body(headers: Mapping[bytes, bytes]) -> None:
    """Check that the end of the body is unambiguous."""
    length, coding = headers.get(b"Content-Length"), headers.get(b"Transfer-Encoding")
    if length is not None and _LENGTH.fullmatch(length) is None:
        raise Refused("The Content-Length is not a number.")
    if coding is None:
        return
    if length is not None:
        raise Refused("There is a Content-Length beside a Transfer-Encoding.")
    if coding.lower() != b"chunked":
        raise Refused("The only Transfer-Encoding taken is chunked.", HTTPStatus.NOT_IMPLEMENTED)
