"""Writes the heads of requests, and reads those of answers: ordinary ones quickly.

    200 or 206, a length, plain ASCII, all of it there ──▶ read here
    anything else                                      ──▶ `http.client`

The library gives each head to its parser of e-mails, which takes longer than the rest of a request.
"""

from __future__ import annotations

import io
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Protocol, cast

import urllib3
from urllib3.util import parse_url

MOST_FIELDS = 100
LONGEST = 16 * 1024
_DIGITS = 18  # of a length that is ordinary
_USER_AGENT = f"python-urllib3/{urllib3.__version__}"  # type: ignore[attr-defined]
_PLAIN = r"[A-Za-z0-9._~!$&'()*+,;=:@/?-]*"
# Another target is encoded by the library.
_ADDRESS = re.compile(rf"https?://[^/?#]+(/{_PLAIN}(?:%[0-9A-F][0-9A-F]{_PLAIN})*)")
_REQUEST = re.compile(r"GET /[!-~]* HTTP/1\.1\r\n(?:[A-Za-z-]+: [\t -~\x80-\xff]*\r\n)+\r\n")
_HEAD = re.compile(
    rb"HTTP/1\.1 (20[06]) [ -~]*\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~]*\r\n)+)\r\n"
)


@dataclass(slots=True)
class Head:
    """The head of an answer.

    Attributes:
        fields: By their lower-case names.
        length: Of the body in bytes; None if only its end shows it.
        is_last: Whether the connection cannot be used for another request.
        size: Of the head itself in bytes.
    """

    status: int
    fields: Mapping[str, str]
    length: int | None
    is_last: bool
    size: int


class Source(Protocol):
    """Gives the library bytes; `tell` counts those that were given."""

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return a file that reads from here, as a socket does."""


def write_request(url: str, host: str, headers: Mapping[str, str]) -> bytes:
    """Return the head of a request for plain bytes.

    Args:
        url: The address of what is requested.
        host: Name of the server, with the port if it is not the usual one.
        headers: All but `Host`, `Accept-Encoding` and `User-Agent`.

    Raises:
        ValueError: The address or a header cannot be sent.
    """
    plain = _ADDRESS.fullmatch(url)
    target = parse_url(url).request_uri if plain is None else plain[1]
    fields = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    head = (
        f"GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: identity\r\n"
        f"User-Agent: {_USER_AGENT}\r\n{fields}\r\n"
    )
    # The names and values hold no line end of their own.
    if head.count("\n") != len(headers) + 5 or not _REQUEST.fullmatch(head):
        raise ValueError("the address or a header cannot be sent")
    return head.encode("latin-1")


def read_head(told: memoryview) -> Head | None:
    """Return the head with which these bytes begin; None if it is not an ordinary one."""
    found = _HEAD.match(told[:LONGEST])
    if found is None:
        return None
    lines = found[2].decode("ascii").removesuffix("\r\n").split("\r\n")
    told_apart = (line.partition(":") for line in lines)
    fields = _merge((name, value.lstrip("\t ")) for name, _, value in told_apart)
    length, kept = fields.get("content-length", ""), fields.get("connection", "keep-alive").lower()
    if (
        len(lines) >= MOST_FIELDS
        or not length.isdecimal()
        or len(length) > _DIGITS
        or "transfer-encoding" in fields
        or kept not in {"keep-alive", "close"}
    ):
        return None
    return Head(int(found[1]), fields, int(length), kept == "close", found.end())


def read_by_library(source: Source) -> tuple[Head, HTTPResponse]:
    """Read any head; return it, and what reads the body if its length is not known.

    Raises:
        OSError: The connection broke.
        http.client.HTTPException: There is no head, or it contradicts itself.
    """
    response = HTTPResponse(cast("socket.socket", source), method="GET")
    response.begin()
    lengths = response.headers.get_all("content-length", [])
    if len({one.strip() for line in lengths for one in line.split(",")}) > 1:
        raise HTTPException("several lengths")
    # After another answer than the file something may follow, as after 103.
    is_last = response.will_close or response.status not in {200, 206}
    fields = _merge(response.headers.items())
    return Head(response.status, fields, response.length, is_last, response.fp.tell()), response


def _merge(lines: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return fields by their lower-case names; what comes more than once is joined."""
    fields: dict[str, str] = {}
    for any_case, value in lines:
        name = any_case.lower()
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields
