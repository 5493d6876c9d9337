"""Reads anywhere in an untrusted file, with limits on size and time."""

from __future__ import annotations

import os
from threading import Event
from typing import BinaryIO

from sidecar.clock import Clock
from sidecar.errors import SidecarError, Stopped

WINDOW = 128 * 1024
MOST_AT_ONCE = 64 * 1024 * 1024


class CannotTell(SidecarError):
    """The structure is too unusual or too long to be judged; `str()` is a clause."""


class MediaFile:
    """An open file, read at any offset without using its position. For one thread."""

    def __init__(self, file: BinaryIO, *, clock: Clock, stop: Event, limit_s: float) -> None:
        """Prepare.

        Args:
            file: Open for reading.
            clock: For the limit.
            stop: Ends any read when set.
            limit_s: Time limit in seconds for the whole inspection.
        """
        self._descriptor = file.fileno()
        self._clock = clock
        self._stop = stop
        self._deadline = clock.monotonic() + limit_s
        self._start = 0
        self._window = b""
        self.size = os.fstat(self._descriptor).st_size

    def at(self, offset: int, count: int) -> bytes:
        """Return `count` bytes at an offset; fewer at the end of the file.

        Raises:
            CannotTell: It is too much, or the time limit is over.
            errors.Stopped: `stop` was set.
            OSError: The file cannot be read.
        """
        begin = offset - self._start
        if begin >= 0 and begin + count <= len(self._window):
            return self._window[begin : begin + count]
        self.check()
        if offset < 0 or count > MOST_AT_ONCE:
            raise CannotTell("its structure is odd")
        if count >= WINDOW:
            return self._read(offset, count)
        self._start, self._window = offset, self._read(offset, WINDOW)
        return self._window[:count]

    def check(self) -> None:
        """Check the time limit and the stop event.

        Raises:
            CannotTell: The time limit is over.
            errors.Stopped: `stop` was set.
        """
        if self._stop.is_set():
            raise Stopped("the inspection was asked to stop")
        if self._clock.monotonic() >= self._deadline:
            raise CannotTell("the inspection took too long")

    def _read(self, offset: int, count: int) -> bytes:
        blocks = []
        while count > 0:
            block = os.pread(self._descriptor, count, offset)
            if not block:
                break
            blocks.append(block)
            offset, count = offset + len(block), count - len(block)
        return b"".join(blocks)
