"""Answers requests that are refused by the server, the middleware or the live connection.

    server, WebSocket ──environ[KEY]──▶ Middleware ──▶ Refusals ──▶ problem+json or a page

These answers have the same form as those of views.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any

from flask import Flask, Response

from sidecar import SERVER_NAME
from sidecar.web.request import errors

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

KEY = "sidecar.refusal"
# The only parts of a refused request that are used. Its session is not looked up.
BELIEVED = (
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_COOKIE",
    "PATH_INFO",
    "REQUEST_METHOD",
    "SCRIPT_NAME",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "wsgi.url_scheme",
)
# Headers that RFC 9110 wants with these statuses.
ALSO = {
    HTTPStatus.METHOD_NOT_ALLOWED: ("Allow", "GET, POST, PUT, PATCH, DELETE"),
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate", "Bearer"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After", str(errors.AGAIN_AFTER_S)),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused.

    Attributes:
        sentence: For people and programs; None for the usual one of the status.
        reason: What is wrong with the request; for programs only, not translated.
    """

    status: HTTPStatus
    sentence: str | None = None
    reason: str = ""


class Refusals:
    """A WSGI application that answers with `environ[KEY]`, a `Refusal` or an exception.

    An exception is handled as if a view had raised it: an unexpected one is logged with the id
    that is shown.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        with self._app.request_context(_believed(environ)):
            reply = self._reply(environ[KEY])
        return reply(environ, start_response)

    def refuse(
        self, environ: WSGIEnvironment, start_response: StartResponse, refusal: Refusal
    ) -> Iterable[bytes]:
        """Answer a request with a refusal."""
        return self(environ | {KEY: refusal}, start_response)

    def in_our_form(self, app: WSGIApplication) -> WSGIApplication:
        """Wrap an application, so that its error responses are replaced by ours."""

        def outer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            begun: list[tuple[str, list[tuple[str, str]]]] = []

            def begin(
                status: str,
                headers: list[tuple[str, str]],
                _exc_info: Any = None,  # noqa: ANN401 - WSGI's own type
                /,
            ) -> Any:  # noqa: ANN401 - nobody calls it
                begun[:] = [(status, headers)]

            body = app(environ, begin)
            if not begun:
                # A WebSocket that has ended: there is no response.
                return body
            status, headers = begun[0]
            code, kind = int(status[:3]), dict(headers).get("Content-Type", "")
            if code < HTTPStatus.BAD_REQUEST or kind.startswith(errors.PROBLEM):
                start_response(status, headers)
                return body
            return self.refuse(environ, start_response, Refusal(HTTPStatus(code)))

        return outer

    def _reply(self, refused: Refusal | Exception) -> Response:
        if isinstance(refused, Exception):
            return self._app.make_response(self._app.handle_user_exception(refused))
        reply = errors.refuse(refused.status, refused.sentence, reason=refused.reason)
        name, value = ALSO.get(refused.status, ("", ""))
        if name:
            reply.headers[name] = value
        return reply


def response_of(
    app: WSGIApplication, environ: WSGIEnvironment, refused: Refusal | Exception
) -> bytes:
    """Return the response to a refused request; it closes the connection."""
    return whole_response(app, environ | {KEY: refused})


def whole_response(app: WSGIApplication, environ: WSGIEnvironment) -> bytes:
    """Return a response that closes the connection; nothing if the application gives none."""
    head: list[str] = []

    def start_response(
        status: str,
        headers: Iterable[tuple[str, str]],
        _exc_info: Any = None,  # noqa: ANN401 - WSGI's own type
        /,
    ) -> Any:  # noqa: ANN401 - nobody calls it
        given = (f"{name}: {value}" for name, value in headers)
        ours = (f"Date: {formatdate(usegmt=True)}", f"Server: {SERVER_NAME}", "Connection: close")
        head[:] = [f"HTTP/1.1 {status}", *given, *ours, "", ""]

    body = b"".join(app(environ, start_response))
    return "\r\n".join(head).encode("latin-1") + body if head else b""


def _believed(environ: WSGIEnvironment) -> WSGIEnvironment:
    known = {name: environ[name] for name in BELIEVED if name in environ}
    return {
        "REQUEST_METHOD": "GET",
        "SERVER_NAME": SERVER_NAME,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
    } | known
