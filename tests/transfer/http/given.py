"""A line whose other end is in our hands."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock

from urllib3.connection import HTTPConnection

from sidecar.clock import Clock, SystemClock
from sidecar.transfer.http.answer import BUFFER, Answer
from sidecar.transfer.http.heads import LONGEST
from sidecar.transfer.http.line import Line
from tests.patience import PATIENCE_S

REQUEST = b"GET / HTTP/1.1\r\n\r\n"


class Given(HTTPConnection):
    """A connection that is there already, and no second one."""

    def __init__(self, ours: socket.socket) -> None:
        super().__init__("music.example")
        self.given = [ours]

    def connect(self) -> None:
        self.sock = self.given.pop()


@contextmanager
def given_line(
    kind: socket.SocketKind = socket.SOCK_STREAM,
) -> Iterator[tuple[Line, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    with ours, theirs:
        line = Line("http://music.example/", Given(ours), PATIENCE_S, Lock())
        yield line, theirs
        line.close()


def ask(
    line: Line,
    theirs: socket.socket,
    *pieces: bytes,
    is_end: bool = False,
    clock: Clock | None = None,
) -> Answer:
    """Request something that is answered in these pieces."""
    for piece in pieces:
        theirs.sendall(piece)
    if is_end:
        theirs.shutdown(socket.SHUT_WR)
    line.send(REQUEST)
    buffer = memoryview(bytearray(LONGEST + BUFFER))
    return Answer(line, buffer, clock or SystemClock(), PATIENCE_S, Event())
