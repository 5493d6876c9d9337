"""Requests and responses: werkzeug's, with Jellyfin's differences.

Neither touches a socket.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit

from werkzeug.datastructures import Headers
from werkzeug.sansio.request import Request as HttpRequest
from werkzeug.wrappers import Response

from sidecar.demo.protocol.formats import to_json

_SECTIONS = {400: "15.5.1", 404: "15.5.5", 415: "15.5.16"}
_JSON = "application/json; charset=utf-8"


class Reply(Response):
    """An answer: without `Content-Length` it goes out in chunks."""

    automatically_set_content_length = False
    default_mimetype = None


class ErrorReply(Exception):
    """Ends the handling of a request with this reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class Request(HttpRequest):
    """A request with its whole body; names in its query are the same in any case."""

    def __init__(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        *,
        body: bytes,
        remote: str,
    ) -> None:
        parts = urlsplit(target)
        path, query = unquote(parts.path), parts.query.encode()
        super().__init__(method, "http", None, "", path, query, Headers([*headers]), remote)
        self.body = body

    def values(self, name: str) -> list[str]:
        """Return all values of a query parameter."""
        pairs = self.args.items(multi=True)
        return [value for key, value in pairs if key.lower() == name.lower()]

    def value(self, name: str) -> str | None:
        """Return the first value of a query parameter."""
        return next(iter(self.values(name)), None)

    def fields(self) -> dict[str, Any]:
        """Return the JSON object of the body, its names in lower case.

        Raises:
            ErrorReply: 415 for another content type, 400 for what is no JSON object.
        """
        if not self.is_json:
            raise ErrorReply(problem_reply(HTTPStatus.UNSUPPORTED_MEDIA_TYPE))
        try:
            value = json.loads(self.body)
        except ValueError:
            raise ErrorReply(invalid_body()) from None
        if not isinstance(value, dict):
            raise ErrorReply(invalid_body())
        return {str(name).lower(): one for name, one in value.items()}


def text_reply(
    body: bytes,
    content_type: str = "text/html",
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Reply:
    """Return an answer of text, compressed if the client accepts that."""
    sent = {"Vary": "Accept-Encoding", **headers}
    return Reply(body, status, sent, content_type=content_type)


def json_reply(value: object, status: HTTPStatus = HTTPStatus.OK) -> Reply:
    """Return an answer in JSON."""
    return text_reply(to_json(value), _JSON, status)


def no_content() -> Reply:
    """Return 204 No Content."""
    return Reply(status=HTTPStatus.NO_CONTENT)


def empty_reply(status: HTTPStatus, **headers: str) -> Reply:
    """Return an answer with an empty body."""
    return Reply(status=status, headers={"Content-Length": "0", **headers})


def server_error(status: HTTPStatus) -> Reply:
    """Return the server's answer to an internal error, which gives no details."""
    return Reply(b"Error processing request.", status, content_type="text/plain")


def problem_reply(status: HTTPStatus, **more: object) -> Reply:
    """Return an answer in the problem form of JSON."""
    trace = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
    return json_reply(
        {
            "type": f"https://tools.ietf.org/html/rfc9110#section-{_SECTIONS[status]}",
            "title": status.phrase,
            "status": status.value,
        }
        | more
        | {"traceId": trace},
        status,
    )


def invalid_body() -> Reply:
    """Return the answer to a body that is not JSON."""
    return problem_reply(
        HTTPStatus.BAD_REQUEST,
        title="One or more validation errors occurred.",
        errors={
            "$": ["The JSON value could not be converted."],
            "request": ["The request field is required."],
        },
    )
