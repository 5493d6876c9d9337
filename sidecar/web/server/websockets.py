"""WebSockets beside cheroot, which only knows requests: each gets its own thread.

    cheroot's worker ──▶ application ──admits it, hands over──▶ thread `websocket-n` ──▶ Socket.IO
          │                                                            │
     next request                                         SocketTransport (the connection)

The worker is free at once, so open pages never use up the workers. A request that is refused gets
no thread.
"""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from http import HTTPStatus
from importlib import import_module
from threading import Lock, Thread, current_thread
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sidecar.process.limits import SOCKETS
from sidecar.web.request.refusals import Refusal, response_of, whole_response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

LIBRARY = "simple_websocket"
SOCKET_KEY = "werkzeug.socket"
# The function that the server puts into `environ` of a request that may become a WebSocket. It
# starts a thread that calls the application again, now with `SOCKET_KEY`, and returns whether that
# was possible. Its argument is called at the end of the WebSocket.
UPGRADE_KEY = "sidecar.upgrade"
SLOWEST_SEND_S = 10.0
LARGEST_MESSAGE = 64 * 1024
LOOK_EVERY_S = 1.0
_Reader = partial(Thread, daemon=True)


@contextmanager
def loading_websockets_later() -> Iterator[None]:
    """Make Engine.IO's server inside: what it loads for WebSockets of its own is left out.

    It gets our adapter, which loads that for the first WebSocket: it is a fifteenth of the start.
    """
    is_loaded = LIBRARY in sys.modules
    sys.modules.setdefault(LIBRARY, ModuleType(LIBRARY))
    try:
        yield
    finally:
        if not is_loaded:
            del sys.modules[LIBRARY]


@cache
def _library() -> Any:  # noqa: ANN401 - it has no types
    return import_module(LIBRARY)


def _errors() -> tuple[type[Exception], ...]:
    """Return what the library and what it is built on raise for what a client does."""
    wire = import_module("wsproto.utilities")
    return wire.RemoteProtocolError, _library().errors.SimpleWebsocketError


class SocketTransport:
    """A socket for simple-websocket that never blocks for ever when sending."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._connection.settimeout(SLOWEST_SEND_S)
        self.has_spoken = False

    def recv(self, most: int) -> bytes:
        """Wait for bytes without a timeout; empty when the connection is closed."""
        while True:
            try:
                return self._connection.recv(most)
            except TimeoutError:
                continue

    def send(self, octets: bytes) -> int:
        """Send everything.

        Raises:
            BrokenPipeError: The connection is closed, or the client takes nothing any more.
        """
        self.has_spoken = True
        try:
            self._connection.sendall(octets)
        except OSError as error:
            self.hang_up()
            raise BrokenPipeError(str(error)) from error
        return len(octets)

    def hang_up(self) -> None:
        """Shut the connection down; a thread in `recv` returns."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Shut the connection down and close its descriptor."""
        self.hang_up()
        self._connection.close()

    def fileno(self) -> int:
        """Return the socket's file descriptor."""
        return self._connection.fileno()


class WebSocketAdapter:
    """A WebSocket with the interface that Engine.IO expects."""

    def __init__(self, talk: Callable[[WebSocketAdapter], object], _server: object) -> None:
        self._talk = talk
        self._ws: Any = None

    def __call__(self, environ: WSGIEnvironment, _start_response: object) -> Iterable[bytes]:
        """Do the handshake and run Engine.IO's handler until the WebSocket is closed."""
        self._ws = _library().Server(
            environ, max_message_size=LARGEST_MESSAGE, thread_class=_Reader
        )
        self._talk(self)
        return []

    def send(self, message: str | bytes) -> None:
        """Send a message.

        Raises:
            OSError: The WebSocket is closed.
        """
        try:
            self._ws.send(message)
        except _library().ConnectionClosed as error:
            raise OSError("the WebSocket is over") from error

    def wait(self) -> str | bytes | None:
        """Return the next message; None when the WebSocket is closed."""
        while True:
            try:
                # With a timeout: simple-websocket may miss the end and would wait for ever.
                message: str | bytes | None = self._ws.receive(timeout=LOOK_EVERY_S)
            except _library().ConnectionClosed:
                return None
            if message is not None:
                return message
            if not self._ws.thread.is_alive():
                # Its thread failed in a way that simple-websocket does not report.
                return None

    def close(self) -> None:
        """Close the WebSocket."""
        with suppress(OSError, _library().ConnectionClosed):
            self._ws.close()


class WebSockets:
    """The open WebSockets. Thread-safe.

    Attributes:
        app: The application that is called for each new one.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app
        self._lock = Lock()
        self._open: dict[Thread, SocketTransport] = {}
        self._count = 0
        self._closed = False

    def take_over(
        self, environ: WSGIEnvironment, connection: socket.socket, ended: Callable[[], object]
    ) -> bool:
        """Serve a WebSocket in a thread of its own, which closes the connection and calls `ended`.

        Returns False, and does nothing, if there are too many or the server is stopping.
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
                # The operating system allows no more threads.
                del self._open[thread]
                return False
        return True

    def close(self) -> tuple[Thread, ...]:
        """Shut all of them down, refuse new ones, and return the threads that are about to end."""
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
        except _errors() as error:
            # A failed handshake, or the regular end of a WebSocket.
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
    """Refuse a WebSocket; return False if the handshake was done already."""
    if line.has_spoken:
        return False
    with suppress(ConnectionError):
        line.send(response_of(app, environ, refused))
    return True


def _answer(app: WSGIApplication, environ: WSGIEnvironment, line: SocketTransport) -> None:
    """Call the application; send its response if it refuses the WebSocket."""
    if response := whole_response(app, environ):
        line.send(response)
