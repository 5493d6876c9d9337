"""A body that comes in chunks, read strictly and without ever holding more than is asked for."""

from __future__ import annotations

import io
import re
from typing import Protocol

LONGEST_LINE = 256
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r\n")


def size_of(line: bytes | bytearray) -> int | None:
    """Return how long the chunk is that this line begins; None if it is malformed."""
    found = _SIZE.fullmatch(line)
    return int(found[1], 16) if found else None


class Source(Protocol):
    """Where the chunks are read from."""

    def read(self, size: int, /) -> bytes:
        """Return so many bytes, fewer at the end of the connection."""

    def readline(self, size: int, /) -> bytes:
        """Return a line with its end, or what there is of it."""


class Chunks(io.RawIOBase):
    """The body without its chunks. Reading raises `ValueError` when it is malformed or cut off."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._left = 0
        self._is_first = True
        self._is_over = False

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # what is handed in
        """Read a part of a chunk; nothing is the end."""
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
        # What may follow the last one is of no use to us: the connection ends with this request.
        self._is_over = not self._left
