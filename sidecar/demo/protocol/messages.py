"""A request and its answer, as values, with the headers in the order of the real server.

How an answer is written out is `.wire`'s business.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sidecar.demo.protocol.formats import encoded

_SECTIONS = {400: "15.5.1", 404: "15.5.5", 415: "15.5.16"}
_JSON = "application/json; charset=utf-8"


class Form(Enum):
    """How a body goes out."""

    NONE = "no body and no word of its length"
    EMPTY = "Content-Length: 0"
    CHUNKED = "in chunks, never compressed"
    TEXT = "in chunks, compressed if the client likes"
    FILE = "a stretch of a file, with its length"


@dataclass(frozen=True, slots=True)
class Stretch:
    """`length` bytes of a file from `start`."""

    file: Path
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it is written out.

    Attributes:
        headers: Without those that every answer has; in any order.
        stretch: What is sent; only with `Form.FILE`.
    """

    status: HTTPStatus
    form: Form = Form.NONE
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    stretch: Stretch | None = None


class Refused(Exception):
    """The request gets this reply instead of the one it wanted."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Request:
    """What came in.

    Attributes:
        path: Decoded, without the base URL.
        remote: The address of the client.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    remote: str

    @classmethod
    def of(
        cls, method: str, target: str, headers: Mapping[str, str], *, body: bytes, remote: str
    ) -> Request:
        """Return the request of a request line and what followed it."""
        parts = urlsplit(target)
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        lowered = {name.lower(): value for name, value in headers.items()}
        return cls(method, unquote(parts.path), query, lowered, body, remote)

    def header(self, name: str) -> str | None:
        """Return a header by its name in any case."""
        return self.headers.get(name.lower())

    def values(self, name: str) -> list[str]:
        """Return all values of a query parameter by its name in any case."""
        return [value for key, value in self.query if key.lower() == name.lower()]

    def value(self, name: str) -> str | None:
        """Return the first value of a query parameter."""
        return next(iter(self.values(name)), None)

    def fields(self) -> dict[str, Any]:
        """Return the JSON object of the body, its names in lower case.

        Raises:
            Refused: 415 for another content type, 400 for what is no JSON object.
        """
        kind = (self.header("Content-Type") or "").partition(";")[0].strip().lower()
        if kind != "application/json" and not kind.endswith("+json"):
            raise Refused(problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE))
        try:
            value = json.loads(self.body)
        except ValueError:
            raise Refused(malformed()) from None
        if not isinstance(value, dict):
            raise Refused(malformed())
        return {str(name).lower(): one for name, one in value.items()}


def told(value: object, status: HTTPStatus = HTTPStatus.OK) -> Reply:
    """Return an answer in JSON."""
    return Reply(status, Form.TEXT, {"Content-Type": _JSON}, encoded(value))


def done() -> Reply:
    """Return 204, which says only that it is done."""
    return Reply(HTTPStatus.NO_CONTENT)


def blank(status: HTTPStatus, **headers: str) -> Reply:
    """Return an answer with an empty body."""
    return Reply(status, Form.EMPTY, headers)


def failed(status: HTTPStatus) -> Reply:
    """Return what the server says when something went wrong inside it, which tells nothing."""
    return Reply(status, Form.CHUNKED, {"Content-Type": "text/plain"}, b"Error processing request.")


def problem(status: HTTPStatus, **more: object) -> Reply:
    """Return an answer in the problem form of JSON."""
    trace = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
    return told(
        {
            "type": f"https://tools.ietf.org/html/rfc9110#section-{_SECTIONS[status]}",
            "title": status.phrase,
            "status": status.value,
        }
        | more
        | {"traceId": trace},
        status,
    )


def malformed() -> Reply:
    """Return what a body that is no JSON is answered with."""
    return problem(
        HTTPStatus.BAD_REQUEST,
        title="One or more validation errors occurred.",
        errors={
            "$": ["The JSON value could not be converted."],
            "request": ["The request field is required."],
        },
    )
