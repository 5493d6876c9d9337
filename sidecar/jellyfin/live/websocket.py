"""One WebSocket connection to Jellyfin: opens it, sends and receives frames, closes it.

It follows no redirect and no proxy variable, compresses nothing (a small frame cannot become a
large one), and buffers one unread frame. A few connections take frames up to `LARGEST_FRAME_BYTES`,
all others up to `SMALL_FRAME_BYTES`.
"""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit
from weakref import finalize

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import CloseCode, Frame, Opcode
from websockets.sync.client import ClientConnection, connect

from sidecar.errors import JellyfinError, ServerAway, UnexpectedAnswer
from sidecar.jellyfin.http.connection import JellyfinConnection, ca_file_error, insecure_error
from sidecar.jellyfin.http.responses import AWAY, retry_after
from sidecar.jellyfin.live.events import LARGEST_FRAME_BYTES
from sidecar.jellyfin.live.tls_socket import TlsClientConnection
from sidecar.messages import msg
from sidecar.process.shares import Shares

OPEN_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 0.4
MOST_WAITING = 0
# Enough for a queue of two hundred tracks, or for what a device is cast.
SMALL_FRAME_BYTES = 1024 * 1024
# Connections that may take large frames at the same time: each holds up to three of them, one that
# arrives, one that waits and one that is read. The queues of further accounts are polled.
LARGE_CONNECTIONS = Shares(3)
WAKING = Frame(Opcode.TEXT, b"")


class ConnectionRefused(JellyfinError):
    """The server answered the opening with 401 or 403: a refused token, or a proxy."""


class ConnectionLost(ServerAway):
    """The connection has ended.

    Attributes:
        frame_too_big: We closed it, because a frame was too large.
    """

    def __init__(self, message: str, *, frame_too_big: bool = False) -> None:
        super().__init__(message)
        self.frame_too_big = frame_too_big


class LiveConnection(Protocol):
    """An open live connection."""

    def send(self, text: str) -> None:
        """Send a frame.

        Raises:
            ConnectionLost: The connection has ended.
        """

    def receive(self, timeout_s: float) -> bytes | None:
        """Wait for a frame; None if none came in time, or if another thread has called `wake`.

        Raises:
            ConnectionLost: The connection has ended.
        """

    def wake(self) -> None:
        """Let the `receive` that waits, or the next one, return at once. Never raises.

        Only for a connection that is closed then: a frame that is coming may be lost by it.
        """

    def close(self) -> None:
        """End it, in less than a second. Never raises."""


class WebSocketConnection:
    """A `LiveConnection` over a real WebSocket."""

    def __init__(self, connection: ClientConnection, when_closed: Callable[[], None]) -> None:
        self._connection = connection
        self._when_closed = finalize(self, when_closed)

    def send(self, text: str) -> None:
        """Send a frame."""
        try:
            self._connection.send(text)
        except ConnectionClosed as closed:
            raise _connection_lost(closed) from closed

    def receive(self, timeout_s: float) -> bytes | None:
        """Wait for a frame; None if none came in time."""
        try:
            frame = self._connection.recv(timeout_s, decode=False)
        except TimeoutError:
            return None
        except ConnectionClosed as closed:
            raise _connection_lost(closed) from closed
        return frame or None

    def wake(self) -> None:
        """Let the `receive` that waits, or the next one, return at once."""
        # The library has no way to wake who waits, but its queue takes frames from any thread.
        self._connection.recv_messages.frames.put(WAKING)

    def close(self) -> None:
        """Close with a close frame, without waiting for the server's."""
        self._connection.close()
        self._when_closed()


def open_connection(http: JellyfinConnection, *, may_be_large: bool = True) -> LiveConnection:
    """Open the live connection of the account of `http`.

    Args:
        http: The connection for its requests.
        may_be_large: Take large frames, unless too many connections do already.

    Raises:
        ConnectionRefused: 401 or 403; `/Users/Me` can tell why.
        ServerAway: The server does not answer, or is starting.
        UnexpectedAnswer: The certificate is not trusted, or it is not Jellyfin.
    """
    uri = http.address.socket
    # websockets writes all headers at DEBUG, and ours carries the token.
    quiet = logging.getLogger("sidecar.jellyfin.frames")
    quiet.setLevel(logging.INFO)
    tls = _make_tls_context(http) if uri.startswith("wss:") else None
    is_large = LARGE_CONNECTIONS.take() if may_be_large else None
    with ExitStack() as opened:
        if is_large is not None:
            opened.callback(is_large)
        try:
            # Our own TCP connection: given one, the library follows no redirect.
            tcp = opened.enter_context(_open_tcp(uri))
            connection = connect(
                uri,
                sock=tcp,
                ssl=tls,
                create_connection=TlsClientConnection if tls else ClientConnection,
                compression=None,
                additional_headers={"Authorization": http.authorization},
                user_agent_header=f"Jellyfin-Sidecar/{http.identity.version}",
                proxy=None,
                open_timeout=OPEN_TIMEOUT_S,
                ping_interval=None,
                close_timeout=CLOSE_TIMEOUT_S,
                max_size=SMALL_FRAME_BYTES if is_large is None else LARGEST_FRAME_BYTES,
                max_queue=MOST_WAITING,
                logger=quiet,
                # We close it ourselves; a `with` block cannot span the listener's steps.
                legacy=True,
            )
        except (OSError, EOFError, ValueError, WebSocketException) as error:
            raise _opening_error(error, http) from error
        opened.pop_all()
    return WebSocketConnection(connection, is_large or _nothing)


def _nothing() -> None:
    """Give nothing back."""


def _open_tcp(uri: str) -> socket.socket:
    parts = urlsplit(uri)
    port = parts.port or (443 if parts.scheme == "wss" else 80)
    tcp = socket.create_connection((parts.hostname or "", port), timeout=OPEN_TIMEOUT_S)
    tcp.settimeout(None)
    return tcp


def _make_tls_context(http: JellyfinConnection) -> ssl.SSLContext:
    """Return the TLS context that trusts the same certificates as HTTP requests do."""
    try:
        return ssl.create_default_context(cafile=http.ca_file or DEFAULT_CA_BUNDLE_PATH)
    except ssl.SSLError as error:
        raise insecure_error(http.address, error) from error
    except OSError as error:
        raise ca_file_error(http.ca_file) from error


def _opening_error(error: Exception, http: JellyfinConnection) -> JellyfinError:
    """Return the error for a connection that could not be opened."""
    server = http.address
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return ConnectionRefused(
                msg(
                    "{server} refuses the live connection (status {status})",
                    server=server,
                    status=status,
                )
            )
        if status in AWAY:
            wait = retry_after(error.response.headers.get("Retry-After"))
            return ServerAway(
                msg("Jellyfin at {server} is not ready", server=server), retry_after_s=wait
            )
        return UnexpectedAnswer(
            msg(
                "{server} does not open a live connection (status {status})",
                server=server,
                status=status,
            )
        )
    if isinstance(error, ssl.SSLError):
        return insecure_error(server, error)
    if isinstance(error, (OSError, EOFError)) or isinstance(error.__cause__, EOFError):
        return ServerAway(msg("Jellyfin at {server} does not answer", server=server))
    return UnexpectedAnswer(
        msg("{server} does not open a live connection: check any proxy before it", server=server)
    )


def _connection_lost(closed: ConnectionClosed) -> ConnectionLost:
    too_big = closed.sent is not None and closed.sent.code == CloseCode.MESSAGE_TOO_BIG
    return ConnectionLost(msg("The live connection to Jellyfin was closed"), frame_too_big=too_big)
