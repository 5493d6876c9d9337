"""One connection to a server, kept between requests.

    kept, and not closed meanwhile? ─▶ otherwise connect ─▶ send ─▶ receive, without waiting

The library connects, checks certificates and names the errors. The socket is then used directly,
for the library asks anew at each request what does not change.
"""

from __future__ import annotations

import select
import socket
import ssl
from http.client import HTTPException
from threading import Lock
from weakref import finalize

import urllib3.exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection

GLANCE_S = 0.05  # the longest time for which a silent line is waited for at once
WAKE_AT = 256 * 1024  # so much should have come before a waiting thread is woken
RECORD = 17 * 1024  # more than the largest record of TLS


class Line:
    """A connection to one server. Used by one thread.

    Attributes:
        origin: How all addresses on this server begin.
        host: Its name, with the port if it is not the usual one.
        is_at_end: Whether the server has closed the connection.
    """

    def __init__(
        self, origin: str, connection: HTTPConnection, read_within_s: float, decrypting: Lock
    ) -> None:
        self.origin = origin
        self.is_at_end = False
        name = f"[{connection.host.partition('%')[0]}]" if ":" in connection.host else None
        port = "" if connection.port == connection.default_port else f":{connection.port}"
        self.host = f"{name or connection.host}{port}"
        self._connection = connection
        self._read_within_s = read_within_s
        self._is_tls = isinstance(connection, HTTPSConnection)
        self._turn = decrypting if self._is_tls else Lock()
        self._is_free = False
        finalize(self, connection.close)

    def send(self, head: bytes) -> None:
        """Send a request; connect first, unless the connection can be used once more.

        Raises:
            urllib3.exceptions.HTTPError: There is no connection.
            OSError: It broke.
        """
        if self._connection.sock is not None and self._is_free and not self._poll.poll(0):
            self._line.settimeout(self._read_within_s)
        else:
            self._connect()
        self._is_free = False
        try:
            self._line.sendall(head)
        except (BrokenPipeError, ConnectionResetError):
            # The answer may have come before, such as a refusal; otherwise the end follows.
            return

    def receive_first(self, into: memoryview) -> int:
        """Wait until anything comes, and take it; return how much it is, 0 at the end.

        Raises:
            OSError: The connection broke, or was silent for too long.
        """
        return self._line.recv_into(into)

    def receive(self, into: memoryview) -> int:
        """Take what is there; return how much it is, 0 also at the end.

        Raises:
            OSError: The connection broke.
        """
        count = 0
        try:
            # Records of 16 KiB by turns: between two of them a thread gives up the interpreter,
            # and with others that wait for it each of these moments costs more than the record.
            with self._turn:
                while count < len(into):
                    came = self._line.recv_into(into[count:])
                    self.is_at_end = not came
                    count += came
                    if not came or not self._is_tls:
                        break
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            # What came before it is passed on first: the next call has the same error.
            if not count:
                raise
        return count

    def wait(self, wanted: int) -> None:
        """Wait a moment for more, best until so much has come."""
        # One wake-up for many packets. Of TLS a part of a record may have been taken already.
        least = min(WAKE_AT, wanted - RECORD if self._is_tls else wanted)
        self._ask_for(max(1, least))
        self._poll.poll(min(GLANCE_S, self._read_within_s) * 1000)

    def stop_waiting(self) -> None:
        """Let `receive` return at once from now on, until the next request."""
        self._line.settimeout(0)

    def let_go(self) -> None:
        """Keep the connection for another request: the answer was read to its end."""
        self._ask_for(1)
        # What came beyond the answer may be decrypted already, where `poll` does not see it.
        self._is_free = not (isinstance(self._line, ssl.SSLSocket) and self._line.pending())

    def close(self) -> None:
        """Close the connection; the next request makes a new one."""
        self._connection.close()

    def _connect(self) -> None:
        self._connection.close()
        self._connection.connect()
        self._line: socket.socket = self._connection.sock
        self._line.settimeout(self._read_within_s)
        self._poll = select.poll()
        self._poll.register(self._line.fileno(), select.POLLIN)
        self._at_least = 1
        self.is_at_end = False

    def _ask_for(self, least: int) -> None:
        if least != self._at_least:
            self._line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, least)
            self._at_least = least


def as_of_library(error: OSError | HTTPException) -> urllib3.exceptions.HTTPError:
    """Return the exception that the library raises for one of the connection."""
    if isinstance(error, ssl.SSLError):
        return urllib3.exceptions.SSLError(error)
    if isinstance(error, TimeoutError):
        return urllib3.exceptions.TimeoutError("nothing came")
    return urllib3.exceptions.ProtocolError("the connection broke", error)
