"""Bodies that take long: parts of files, and what Jellyfin sends meanwhile.

    FileBody    from the disk to the socket by the operating system; no byte passes through Python
    RelayBody   block by block, as it comes

An answer that cannot be sent to its end is cut off together with its connection, so that nobody
takes a part for the whole. When the server stops, nobody is waited for.
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
    """A body, as WSGI takes one, that a server may also send in its own way."""

    def __init__(self, close: Callable[[], object]) -> None:
        """Prepare; `close` is called once, sent or not."""
        self._close: Callable[[], object] | None = close

    @abstractmethod
    def __iter__(self) -> Iterator[bytes]:
        """Yield it in blocks."""

    def send_to(self, connection: socket.socket, send: Send) -> None:  # noqa: ARG002 - others need it
        """Send it; `send` takes a block."""
        for block in self:
            send(block)

    def abort(self) -> None:  # noqa: B027 - most bodies wait for nobody
        """Let it wait no longer for what it is made of; from any thread."""

    def close(self) -> None:
        """Let go of what it is made of."""
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
        """Let the operating system copy it to the connection."""
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
    """What comes from somewhere else."""

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
        """Wait no longer for the next block."""
        self._abort()


class OpenResponses:
    """What is being sent now. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._now: dict[StreamingBody, socket.socket] = {}
        self._is_over = False

    def send(self, body: StreamingBody, connection: socket.socket, send: Send) -> None:
        """Send a body to its end.

        Raises:
            OSError: It could not be; the connection must be closed.
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
        """Cut off all that is being sent, and all that will be."""
        with self._lock:
            self._is_over = True
            for body, connection in self._now.items():
                body.abort()
                _shut(connection)


def log_cut_off(why: str) -> OSError:
    """Return the error that makes the server close the connection without another word."""
    log.warning("an answer was cut off: %s", why)
    return ConnectionAbortedError(errno.ECONNABORTED, why)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        log.debug("a connection was closed already")
