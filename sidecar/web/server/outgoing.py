"""What is still to be sent on a connection: a worker never waits until somebody reads a page.

What the other side does not take at once is sent by the thread of `Connections` as it takes it.
Only files are waited for: they have workers set aside.
"""

from __future__ import annotations

import socket
from collections import deque

from sidecar.limits import SILENT_S, UNSENT_BYTES


class Outgoing:
    """Where cheroot writes to. One thread at a time; `refuse` at the end of the server apart."""

    closed = False

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._pieces: deque[memoryview] = deque()
        self._is_waiting = False
        self.unsent = 0

    def write(self, octets: bytes) -> int:
        """Send as much as is taken at once, and keep the rest.

        Raises:
            OSError: The connection is over, or nothing is taken while it is waited for.
        """
        if octets:
            self._pieces.append(memoryview(octets))
            self.unsent += len(octets)
        if self._is_waiting or not self.go_on():
            self._wait_if_much()
        return len(octets)

    def flush(self) -> None:
        """Nothing: what is written is sent as soon as it can be."""

    def close(self) -> None:
        """Nothing: the connection closes its socket itself."""

    def go_on(self) -> bool:
        """Send what is taken now; return whether nothing is left.

        Raises:
            OSError: The connection is over.
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
        """From now on, wait until everything is taken, at most `SILENT_S` for each piece."""
        self._is_waiting = True
        self._connection.settimeout(SILENT_S)
        self.go_on()

    def wait_no_more(self) -> None:
        """Wait no longer."""
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
