"""An HTTP server on loopback that gives exactly the answers a test wrote down."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from threading import Thread
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Route = Reply | Callable[[Request], Reply]


def json_reply(value: object, status: int = 200, **headers: str) -> Reply:
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return Reply(status, json.dumps(value).encode(), kind | headers)


def html_reply(status: int = 200, text: str = "<!doctype html><title>x</title>") -> Reply:
    return Reply(status, text.encode(), {"Content-Type": "text/html"})


UNAUTHORISED = Reply(401)
"""What Jellyfin answers to a refused token: no body, no challenge."""


@dataclass
class Answering:
    """Routes by "METHOD /path"; every request is remembered.

    Unlike Jellyfin it knows no accounts, checks no header, closes each connection after its answer,
    and answers 404 without a body (as Jellyfin does for an unknown route) to everything else.
    """

    url: str = ""
    routes: dict[str, Route] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def asked(self, path: str) -> list[Request]:
        return [one for one in self.requests if one.path == path]

    def answer(self, request: Request) -> Reply:
        self.requests.append(request)
        route = self.routes.get(f"{request.method} {request.path}", Reply(404))
        return route(request) if callable(route) else route


@contextmanager
def answering(
    routes: Mapping[str, Route] | None = None, tls: SSLContext | None = None
) -> Iterator[Answering]:
    fake = Answering(routes=dict(routes or {}))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = fake.answer(
                Request(
                    self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers), body
                )
            )
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status != 204 and "Content-Length" not in reply.headers:
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        do_POST = do_DELETE = do_GET  # noqa: N815  (http.server's names)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, args=(0.02,), name="answering")
    thread.start()
    fake.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
