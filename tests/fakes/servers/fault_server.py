"""A file server on loopback that misbehaves as told, one answer at a time.

Each request takes the next behaviour from `script`; when that is empty it is honest: whole files,
single ranges, `If-Unmodified-Since`, `Last-Modified`, no `ETag`, as Jellyfin. Unlike Jellyfin it
asks for no token, knows one file only and, unless `stays_open`, closes each connection after its
answer.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from threading import Event, Lock, Thread
from typing import Self

from tests.patience import PATIENCE_S

DATE = "Sun, 01 Nov 2026 12:00:00 GMT"
MODIFIED = "Sat, 31 Oct 2026 10:00:00 GMT"
LATER = "Sun, 01 Nov 2026 11:00:00 GMT"
REASONS = {
    200: "OK",
    206: "Partial Content",
    412: "Precondition Failed",
    416: "Range Not Satisfiable",
}


@dataclass(frozen=True)
class Asked:
    """A request as it came: the range's start is None without one."""

    headers: Mapping[str, str]
    start: int | None


@dataclass
class FaultServer:
    """Use as a context manager."""

    body: bytes
    modified: str | None = MODIFIED
    date: str = DATE
    mime_type: str = "audio/flac"
    script: deque[Behaviour] = field(default_factory=deque)
    requests: list[Asked] = field(default_factory=list)
    stays_open: bool = False
    tls: ssl.SSLContext | None = None
    connections: int = 0

    def __enter__(self) -> Self:
        self._over = Event()
        self._lock = Lock()
        self._threads: list[Thread] = []
        self._open: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        scheme = "https" if self.tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}/Items/1/Download"
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        # Else a thread would wait for what a client that stays connected asks next.
        with self._lock:
            still_open = [self._socket, *self._open]
        for one in still_open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Be silent, but not beyond the end of the test."""
        self._over.wait(seconds)

    def head(self, status: int, headers: Mapping[str, object]) -> bytes:
        """Return a response head."""
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Whatever')}", f"Date: {self.date}"]
        lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
        lines += [] if self.stays_open else ["Connection: close"]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def file_headers(self, length: int | None = None) -> dict[str, object]:
        """Return what an honest answer says of the file."""
        return {
            "Content-Length": length,
            "Content-Type": self.mime_type,
            "Accept-Ranges": "bytes",
            "Last-Modified": self.modified,
        }

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._start(self._answer, connection)

    def _answer(self, connection: socket.socket) -> None:
        self.connections += 1
        with suppress(OSError):
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
        with self._lock:
            self._open.append(connection)
        with connection, suppress(OSError):
            while not self._over.is_set() and (asked := _read(connection)) is not None:
                with self._lock:
                    self.requests.append(asked)
                    behaviour = self.script.popleft() if self.script else honest
                behaviour(self, asked, connection)
                if not (self.stays_open and behaviour is honest):
                    break

    def _start(self, body: Callable[..., None], *arguments: object) -> None:
        thread = Thread(target=body, args=arguments)
        self._threads.append(thread)
        thread.start()


Behaviour = Callable[[FaultServer, Asked, socket.socket], None]


def honest(server: FaultServer, asked: Asked, connection: socket.socket) -> None:
    """Answer as Jellyfin does."""
    total = len(server.body)
    since = asked.headers.get("if-unmodified-since")
    modified = server.modified
    if since and modified and parsedate_to_datetime(modified) > parsedate_to_datetime(since):
        connection.sendall(server.head(412, server.file_headers(0)))
        return
    if asked.start is None:
        connection.sendall(server.head(200, server.file_headers(total)) + server.body)
    elif asked.start >= total:
        past = {**server.file_headers(0), "Content-Range": f"bytes */{total}"}
        connection.sendall(server.head(416, past))
    else:
        last = int(asked.headers["range"].rpartition("-")[2] or total - 1)
        piece = server.body[asked.start : last + 1]
        there = {
            **server.file_headers(len(piece)),
            "Content-Range": f"bytes {asked.start}-{asked.start + len(piece) - 1}/{total}",
        }
        connection.sendall(server.head(206, there) + piece)


def after(count: int, *, reset: bool = False) -> Behaviour:
    """Be honest for so many bytes of the body, then break the connection."""

    def behave(server: FaultServer, asked: Asked, connection: socket.socket) -> None:
        start, total = asked.start or 0, len(server.body)
        if asked.start is None:
            head = server.head(200, server.file_headers(total))
        else:
            there = {
                **server.file_headers(total - start),
                "Content-Range": f"bytes {start}-{total - 1}/{total}",
            }
            head = server.head(206, there)
        connection.sendall(head + server.body[start : start + count])
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return behave


def says(status: int, body: bytes = b"", **headers: object) -> Behaviour:
    """Answer with exactly this; `Content_Range` stands for `Content-Range`, None leaves one out."""

    def behave(server: FaultServer, asked: Asked, connection: socket.socket) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        told = {"Content-Length": len(body), **named}
        connection.sendall(server.head(status, told) + body)

    return behave


def claims(body: bytes) -> Behaviour:
    """Tell the part that was asked for, and send these bytes in its place."""

    def behave(server: FaultServer, asked: Asked, connection: socket.socket) -> None:
        start, total = asked.start or 0, len(server.body)
        piece = body[: total - start]
        there = {
            **server.file_headers(total - start),
            "Content-Range": f"bytes {start}-{total - 1}/{total}",
        }
        connection.sendall(server.head(206, there) + piece)

    return behave


def silent_after(count: int) -> Behaviour:
    """Send so many bytes of the body and then nothing, without closing."""

    def behave(server: FaultServer, asked: Asked, connection: socket.socket) -> None:
        start = asked.start or 0
        after(count)(server, asked, connection)
        server.wait(30 if start + count < len(server.body) else 0)

    return behave


def drips(pause_s: float) -> Behaviour:
    """Send one byte at a time."""

    def behave(server: FaultServer, asked: Asked, connection: socket.socket) -> None:
        connection.sendall(server.head(200, server.file_headers(len(server.body))))
        for number in range(len(server.body)):
            connection.sendall(server.body[number : number + 1])
            server.wait(pause_s)

    return behave


def _read(connection: socket.socket) -> Asked | None:
    head = b""
    while b"\r\n\r\n" not in head:
        block = connection.recv(4096)
        if not block:
            return None
        head += block
    lines = head.decode("latin-1").split("\r\n")[1:]
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines if line)
    }
    asked_range = headers.get("range", "")
    start = asked_range.removeprefix("bytes=").partition("-")[0]
    return Asked(headers, int(start) if start.isdigit() else None)
