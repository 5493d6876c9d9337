"""Jellyfin's live connection: one in memory that moves a clock, and a real one on loopback."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Queue
from ssl import SSLContext
from threading import Thread

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from sidecar.jellyfin.live.websocket import ConnectionLost
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import Reply
from tests.patience import PATIENCE_S

# So that a test may read every log record of the client's side.
QUIET = logging.getLogger("tests.live")
QUIET.setLevel(logging.CRITICAL)


def frame(kind: str, content: object = None) -> bytes:
    told = {"MessageId": "0" * 32, "MessageType": kind}
    return json.dumps(told if content is None else told | {"Data": content}).encode()


@dataclass
class FakeLine:
    """A line in memory. An empty inbox costs time instead of waiting for it.

    Unlike a real one it loses nothing on the way, and ends only when a test says so.

    Attributes:
        echoes: Whether each KeepAlive is answered, as Jellyfin does.
        lost: What the next call finds; None while the line stands.
    """

    clock: FakeClock
    echoes: bool = True
    lost: ConnectionLost | None = None
    inbox: list[bytes] = field(default_factory=list)
    sent: list[tuple[float, str]] = field(default_factory=list)
    is_closed: bool = False
    times_woken: int = 0

    def send(self, text: str) -> None:
        self._check()
        kind = json.loads(text)["MessageType"]
        self.sent.append((self.clock.monotonic(), kind))
        if kind == "KeepAlive" and self.echoes:
            self.inbox.append(frame("KeepAlive"))

    def receive(self, timeout_s: float) -> bytes | None:
        self._check()
        if self.inbox:
            return self.inbox.pop(0)
        self.clock.advance(timeout_s)
        return None

    def wake(self) -> None:
        self.times_woken += 1

    def close(self) -> None:
        self.is_closed = True

    def times(self, kind: str) -> list[float]:
        return [at for at, one in self.sent if one == kind]

    def _check(self) -> None:
        assert not self.is_closed, "a closed line was used"
        if self.lost is not None:
            raise self.lost


@dataclass
class LiveServer:
    """A real WebSocket server on loopback that also answers GET requests on the same port.

    Unlike Jellyfin it knows no accounts, echoes KeepAlive only while `echoes`, never goes deaf by
    itself, and answers each plain GET on a connection of its own.

    Attributes:
        opening: What the opening of a live connection is answered with; None lets it in.
        answers: Replies to plain GETs, by path.
    """

    url: str = ""
    opening: Reply | None = None
    echoes: bool = True
    answers: dict[str, Reply] = field(default_factory=dict)
    openings: list[Request] = field(default_factory=list)
    connections: Queue[ServerConnection] = field(default_factory=Queue)
    received: Queue[dict[str, object]] = field(default_factory=Queue)

    def admit(self, _: ServerConnection, request: Request) -> Response | None:
        path = request.path.partition("?")[0]
        if path in self.answers:
            return _response(self.answers[path])
        self.openings.append(request)
        return None if self.opening is None else _response(self.opening)

    def serve(self, connection: ServerConnection) -> None:
        connection.send(frame("ForceKeepAlive", 60).decode())
        self.connections.put(connection)
        try:
            for text in connection:
                told = json.loads(text)
                self.received.put(told)
                if told["MessageType"] == "KeepAlive" and self.echoes:
                    connection.send(frame("KeepAlive").decode())
        except ConnectionClosed:
            return

    def connection(self) -> ServerConnection:
        """Wait for the next live connection."""
        return self.connections.get(timeout=PATIENCE_S)

    def wait_for(self, kind: str) -> dict[str, object]:
        """Wait for a frame of the client's, passing over others."""
        while True:
            told = self.received.get(timeout=PATIENCE_S)
            if told["MessageType"] == kind:
                return told


def _response(reply: Reply) -> Response:
    fixed = {"Content-Length": str(len(reply.body)), "Connection": "close"}
    return Response(reply.status, "x", Headers({**reply.headers, **fixed}), reply.body)


@contextmanager
def live_server(base: str = "", tls: SSLContext | None = None) -> Iterator[LiveServer]:
    fake = LiveServer()
    with serve(
        fake.serve,
        "127.0.0.1",
        0,
        ssl=tls,
        process_request=fake.admit,
        ping_interval=None,
        close_timeout=1,
        logger=QUIET,
    ) as server:
        thread = Thread(target=server.serve_forever, name="live-server")
        thread.start()
        fake.url = (
            f"{'https' if tls else 'http'}://127.0.0.1:{server.socket.getsockname()[1]}{base}"
        )
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def running(work: Callable[[], None], end: Callable[[], None]) -> Iterator[Thread]:
    """Run something in a thread and join it, or fail, when the block ends."""
    thread = Thread(target=work, name="under-test")
    thread.start()
    try:
        yield thread
    finally:
        end()
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "the thread did not end"
