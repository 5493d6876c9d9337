"""A TLS socket that one thread reads while another writes, as the WebSocket library does.

OpenSSL lets one thread at a time into a connection. A write that meets a blocked read, most of all
while the server's session tickets arrive, waits for ever, or breaks the connection.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from select import POLLIN, POLLOUT, poll
from threading import Lock
from typing import Any, TypeVar, cast

from websockets.client import ClientProtocol
from websockets.sync.client import ClientConnection

T = TypeVar("T")


class TlsSocket:
    """What the WebSocket library uses of a socket; the lock is never held while one waits."""

    def __init__(self, line: ssl.SSLSocket) -> None:
        """Take over the socket, after its TLS handshake."""
        self._line = line
        self._line.settimeout(0)
        self._turn = Lock()
        self._timeout_s: float | None = None

    def recv(self, size: int) -> bytes:
        """Wait for at most `size` bytes; none at the end."""
        return self._in_turn(partial(self._line.recv, size))

    def sendall(self, content: bytes) -> None:
        """Send everything.

        Raises:
            TimeoutError: The other side has taken nothing in the time of `settimeout`.
        """
        rest = memoryview(content)
        while rest:
            rest = rest[self._in_turn(partial(self._line.send, rest)) :]

    def settimeout(self, timeout_s: float | None) -> None:
        """Let each wait last no longer; None: for ever."""
        self._timeout_s = timeout_s

    def shutdown(self, how: int) -> None:
        """Close one direction or both."""
        socket.socket.shutdown(self._line, how)

    def close(self) -> None:
        """End the connection; nobody waits in `recv` any more."""
        # A descriptor that is only closed wakes nobody.
        with suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)
        self._line.close()

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._line.fileno()

    def _in_turn(self, act: Callable[[], T]) -> T:
        while True:
            try:
                with self._turn:
                    return act()
            except ssl.SSLWantReadError:
                self._wait(POLLIN)
            except ssl.SSLWantWriteError:
                self._wait(POLLOUT)

    def _wait(self, event: int) -> None:
        waiting = poll()
        waiting.register(self._line, event)
        if not waiting.poll(None if self._timeout_s is None else 1000 * self._timeout_s):
            raise TimeoutError("the other side did not answer in time")


class TlsClientConnection(ClientConnection):
    """The library's connection over a `TlsSocket`."""

    def __init__(
        self,
        line: ssl.SSLSocket,
        protocol: ClientProtocol,
        **options: Any,  # noqa: ANN401 - passed through
    ) -> None:
        super().__init__(cast("socket.socket", TlsSocket(line)), protocol, **options)
