"""Requests a file over a connection that is kept, and reads the body into a buffer that is reused.

    head read ─▶ what came with it ─▶ straight from the socket: until full, or a moment has passed

A body read through the libraries comes in new blocks, over TLS in one for each record of 16 KiB.
So where the length is known the socket is read directly. Nothing but what came is waited for: a
buffer that is not full is passed on after a moment, so that a slow transfer still moves and stops.
"""

from __future__ import annotations

import io
import select
import socket
import ssl
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from threading import Event, Lock, local
from urllib.parse import urlsplit

import requests.utils
import urllib3
from urllib3.exceptions import ProtocolError
from urllib3.response import BaseHTTPResponse, HTTPResponse
from urllib3.util.ssl_ import create_urllib3_context

from sidecar.clock import Clock
from sidecar.transfer.http.heads import open_pool
from sidecar.transfer.timeouts import Timeouts

BUFFER = 1024 * 1024
BLOCK = 256 * 1024  # the most that is read through the libraries at a time
# The longest time for which a buffer is filled, and for which a silent line is waited for at once.
FILL_S = 0.1
GLANCE_S = 0.05
WAKE_AT = 256 * 1024  # so much should have come before a waiting thread is woken
RECORD = 17 * 1024  # more than the largest record of TLS
_NEVER = urllib3.Retry(total=False, redirect=None)


class KeptConnections:
    """The connections of one engine; each thread has its own, and its own buffer. Thread-safe."""

    def __init__(self, clock: Clock, timeouts: Timeouts, ca_file: Path | None) -> None:
        self._clock = clock
        self._timeouts = timeouts
        self._timeout = urllib3.Timeout(connect=timeouts.connect, read=timeouts.read)
        self._ca_file = ca_file
        self._mine = _Mine()
        self._decrypting = Lock()
        self._loading = Lock()
        self._context: ssl.SSLContext | None = None

    def get(self, url: str, headers: Mapping[str, str]) -> BaseHTTPResponse:
        """Request an address; return the response, to be closed by the caller.

        Redirects are not followed, and nothing comes from the environment or is decoded.

        Raises:
            urllib3.exceptions.HTTPError: No head of a response came.
            ValueError: The address or a header cannot be sent.
        """
        origin, target = _split_origin(url)
        return self._get_pool(origin).urlopen(
            "GET",
            target,
            redirect=False,
            assert_same_host=False,
            retries=_NEVER,
            headers=headers,
            timeout=self._timeout,
            preload_content=False,
            decode_content=False,
        )

    def read(self, response: BaseHTTPResponse, stop: Event) -> ReceivedBody:
        """Return the body of a response of this thread; it ends that of an earlier one."""
        if self._mine.buffer is None:
            self._mine.buffer = memoryview(bytearray(BUFFER))
        return ReceivedBody(
            response,
            self._mine.buffer,
            self._clock,
            self._timeouts.read,
            stop,
            decrypting=self._decrypting,
        )

    def _get_pool(self, origin: str) -> urllib3.HTTPConnectionPool:
        """Return this thread's connections to a server; there is only one at a time."""
        if self._mine.origin != origin or self._mine.pool is None:
            options = {"ssl_context": self._trust()} if origin.startswith("https:") else {}
            self._mine.pool = open_pool(origin, options)
            self._mine.origin = origin
        return self._mine.pool

    def _trust(self) -> ssl.SSLContext:
        """Return the one context of all threads: to read the certificates takes a while."""
        with self._loading:
            if self._context is None:
                try:
                    context = create_urllib3_context()
                    context.load_verify_locations(
                        self._ca_file or requests.utils.DEFAULT_CA_BUNDLE_PATH
                    )
                except OSError as error:
                    raise urllib3.exceptions.SSLError(error) from error
                self._context = context
            return self._context


def _split_origin(url: str) -> tuple[str, str]:
    """Return the address of the server, and what is requested from it."""
    parts = urlsplit(url)
    target = parts.path or "/"
    return f"{parts.scheme}://{parts.netloc}", f"{target}?{parts.query}" if parts.query else target


class _Mine(local):
    """What one thread has."""

    origin: str = ""
    pool: urllib3.HTTPConnectionPool | None = None
    buffer: memoryview | None = None


class ReceivedBody:
    """The body of one response. Used by one thread."""

    def __init__(
        self,
        response: BaseHTTPResponse,
        buffer: memoryview,
        clock: Clock,
        read_within_s: float,
        stop: Event,
        *,
        decrypting: Lock,
    ) -> None:
        self._response = response
        self._buffer = buffer
        self._clock = clock
        self._read_within_s = read_within_s
        self._stop = stop
        self._decrypting = decrypting
        self._line: _Line | None = None
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
            is_known = self._response.length_remaining is not None
            block = self._response.read1(min(want, io.DEFAULT_BUFFER_SIZE if is_known else BLOCK))
            filled = len(block)
            self._buffer[:filled] = block
            if want >= io.DEFAULT_BUFFER_SIZE:
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
            self._line, self._left = _Line(line, self._decrypting), left

    def _read(self, line: _Line, filled: int, want: int) -> int:
        """Fill the buffer up to `want`; return how far it is filled."""
        began_with, until, silent_s = filled, self._clock.monotonic() + FILL_S, 0.0
        while filled < want and not line.is_at_end:
            try:
                count = line.receive(self._buffer[filled:want])
            except OSError as error:
                self._error = ProtocolError("the connection broke", error)
                if filled:
                    break
                raise self._error from error
            filled += count
            if filled == want or (filled and self._clock.monotonic() >= until):
                break
            if not filled and silent_s and self._stop.is_set():
                break
            if not filled and silent_s >= self._read_within_s:
                raise urllib3.exceptions.TimeoutError("nothing came")
            if not line.is_at_end and not line.wait(want - filled, self._read_within_s):
                silent_s += GLANCE_S
                if filled and silent_s >= FILL_S:
                    break
        self._left -= filled - began_with
        if not self._left:
            self._let_go(line)
        return filled

    def _let_go(self, line: _Line) -> None:
        """Give the connection back for the next request: the body is read to its end."""
        line.let_go(self._read_within_s)
        if isinstance(self._response, HTTPResponse):
            # The library does not know that: it would close the connection with the response.
            self._response._fp.close()  # type: ignore[union-attr]  # noqa: SLF001
        self._response.release_conn()


class _Line:
    """The socket of a connection, from which the rest of a body is read without waiting.

    Attributes:
        is_at_end: Whether the server has closed the connection.
    """

    def __init__(self, line: socket.socket, decrypting: Lock) -> None:
        self._line = line
        self._is_tls = isinstance(line, ssl.SSLSocket)
        self._turn: AbstractContextManager[object] = decrypting if self._is_tls else nullcontext()
        self._poll = select.poll()
        self._poll.register(line.fileno(), select.POLLIN)
        self._at_least = 1
        self.is_at_end = False
        line.settimeout(0)

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

    def wait(self, wanted: int, at_most_s: float) -> bool:
        """Wait a moment for more, best until so much has come; return whether it has."""
        # One wake-up for many packets. Of TLS a part of a record may have been taken already.
        least = min(WAKE_AT, wanted - RECORD if self._is_tls else wanted)
        self._ask_for(max(1, least))
        return bool(self._poll.poll(min(GLANCE_S, at_most_s) * 1000))

    def let_go(self, timeout_s: float) -> None:
        """Make it again as it was."""
        self._ask_for(1)
        self._line.settimeout(timeout_s)

    def _ask_for(self, least: int) -> None:
        if least != self._at_least:
            self._line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, least)
            self._at_least = least
