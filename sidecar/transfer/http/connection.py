"""Requests a file over a connection that is kept, and reads the body into a buffer that is reused.

    head read ─▶ what came with it ─▶ straight from the socket: until full, or a moment has passed

A body read through the libraries comes in new blocks, over TLS in one for each record of 16 KiB.
So where the length is known the socket is read directly. Nothing but what came is waited for: a
buffer that is not full is passed on after a moment, so that a slow transfer still moves and stops.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, local

import requests.utils
import urllib3
from urllib3.exceptions import ProtocolError
from urllib3.response import BaseHTTPResponse, HTTPResponse
from urllib3.util.ssl_ import create_urllib3_context

from sidecar.clock import Clock
from sidecar.transfer.timeouts import Timeouts

BUFFER = 1024 * 1024
BLOCK = 256 * 1024  # the most that is read through the libraries at a time
# The longest time for which a buffer is filled, and for which a silent line is waited for at once.
FILL_S = 0.1
GLANCE_S = 0.05


class Connections:
    """The connections of one engine; each thread has its own, and its own buffer. Thread-safe."""

    def __init__(self, clock: Clock, timeouts: Timeouts, ca_file: Path | None) -> None:
        self._clock = clock
        self._timeouts = timeouts
        self._ca_file = ca_file
        self._mine = _Mine()

    @contextmanager
    def get(self, url: str, headers: Mapping[str, str]) -> Iterator[BaseHTTPResponse]:
        """Request an address; yield the response and close it afterwards.

        Redirects are not followed, and nothing comes from the environment or is decoded.

        Raises:
            urllib3.exceptions.HTTPError: No head of a response came.
            ValueError: The address or a header cannot be sent.
        """
        timeout = urllib3.Timeout(connect=self._timeouts.connect, read=self._timeouts.read)
        response = self._get_pools().urlopen(
            "GET",
            url,
            redirect=False,
            retries=False,
            headers=headers,
            timeout=timeout,
            preload_content=False,
            decode_content=False,
        )
        try:
            yield response
        finally:
            response.close()

    def read(self, response: BaseHTTPResponse, stop: Event) -> Body:
        """Return the body of a response of this thread; it ends that of an earlier one."""
        if self._mine.buffer is None:
            self._mine.buffer = memoryview(bytearray(BUFFER))
        return Body(response, self._mine.buffer, self._clock, self._timeouts.read, stop)

    def _get_pools(self) -> urllib3.PoolManager:
        if self._mine.pools is None:
            try:
                context = create_urllib3_context()
                context.load_verify_locations(
                    self._ca_file or requests.utils.DEFAULT_CA_BUNDLE_PATH
                )
            except OSError as error:
                raise urllib3.exceptions.SSLError(error) from error
            self._mine.pools = urllib3.PoolManager(ssl_context=context)
        return self._mine.pools


class _Mine(local):
    """What one thread has."""

    pools: urllib3.PoolManager | None = None
    buffer: memoryview | None = None


class Body:
    """The body of one response. Used by one thread."""

    def __init__(
        self,
        response: BaseHTTPResponse,
        buffer: memoryview,
        clock: Clock,
        read_within_s: float,
        stop: Event,
    ) -> None:
        self._response = response
        self._buffer = buffer
        self._clock = clock
        self._read_within_s = read_within_s
        self._stop = stop
        self._line: socket.socket | None = None
        self._left = 0
        self._error: urllib3.exceptions.HTTPError | None = None

    def fill(self, most: int) -> memoryview:
        """Return the next bytes, at most `most`; none at the end, or when `stop` is set.

        The bytes are valid until the next call. Those that came before an error are returned
        first.

        Raises:
            urllib3.exceptions.HTTPError: The connection broke, or was silent for too long.
        """
        if self._error is not None:
            raise self._error
        want = min(most, len(self._buffer))
        filled = 0
        if self._line is None:
            block = self._response.read1(min(want, BLOCK))
            filled = len(block)
            self._buffer[:filled] = block
            if want > io.DEFAULT_BUFFER_SIZE:
                # No byte of the body is in the buffer with which the head was read.
                self._take_line()
        if self._line is not None:
            filled = self._read(self._line, filled, min(want, filled + self._left))
        return self._buffer[:filled]

    def _take_line(self) -> None:
        """Read the rest from the socket, if it is known how much that is."""
        left = self._response.length_remaining
        # There is none where the server closes the connection after the body.
        line: socket.socket | None = getattr(self._response.connection, "sock", None)
        if left and line is not None:
            self._line, self._left = line, left
            self._line.settimeout(min(GLANCE_S, self._read_within_s))

    def _read(self, line: socket.socket, filled: int, want: int) -> int:
        """Fill the buffer up to `want`; return how far it is filled."""
        began_with, until, silent_s = filled, self._clock.monotonic() + FILL_S, 0.0
        while filled < want:
            try:
                count = line.recv_into(self._buffer[filled:want])
            except TimeoutError:
                silent_s += GLANCE_S
                if filled or self._stop.is_set():
                    break
                if silent_s >= self._read_within_s:
                    raise urllib3.exceptions.TimeoutError("nothing came") from None
            except OSError as error:
                self._error = ProtocolError("the connection broke", error)
                if filled:
                    break
                raise self._error from error
            else:
                filled += count
                if not count or self._clock.monotonic() >= until:
                    break
        self._left -= filled - began_with
        if not self._left:
            self._let_go(line)
        return filled

    def _let_go(self, line: socket.socket) -> None:
        """Give the connection back for the next request: the body is read to its end."""
        line.settimeout(self._read_within_s)
        if isinstance(self._response, HTTPResponse):
            # The library does not know that: it would close the connection with the response.
            self._response._fp.close()  # type: ignore[union-attr]  # noqa: SLF001
        self._response.release_conn()
