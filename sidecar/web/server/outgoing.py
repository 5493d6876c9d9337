"""Buffers responses, so that no worker waits for a client that reads slowly.

What the client does not take at once is sent later by the thread of `Connections`. Only files are
sent in blocking mode, by a limited number of workers.
"""

from __future__ import annotations

import socket
from collections import deque

from sidecar.process.limits import SILENT_S, UNSENT_BYTES


class Outgoing:
    """The file that cheroot writes to. For one thread at a time, except `refuse` at shutdown."""

    closed = False

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._pieces: deque[memoryview] = deque()
        self._is_waiting = False
        self.unsent = 0

    def write(self, octets: bytes) -> int:
        """Send as much as possible at once, and buffer the rest.

        Raises:
            OSError: The connection is closed, or the client takes nothing in blocking mode.
        """
        if octets:
            self._pieces.append(memoryview(octets))
            self.unsent += len(octets)
        if self._is_waiting or not self.go_on():
            self._wait_if_much()
        return len(octets)

    def flush(self) -> None:
        """Do nothing: data is sent as soon as possible."""

    def close(self) -> None:
        """Do nothing: the connection closes its socket."""

    def go_on(self) -> bool:
        """Send as much as possible; return whether nothing is left.

        Raises:
            OSError: The connection is closed.
        """
        while self._pieces:
            piece = self._pieces[0]
            try:
                sent = self._connection.send(piece)
            except BlockingIOError:
                return False
            self._sent(sent)
        return True

    def wait(self) -> None:
        """Switch to blocking mode, with a timeout of `SILENT_S`, and send what is left."""
        self._is_waiting = True
        self._connection.settimeout(SILENT_S)
        self.go_on()

    def wait_no_more(self) -> None:
        """Switch back to non-blocking mode."""
        self._is_waiting = False
        self._connection.setblocking(False)  # noqa: FBT003 - the library's own signature

    def _wait_if_much(self) -> None:
        if self._is_waiting:
            self.go_on()
        elif self.unsent > UNSENT_BYTES:
            try:
                self.wait()
            finally:
                self.wait_no_more()

    def _sent(self, count: int) -> None:
        self.unsent -= count
        piece = self._pieces.popleft()
        if count < len(piece):
            self._pieces.appendleft(piece[count:])
