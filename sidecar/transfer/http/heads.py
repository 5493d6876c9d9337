"""Reads the head of an ordinary answer quickly, and leaves every other one to the library.

    200 or 206, a length, plain ASCII, all of it there ──▶ read here
    anything else                                      ──▶ `http.client`

The library gives each head to its parser of e-mails, which takes longer than the rest of a request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http.client import HTTPMessage, HTTPResponse

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

MOST_FIELDS = 100
_HEAD = re.compile(
    rb"HTTP/1\.1 (20[06]) ([ -~]*)\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~]*\r\n)+)\r\n"
)


class FastResponse(HTTPResponse):
    """A response of `http.client`."""

    def begin(self) -> None:
        """Read the head; raises what the library raises."""
        found = _HEAD.match(self.fp.peek()) if self.headers is None else None
        fields = None if found is None else _read_fields(found[3].decode("ascii"))
        if found is None or fields is None:
            super().begin()
            return
        self.fp.read(found.end())
        self.code = self.status = int(found[1])
        self.reason, self.version = found[2].decode("ascii").strip(), 11
        self.headers = self.msg = fields
        self.length = int(fields["content-length"])
        self.chunked = self.will_close = False


class _Plain(HTTPConnection):
    response_class = FastResponse


class _Tls(HTTPSConnection):
    response_class = FastResponse


def open_pool(origin: str, options: Mapping[str, object]) -> urllib3.HTTPConnectionPool:
    """Return connections to a server; none is made yet.

    Args:
        origin: Scheme, host and port.
        options: As for `urllib3.connection_from_url`.
    """
    pool = urllib3.connection_from_url(origin, **options)
    pool.ConnectionCls = _Tls if pool.scheme == "https" else _Plain
    return pool


def _read_fields(lines: str) -> HTTPMessage | None:
    """Return the fields of a head; None if they say anything that is not ordinary."""
    fields, lengths = HTTPMessage(), []
    listed = lines[:-2].split("\r\n")
    for line in listed:
        name, _, value = line.partition(":")
        value = value.lstrip(" \t")
        match name.lower():
            case "content-length":
                lengths.append(value)
            case "transfer-encoding":
                return None
            case "connection" if value.lower() != "keep-alive":
                return None
        fields[name] = value
    is_ordinary = len(listed) < MOST_FIELDS and len(lengths) == 1 and lengths[0].isdecimal()
    return fields if is_ordinary else None
