"""Decodes chunked request bodies strictly, without buffering more than is read."""

from __future__ import annotations

import io
import re
from typing import Protocol

LONGEST_LINE = 256
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r\n")


def size_of(line: bytes | bytearray) -> int | None:
    """Return the size in a chunk's first line; None if the line is malformed."""
    found = _SIZE.fullmatch(line)
    return int(found[1], 16) if found else None


class Source(Protocol):
    """A stream with an encoded body."""

    def read(self, size: int, /) -> bytes:
        """Return so many bytes; fewer at the end of the stream."""

    def readline(self, size: int, /) -> bytes:
        """Return a line with its end; less if it is longer than `size` or the stream ends."""


class Chunks(io.RawIOBase):
    """The decoded body. Reading raises `ValueError` if it is malformed or truncated."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._left = 0
        self._is_first = True
        self._is_over = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # what is handed in
        """Read a part of a chunk; return the number of bytes, 0 at the end."""
        if not self._left and not self._is_over:
            self._begin_chunk()
        block = self._source.read(min(len(buffer), self._left)) if self._left else b""
        if self._left and not block:
            raise ValueError("the body was cut off")
        buffer[: len(block)] = block
        self._left -= len(block)
        return len(block)

    def _begin_chunk(self) -> None:
        if not self._is_first and self._source.read(2) != b"\r\n":
            raise ValueError("a chunk does not end where it should")
        self._is_first = False
        size = size_of(self._source.readline(LONGEST_LINE))
        if size is None:
            raise ValueError("a chunk's size is malformed")
        self._left = size
        # Trailers are not read: the connection is closed after this request.
        self._is_over = not self._left
