"""Sends ordinary requests and reads the heads of ordinary answers quickly; the library does others.

    GET, no body, plain ASCII                          ──▶ sent here, in one piece
    200 or 206, a length, plain ASCII, all of it there ──▶ read here
    anything else                                      ──▶ `urllib3`, `http.client`

The library gives each head to its parser of e-mails, which takes longer than the rest of a request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http.client import HTTPMessage, HTTPResponse
from typing import cast

import urllib3
from urllib3 import HTTPHeaderDict
from urllib3.connection import HTTPConnection, HTTPSConnection

MOST_FIELDS = 100
_USER_AGENT = f"python-urllib3/{urllib3.__version__}"  # type: ignore[attr-defined]
# An IPv6 address, a name in Unicode and a header by another spelling are for the library.
_REQUEST = re.compile(
    r"GET /[!-~]* HTTP/1\.1\r\nHost: [A-Za-z0-9.-]+(?::\d+)?\r\n"
    r"(?:(?!host:|user-agent:|accept-encoding:)[A-Za-z-]+: [ -~]*\r\n)+\r\n"
)
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
        # Not as e-mails have them: those look at each value anew whenever it is asked for.
        self.headers = self.msg = cast("HTTPMessage", fields)
        self.length = int(fields["content-length"])
        self.chunked = self.will_close = False


class _Plain(HTTPConnection):
    """A connection that sends and reads what is ordinary by itself."""

    response_class = FastResponse
    _asked: str | None = None

    def request(  # type: ignore[override]
        self,
        method: str,
        url: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        **options: bool,
    ) -> None:
        """Send a request; raises what the library raises."""
        head = None
        if method == "GET" and body is None and not options.get("preload_content", True):
            head = _write_request(self, url, headers or {})
        if head is None:
            self._asked = None
            super().request(method, url, body, headers, **options)  # type: ignore[arg-type]
            return
        if self.sock is not None:
            self.sock.settimeout(self.timeout)
        self._asked = url
        self.send(head)

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        """Read the head of the answer; raises what the library raises."""
        url, self._asked = self._asked, None
        if url is None:
            return super().getresponse()
        self.sock.settimeout(self.timeout)
        answer = FastResponse(self.sock, method="GET")
        try:
            answer.begin()
        except BaseException as error:
            answer.close()
            if isinstance(error, ConnectionError):
                self.close()
            raise
        if answer.will_close:
            self.close()
        fields: object = answer.headers
        if not isinstance(fields, HTTPHeaderDict):
            fields = HTTPHeaderDict(answer.headers.items())
        return urllib3.HTTPResponse(
            body=answer,
            headers=fields,
            status=answer.status,
            version=answer.version,
            reason=answer.reason,
            preload_content=False,
            decode_content=False,
            original_response=answer,
            enforce_content_length=True,
            request_method="GET",
            request_url=url,
        )


class _Tls(_Plain, HTTPSConnection):
    """The same over TLS."""


def open_pool(origin: str, options: Mapping[str, object]) -> urllib3.HTTPConnectionPool:
    """Return connections to a server; none is made yet.

    Args:
        origin: Scheme, host and port.
        options: As for `urllib3.connection_from_url`.
    """
    pool = urllib3.connection_from_url(origin, **options)
    pool.ConnectionCls = _Tls if pool.scheme == "https" else _Plain
    return pool


def _write_request(line: HTTPConnection, url: str, headers: Mapping[str, str]) -> bytes | None:
    """Return the head of a request; None if it is not ordinary."""
    if "Accept-Encoding" not in headers:
        return None
    port = "" if line.port == line.default_port else f":{line.port}"
    fields = {"Host": f"{line.host}{port}", "User-Agent": _USER_AGENT, **headers}
    text = "".join([f"{name}: {value}\r\n" for name, value in fields.items()])
    head = f"GET {url} HTTP/1.1\r\n{text}\r\n"
    # The names and values hold no line end of their own.
    if head.count("\n") != len(fields) + 2 or not _REQUEST.fullmatch(head):
        return None
    return head.encode("ascii")


def _read_fields(lines: str) -> HTTPHeaderDict | None:
    """Return the fields of a head; None if they say anything that is not ordinary."""
    fields, lengths = HTTPHeaderDict(), []
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
        fields.add(name, value)
    is_ordinary = len(listed) < MOST_FIELDS and len(lengths) == 1 and lengths[0].isdecimal()
    return fields if is_ordinary else None
