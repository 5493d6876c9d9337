"""Serves TCP connections: reads requests, writes answers, upgrades to WebSockets.

The standard library's HTTP server, since the ready-made ones each lack something the demo needs:

* werkzeug's closes the connection after every answer; the recorded servers keep it open. It
  also ends the process when the port is taken, where `start` is to raise.
* cheroot's has a fixed number of threads, so that slow downloads keep all others waiting, and
  waits for those downloads when it stops.
"""

from __future__ import annotations

import gzip
import logging
import socket
import sys
import time
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from sidecar.demo.protocol.messages import Reply, Request, empty_reply, server_error
from sidecar.demo.protocol.version import Version
from sidecar.demo.protocol.websocket import SocketConnection

_LONGEST_REQUEST_LINE = 8192
_IDLE_S = 130.0
_BODILESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
_PHRASES = {
    HTTPStatus.REQUEST_URI_TOO_LONG: "URI Too Long",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "Range Not Satisfiable",
}

log = logging.getLogger(__name__)


class Application(Protocol):
    """What answers the requests of the connections."""

    speaks: Version

    def answer(self, request: Request) -> Reply:
        """Return the answer to a request."""

    def upgrade(self, request: Request) -> Reply | None:
        """Return the refusal of a WebSocket, or None to accept it."""

    def serve_socket(self, request: Request, line: SocketConnection) -> None:
        """Serve a WebSocket until it closes."""


class ConnectionServer(ThreadingHTTPServer):
    """Accepts connections, serves each in a thread, and can end them all."""

    request_queue_size = 128
    daemon_threads = False

    def __init__(self, address: tuple[str, int], behind: Application) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(address, partial(ConnectionHandler, behind))

    def close_all(self) -> None:
        """Stop listening, close every connection, and wait for their threads."""
        for connection in tuple(self._open):
            _cut(connection)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - its own types
        """Serve a connection in a thread of its own."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - its own type
        """Close a connection that has been served."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - its own
        """Log why a connection failed."""
        is_gone = isinstance(sys.exception(), OSError)
        level = logging.DEBUG if is_gone else logging.ERROR
        log.log(level, "the demo server lost the connection to %s", client_address, exc_info=True)


class ConnectionHandler(BaseHTTPRequestHandler):
    """A connection, served in a thread of its own."""

    protocol_version = "HTTP/1.1"
    # Otherwise what is no HTTP at all would get an answer without headers.
    default_request_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = _IDLE_S
    raw_requestline: bytes

    def __init__(self, behind: Application, *connection: Any) -> None:  # noqa: ANN401 - the base's own
        self._behind = behind
        super().__init__(*connection)

    def parse_request(self) -> bool:
        """Read the request line and the headers; refuse what is too long."""
        if not super().parse_request():
            return False
        if len(self.raw_requestline) > _LONGEST_REQUEST_LINE:
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            return False
        return True

    def do_GET(self) -> None:
        """Answer any request."""
        begun = time.monotonic()
        request = self._request()
        if request is None:
            self.close_connection = True
            reply = server_error(HTTPStatus.BAD_REQUEST)
        elif "websocket" in request.headers.get("Upgrade", "").lower():
            self.close_connection = True
            refusal = self._behind.upgrade(request)
            if refusal is None:
                self._serve_socket(request)
                return
            reply = refusal
        else:
            reply = self._behind.answer(request)
            if "Accept-Encoding" in reply.vary and request.accept_encodings["gzip"]:
                reply.set_data(gzip.compress(reply.get_data(), compresslevel=1))
                reply.content_encoding = "gzip"
        if self._behind.speaks.names_its_language:
            reply.headers["Content-Language"] = "en-US"
        reply.headers["X-Response-Time-ms"] = f"{(time.monotonic() - begun) * 1000:.4f}"
        with reply:
            self._write(reply)

    # The base class looks for one method of each name.
    do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = do_GET  # noqa: N815 - so

    def version_string(self) -> str:
        """Return the name that the real server gives itself."""
        return "Kestrel"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Write nothing: tokens may be in the address."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is not HTTP as Kestrel does: with an empty body."""
        log.debug("the demo server refused a request: %s %s", message, explain)
        # Also closes the connection.
        self._write(empty_reply(HTTPStatus(code), Connection="close"))

    def _request(self) -> Request | None:
        """Return the request; None if it is no valid one, or its body has not come whole."""
        length = self.headers.get("Content-Length", "0")
        if self.headers.get("Transfer-Encoding") or not length.isdigit():
            return None
        body, remote = self.rfile.read(int(length)), str(self.client_address[0])
        if len(body) < int(length):
            return None
        try:
            return Request(self.command, self.path, self.headers.items(), body=body, remote=remote)
        except ValueError:
            return None

    def _serve_socket(self, request: Request) -> None:
        lines = [self.requestline, *(f"{name}: {value}" for name, value in self.headers.items())]
        line = SocketConnection(self.connection, "\r\n".join([*lines, "", ""]).encode("latin-1"))
        try:
            if line.accept():
                self._behind.serve_socket(request, line)
        finally:
            line.release()

    def _write(self, reply: Reply) -> None:
        status, left = HTTPStatus(reply.status_code), reply.content_length
        has_body = self.command != "HEAD" and status not in _BODILESS
        self.send_response(status, _PHRASES.get(status))
        for name, value in reply.headers:
            self.send_header(name, value)
        if left is None and has_body:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if not has_body:
            return
        if left is None:
            body = reply.get_data()
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            self.wfile.write(chunk + b"0\r\n\r\n")
            return
        for block in reply.iter_encoded():
            self.wfile.write(block)
            left -= len(block)
        # A file that became shorter leaves the client waiting for bytes that never come.
        self.close_connection = self.close_connection or left > 0


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
