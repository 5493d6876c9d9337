"""One TCP connection: reads requests, writes answers, hands upgrades to a socket's line.

Knows HTTP and nothing of Jellyfin but the manners of its web server.
"""

from __future__ import annotations

import logging
import socket
import time
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from io import BufferedReader
from typing import Protocol

from sidecar.demo.protocol import kestrel
from sidecar.demo.protocol.messages import Form, Reply, Request, blank, failed
from sidecar.demo.protocol.version import Version
from sidecar.demo.protocol.websocket import Line

_LONGEST_REQUEST_LINE = 8192
_IDLE_S = 130.0
_BLOCK = 1024 * 1024

log = logging.getLogger(__name__)


class Behind(Protocol):
    """What stands behind the connections."""

    speaks: Version

    def answer(self, request: Request) -> Reply:
        """Return the answer to a request."""

    def upgrade(self, request: Request) -> Reply | None:
        """Return what refuses a WebSocket, or None to let it in."""

    def converse(self, request: Request, line: Line) -> None:
        """Serve a WebSocket until it closes."""


class Connection(BaseHTTPRequestHandler):
    """A connection, served in a thread of its own."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = _IDLE_S
    raw_requestline: bytes
    behind: Behind

    def parse_request(self) -> bool:
        """Read the request line and the headers; refuse what is too long."""
        if len(self.raw_requestline) > _LONGEST_REQUEST_LINE:
            self._refuse(HTTPStatus.REQUEST_URI_TOO_LONG)
            # What is left unread would take the answer away from the client.
            while self.rfile.readline(_LONGEST_REQUEST_LINE).strip():
                pass
            return False
        return super().parse_request()

    def do_GET(self) -> None:
        """Answer any request."""
        begun = time.monotonic()
        request = self._request()
        if request is None:
            self.close_connection = True
            self._write(failed(HTTPStatus.BAD_REQUEST), begun)
        elif "websocket" in (request.header("Upgrade") or "").lower():
            self._upgrade(request, begun)
        else:
            self._write(self.behind.answer(request), begun)

    # The base class looks for one method of each name.
    do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = do_GET  # noqa: N815 - so

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Write nothing: tokens may be in the address."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no HTTP, in Kestrel's words: without any."""
        log.debug("the demo server refused a request: %s %s", message, explain)
        self._refuse(HTTPStatus(code))

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        headers = {"Content-Length": "0", "Connection": "close", "Server": "Kestrel"}
        headers["Date"] = formatdate(usegmt=True)
        self.connection.sendall(kestrel.head(blank(status), headers))

    def _request(self) -> Request | None:
        """Return the request; None for a body whose length nobody tells."""
        if self.headers.get("Transfer-Encoding"):
            return None
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit():
            return None
        body = self.rfile.read(int(length))
        return Request.of(
            self.command,
            self.path,
            dict(self.headers.items()),
            body=body,
            remote=str(self.client_address[0]),
        )

    def _upgrade(self, request: Request, begun: float) -> None:
        self.close_connection = True
        refusal = self.behind.upgrade(request)
        if refusal is not None:
            self._write(refusal, begun)
            return
        lines = [self.requestline, *(f"{name}: {value}" for name, value in self.headers.items())]
        line = Line(self.connection, "\r\n".join([*lines, "", ""]).encode("latin-1"))
        try:
            if line.accept():
                self.behind.converse(request, line)
        finally:
            line.end()

    def _write(self, reply: Reply, begun: float) -> None:
        headers, body = kestrel.dressed(
            reply,
            speaks=self.behind.speaks,
            accepts=self.headers.get("Accept-Encoding", ""),
            seconds=time.monotonic() - begun,
        )
        if self.command == "HEAD":
            body, reply = b"", Reply(reply.status)
        if reply.form is Form.FILE and reply.stretch is not None and reply.stretch.length:
            self._send_file(reply, headers)
        else:
            self.connection.sendall(kestrel.head(reply, headers) + body)

    def _send_file(self, reply: Reply, headers: dict[str, str]) -> None:
        stretch = reply.stretch
        if stretch is None:
            return
        try:
            file = stretch.file.open("rb")
        except OSError:
            # It went between the look and the opening.
            self._write(failed(HTTPStatus.NOT_FOUND), time.monotonic())
            return
        with file:
            self.connection.sendall(kestrel.head(reply, headers))
            file.seek(stretch.start)
            is_whole = self._copy(file, stretch.length)
        # A file that became shorter leaves the client waiting for bytes that never come.
        self.close_connection = self.close_connection or not is_whole

    def _copy(self, file: BufferedReader, length: int) -> bool:
        """Send so many bytes; return whether the file had them.

        Large blocks: the kernel's own way is many times slower on a socket with a time-out.
        """
        block = memoryview(bytearray(min(_BLOCK, length)))
        while length:
            got = file.readinto(block[: min(_BLOCK, length)])
            if not got:
                return False
            self.connection.sendall(block[:got])
            length -= got
        return True


def cut(connection: socket.socket) -> None:
    """End a connection whatever it is doing."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
