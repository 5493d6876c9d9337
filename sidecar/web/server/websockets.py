"""WebSockets under a server that knows only requests: each gets a thread and a socket of its own.

    cheroot's worker ──▶ application ──admits it, hands over──▶ thread `websocket-n` ──▶ Socket.IO
          │                                                            │
     next request                                         SocketTransport (the connection)

The worker is free at once, so open pages never use up the threads that answer requests; and who
may have no WebSocket gets no thread.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from threading import Lock, Thread, current_thread
from typing import TYPE_CHECKING, Any

import simple_websocket  # type: ignore[import-untyped]  # has none
from wsproto.utilities import RemoteProtocolError

from sidecar.limits import SOCKETS
from sidecar.web.request.refusals import Refusal, response_head, response_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

SOCKET_KEY = "werkzeug.socket"
# What the server puts into `environ` where a request could become a WebSocket. Calling it with
# what shall happen at its end lets a thread of its own answer the request once more, now with
# `SOCKET_KEY`; it returns whether there was one. Whoever does not call it answers as usual.
UPGRADE_KEY = "sidecar.upgrade"
SLOWEST_SEND_S = 10.0
LARGEST_MESSAGE = 64 * 1024
LOOK_EVERY_S = 1.0
_Reader = partial(Thread, daemon=True)


class SocketTransport:
    """A connection whose end is noticed and whose sends never hang: what simple-websocket uses."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._connection.settimeout(SLOWEST_SEND_S)
        self.has_spoken = False

    def recv(self, most: int) -> bytes:
        """Wait for bytes, for as long as the connection lives; none means it is over."""
        while True:
            try:
                return self._connection.recv(most)
            except TimeoutError:
                continue

    def send(self, octets: bytes) -> int:
        """Send everything.

        Raises:
            BrokenPipeError: The other side is gone or takes nothing any more.
        """
        self.has_spoken = True
        try:
            self._connection.sendall(octets)
        except OSError as error:
            self.hang_up()
            raise BrokenPipeError(str(error)) from error
        return len(octets)

    def hang_up(self) -> None:
        """End the connection; whoever waits for bytes wakes."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the connection and give its number back."""
        self.hang_up()
        self._connection.close()

    def fileno(self) -> int:
        """Return the connection's number."""
        return self._connection.fileno()


class WebSocketAdapter:
    """One WebSocket as Engine.IO uses it."""

    def __init__(self, talk: Callable[[WebSocketAdapter], object], _server: object) -> None:
        self._talk = talk
        self._ws: Any = None

    def __call__(self, environ: WSGIEnvironment, _start_response: object) -> Iterable[bytes]:
        """Shake hands and talk until it is over."""
        self._ws = simple_websocket.Server(
            environ, max_message_size=LARGEST_MESSAGE, thread_class=_Reader
        )
        self._talk(self)
        return []

    def send(self, message: str | bytes) -> None:
        """Send a message.

        Raises:
            OSError: It is over.
        """
        try:
            self._ws.send(message)
        except simple_websocket.ConnectionClosed as error:
            raise OSError("the WebSocket is over") from error

    def wait(self) -> str | bytes | None:
        """Return the next message, None when it is over."""
        while True:
            try:
                # Woken before the end can be seen, simple-websocket would wait for ever.
                message: str | bytes | None = self._ws.receive(timeout=LOOK_EVERY_S)
            except simple_websocket.ConnectionClosed:
                return None
            if message is not None:
                return message
            if not self._ws.thread.is_alive():
                # It failed in a way that simple-websocket does not take for an end.
                return None

    def close(self) -> None:
        """Say goodbye."""
        with suppress(OSError, simple_websocket.ConnectionClosed):
            self._ws.close()


class WebSockets:
    """The WebSockets that are open. Safe for many threads.

    Attributes:
        app: What answers each new one.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app
        self._lock = Lock()
        self._open: dict[Thread, SocketTransport] = {}
        self._count = 0
        self._closed = False

    def __len__(self) -> int:
        return len(self._open)

    def take_over(
        self, environ: WSGIEnvironment, connection: socket.socket, ended: Callable[[], object]
    ) -> bool:
        """Serve this request in a thread of its own, to the end of its connection, if there is one.

        If so, `ended` is called then.
        """
        line = SocketTransport(connection)
        with self._lock:
            if self._closed or len(self._open) >= SOCKETS:
                return False
            self._count += 1
            thread = Thread(
                target=self._serve,
                args=(environ, line, ended),
                name=f"websocket-{self._count}",
                daemon=True,
            )
            self._open[thread] = line
            try:
                thread.start()
            except RuntimeError:
                # The system gives us no more threads.
                del self._open[thread]
                return False
        return True

    def close(self) -> tuple[Thread, ...]:
        """Hang up on all of them, take no more, and return the threads that are about to end."""
        with self._lock:
            self._closed = True
            ending = dict(self._open)
        for line in ending.values():
            line.hang_up()
        return tuple(ending)

    def _serve(
        self, environ: WSGIEnvironment, line: SocketTransport, ended: Callable[[], object]
    ) -> None:
        try:
            _answer(self.app, environ | {SOCKET_KEY: line}, line)
        except (RemoteProtocolError, simple_websocket.errors.SimpleWebsocketError) as error:
            # How a WebSocket ends here, also when all is well.
            log.debug("a WebSocket ended: %r", error)
            _refuse(self.app, environ, line, Refusal(HTTPStatus.BAD_REQUEST))
        except ConnectionError as error:
            log.debug("a WebSocket ended: %r", error)
        except Exception as error:
            if not _refuse(self.app, environ, line, error):
                log.exception("a WebSocket failed")
        finally:
            line.close()
            with self._lock:
                self._open.pop(current_thread(), None)
            ended()


def _refuse(
    app: WSGIApplication,
    environ: WSGIEnvironment,
    line: SocketTransport,
    refused: Refusal | Exception,
) -> bool:
    """Refuse a WebSocket; return whether it was in time: after the handshake it is too late."""
    if line.has_spoken:
        return False
    with suppress(ConnectionError):
        line.send(response_of(app, environ, refused))
    return True


def _answer(app: WSGIApplication, environ: WSGIEnvironment, line: SocketTransport) -> None:
    """Call the application; if it answers with a response instead, the socket was refused."""
    head: list[str] = []

    def start_response(
        status: str,
        headers: Iterable[tuple[str, str]],
        _exc_info: Any = None,  # noqa: ANN401 - WSGI's own type
        /,
    ) -> Any:  # noqa: ANN401 - nobody calls it
        head[:] = response_head(status, headers)

    body = b"".join(app(environ, start_response))
    if head:
        lines = "\r\n".join([*head, "", ""])
        line.send(lines.encode("latin-1") + body)
