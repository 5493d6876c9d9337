"""Response bodies for files on devices and for streams proxied from Jellyfin.

    FileBody    sent by the operating system (`sendfile`), without passing through Python
    ProxyBody   block by block, as it arrives

If a body cannot be sent completely, the connection is closed, so that no client takes a part for
the whole. At shutdown all streams are cut off.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from threading import Lock
from typing import BinaryIO

from sidecar.errors import JellyfinError

log = logging.getLogger(__name__)

BLOCK_BYTES = 256 * 1024
Send = Callable[[bytes], object]


class StreamingBody(ABC):
    """A WSGI body that the server may send in a more efficient way than by iterating."""

    def __init__(self, close: Callable[[], object]) -> None:
        """Create the body; `close` is called exactly once, whether it was sent or not."""
        self._close: Callable[[], object] | None = close

    @abstractmethod
    def __iter__(self) -> Iterator[bytes]:
        """Yield it in blocks."""

    def send_to(self, connection: socket.socket, send: Send) -> None:  # noqa: ARG002 - others need it
        """Send the body to the connection, or block by block with `send`."""
        for block in self:
            send(block)

    def abort(self) -> None:  # noqa: B027 - most bodies wait for nobody
        """Stop waiting for the source of the body; for any thread."""

    def close(self) -> None:
        """Release the source of the body."""
        close, self._close = self._close, None
        if close is not None:
            close()


class FileBody(StreamingBody):
    """A part of an open file."""

    def __init__(
        self, file: BinaryIO, *, start: int, length: int, close: Callable[[], object]
    ) -> None:
        super().__init__(close)
        self._file = file
        self._start = start
        self._length = length

    def __iter__(self) -> Iterator[bytes]:
        """Yield it in blocks."""
        place, end = self._start, self._start + self._length
        while place < end:
            block = os.pread(self._file.fileno(), min(BLOCK_BYTES, end - place), place)
            if not block:
                raise log_cut_off(f"{self._file.name} became shorter while it was sent")
            place += len(block)
            yield block

    def send_to(self, connection: socket.socket, send: Send) -> None:  # noqa: ARG002 - see the original
        """Send the file by `sendfile`."""
        if not self._length:
            return
        try:
            sent = connection.sendfile(self._file, self._start, self._length)
        except OSError as error:
            if error.errno == errno.EIO:
                raise log_cut_off("a device failed while one of its files was sent") from error
            raise
        if sent < self._length:
            raise log_cut_off("a file became shorter while it was sent")


class ProxyBody(StreamingBody):
    """A stream from another server."""

    def __init__(
        self,
        blocks: Iterator[bytes],
        *,
        abort: Callable[[], object],
        close: Callable[[], object],
    ) -> None:
        super().__init__(close)
        self._blocks = blocks
        self._abort = abort

    def __iter__(self) -> Iterator[bytes]:
        """Yield it as it comes."""
        try:
            yield from self._blocks
        except JellyfinError as trouble:
            raise log_cut_off(str(trouble)) from trouble

    def abort(self) -> None:
        """Stop waiting for the next block."""
        self._abort()


class OpenResponses:
    """The streaming responses that are being sent. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._now: dict[StreamingBody, socket.socket] = {}
        self._is_over = False

    def send(self, body: StreamingBody, connection: socket.socket, send: Send) -> None:
        """Send a body completely.

        Raises:
            OSError: It was not sent completely; the connection must be closed.
        """
        with self._lock:
            if self._is_over:
                raise log_cut_off("the sidecar stops")
            self._now[body] = connection
        try:
            body.send_to(connection, send)
        finally:
            with self._lock:
                del self._now[body]

    def hang_up(self) -> None:
        """Cut off all responses that are being sent, and refuse further ones."""
        with self._lock:
            self._is_over = True
            for body, connection in self._now.items():
                body.abort()
                _shut(connection)


def log_cut_off(why: str) -> OSError:
    """Log why a response is cut off; return the error that makes the server close it."""
    log.warning("an answer was cut off: %s", why)
    return ConnectionAbortedError(errno.ECONNABORTED, why)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        log.debug("a connection was closed already")
