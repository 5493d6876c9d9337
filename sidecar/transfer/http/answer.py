"""Reads the answer to a request into a buffer that is reused.

    first bytes ─▶ head, beginning of the body ─▶ straight from the socket: until full, or a moment
                                                  has passed

A body read through the libraries comes in new blocks, over TLS in one for each record of 16 KiB.
So where the length is known the socket is read directly. Nothing but what came is waited for: a
buffer that is not full is passed on after a moment, so that a slow transfer still moves and stops.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse, LineTooLong
from threading import Event
from typing import Self

import urllib3.exceptions

from sidecar.clock import Clock
from sidecar.transfer.http.heads import Head, read_by_library, read_head
from sidecar.transfer.http.line import Line, as_of_library

BUFFER = 1024 * 1024
BLOCK = 256 * 1024  # the most that is read through the library at a time
FILL_S = 0.1  # the longest time for which a buffer is filled


class Answer:
    """The answer to one request; a context manager that closes it. Used by one thread.

    Attributes:
        status: Of the answer.
        headers: By their lower-case names.
        left: How much of the body was not returned yet; 0 if only its end shows how long it is.
    """

    def __init__(
        self, line: Line, buffer: memoryview, clock: Clock, read_within_s: float, stop: Event
    ) -> None:
        """Read the head: of one that comes bit by bit no longer than silence is borne.

        Raises:
            OSError: The connection broke, or was silent for too long.
            http.client.HTTPException: There is no head.
        """
        self._line = line
        self._buffer = buffer
        self._clock = clock
        self._read_within_s = read_within_s
        self._stop = stop
        self._library: HTTPResponse | None = None
        self._error: urllib3.exceptions.HTTPError | None = None
        self._head_until = clock.monotonic() + read_within_s
        self._end = line.receive_first(buffer)
        head = read_head(buffer[: self._end]) or self._read_by_library()
        self.status, self.headers = head.status, head.fields
        self._is_last = head.is_last
        # What came of the body, and was not returned yet, is between these two in the buffer.
        self._begin = head.size
        self.left = head.length or 0
        if self._library is None:
            line.stop_waiting()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Keep the connection if nothing of the answer is still to come, otherwise close it."""
        if self._library is not None:
            is_over = self._library.isclosed()
            self._library.close()
        else:
            is_over = self._end - self._begin == self.left
        if is_over and not self._is_last:
            self._line.let_go()
        else:
            self._line.close()

    def fill(self, most: int) -> memoryview:
        """Return the next bytes, at most `most`; none at the end, or when `stop` is set.

        The bytes are valid until the next call. Those that came before an error are returned
        first.

        Raises:
            urllib3.exceptions.HTTPError: The connection broke, or was silent for too long.
        """
        if self._error is not None:
            raise self._error
        if self._library is not None:
            return self._read_through(self._library, most)
        if self._begin == self._end:
            self._begin = self._end = 0
        until = min(self._begin + min(most, self.left), len(self._buffer))
        if self._end < until:
            self._receive(until)
        block = self._buffer[self._begin : min(self._end, until)]
        self._begin += len(block)
        self.left -= len(block)
        return block

    def _receive(self, until: int) -> None:
        """Fill the buffer up to `until`, or as far as a moment is enough for."""
        line, began = self._line, self._clock.monotonic()
        while self._end < until and not line.is_at_end:
            try:
                self._end += line.receive(self._buffer[self._end : until])
            except OSError as error:
                self._error = as_of_library(error)
                if self._begin < self._end:
                    return
                raise self._error from error
            took_s = self._clock.monotonic() - began
            if self._begin < self._end:
                if self._end == until or took_s >= FILL_S:
                    return
            elif self._stop.is_set():
                return
            elif took_s >= self._read_within_s:
                # Also where bytes come, but never a whole record of TLS.
                raise urllib3.exceptions.TimeoutError("nothing came")
            if not line.is_at_end:
                line.wait(until - self._end)

    def _read_by_library(self) -> Head:
        """Read a head that is not ordinary, and leave a body of unknown length to the library."""
        source = _Source(self._buffer, self._end, self._receive_more_of_head)
        head, response = read_by_library(source)
        self._end = source.end
        if head.length is None:
            self._library = response
            source.end_head(self._line.receive_first)
        else:
            response.close()
        return head

    def _receive_more_of_head(self, into: memoryview) -> int:
        if self._clock.monotonic() >= self._head_until:
            raise TimeoutError("the head has no end")
        return self._line.receive_first(into)

    def _read_through(self, library: HTTPResponse, most: int) -> memoryview:
        try:
            return memoryview(library.read1(min(most, BLOCK)))
        except (OSError, HTTPException) as error:
            self._error = as_of_library(error)
            raise self._error from error


class _Source(io.RawIOBase):
    """Gives the library what came, then what comes: into the buffer, where a body is looked for.

    Attributes:
        end: How far the buffer is filled.
    """

    def __init__(self, buffer: memoryview, end: int, receive: Callable[[memoryview], int]) -> None:
        self._buffer = buffer
        self._receive = receive
        self._is_past_head = False
        self._given = 0
        self.end = end

    def end_head(self, receive: Callable[[memoryview], int]) -> None:
        """Receive the body by this; what was given of the head is not needed any more."""
        self._receive = receive
        self._is_past_head = True

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what reads from here, as a socket does."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Return how much was given."""
        return self._given

    def readinto(self, into: memoryview) -> int:  # type: ignore[override]
        """Give what is there, or else wait for more."""
        if self._given == self.end:
            if self._is_past_head:
                self._given = self.end = 0
            if self.end == len(self._buffer):
                raise LineTooLong("head")
            self.end += self._receive(self._buffer[self.end :])
        count = min(len(into), self.end - self._given)
        into[:count] = self._buffer[self._given : self._given + count]
        self._given += count
        return count
