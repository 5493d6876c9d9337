"""Writes received bytes to a part file: hashed, counted, and synced to disk at regular points.

    received ──▶ hash, write ──▶ every 4 MiB: start the write-back, sync what came before

Disk and network work at the same time: at each point the write-back of the newest bytes is started
and the older ones are synced. So never more than 8 MiB are unsynced, and the last sync is short.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import BinaryIO

import xxhash

WINDOW = 4 * 1024 * 1024
DOUBT = 13 * 1024 * 1024 // 2  # together with one more block of 1 MiB below 8 MiB
_WRITE = 2  # SYNC_FILE_RANGE_WRITE: begin, do not wait
HASH_BLOCK = 1024 * 1024


class PartWriter:
    """Writes one part file, starting at an offset. Used by one thread."""

    def __init__(self, file: BinaryIO, synced: Callable[[int], object]) -> None:
        """Prepare.

        Args:
            file: Unbuffered, for reading and writing.
            synced: Called with the number of bytes from the start that are on disk.
        """
        self._file = file
        self._tell_synced = synced
        self._hash = xxhash.xxh3_128()
        self._begun = 0
        self._synced = 0
        self.held = 0

    def keep(self, held: int) -> int:
        """Keep the first `held` bytes, or all if there are fewer, and cut off the rest.

        Returns:
            How many bytes were kept.
        """
        self._hash = xxhash.xxh3_128()
        self.held = read_through(self._file, held, self._hash)
        if os.fstat(self._file.fileno()).st_size != self.held:
            os.ftruncate(self._file.fileno(), self.held)
        self._file.seek(self.held)
        self._begun = self._synced = self.held
        return self.held

    def has(self, block: bytes | memoryview, at: int) -> bool:
        """Whether the part has these bytes at this offset; to be called before any write."""
        return has(self._file, block, at)

    def set_room_aside(self, total: int) -> None:
        """Preallocate the whole file, if the file system can."""
        set_room_aside(self._file, self.held, total)

    def write(self, block: bytes | memoryview) -> None:
        """Append a block; the fewer and larger the blocks are, the better."""
        self._hash.update(block)
        rest = memoryview(block)
        while rest:
            rest = rest[os.write(self._file.fileno(), rest) :]
        self.held += len(block)
        if self.held - self._begun >= WINDOW or self.held - self._synced >= DOUBT:
            self._make_a_point()

    def finish(self) -> str:
        """Sync everything to disk; return the xxh3-128 of the whole file as hex digits.

        Does not call `synced`: the caller commits the whole file with its hash.
        """
        os.fdatasync(self._file.fileno())
        return self._hash.hexdigest()

    def sync(self) -> None:
        """Sync everything to disk, and report it."""
        os.fdatasync(self._file.fileno())
        self._synced = self._begun = self.held
        self._tell_synced(self.held)

    def is_still_there(self) -> bool:
        """Whether the part file still exists: a person may have deleted it meanwhile."""
        return os.fstat(self._file.fileno()).st_nlink > 0

    def _make_a_point(self) -> None:
        before = self._begun
        _begin_write_back(self._file.fileno(), before, self.held - before)
        self._begun = self.held
        if before > self._synced:
            # Older bytes are mostly written by now, so this does not wait long.
            os.fdatasync(self._file.fileno())
            self._synced = self.held
            self._tell_synced(self.held)


def read_through(file: BinaryIO, most: int, into: xxhash.xxh3_128) -> int:
    """Hash the first `most` bytes of a file, or all if there are fewer; return how many."""
    held = min(most, os.fstat(file.fileno()).st_size)
    if not held:
        return 0
    view = memoryview(bytearray(min(HASH_BLOCK, held)))
    file.seek(0)
    done = 0
    while done < held:
        count = os.readv(file.fileno(), [view[: held - done]])
        if not count:
            break
        into.update(view[:count])
        done += count
    return done


def has(file: BinaryIO, block: bytes | memoryview, at: int) -> bool:
    """Whether a file has these bytes at this offset."""
    return os.pread(file.fileno(), len(block), at) == block


def set_room_aside(file: BinaryIO, held: int, total: int) -> None:
    """Preallocate a whole file, if the file system can; what is synced at once needs it not."""
    if _fallocate is not None and total - held > WINDOW:
        start, length = ctypes.c_int64(held), ctypes.c_int64(total - held)
        _fallocate(file.fileno(), _KEEP_SIZE, start, length)


def _begin_write_back(descriptor: int, offset: int, length: int) -> None:
    """Ask the kernel to start writing a range to disk, if it can."""
    if _sync_file_range is not None:
        _sync_file_range(descriptor, ctypes.c_int64(offset), ctypes.c_int64(length), _WRITE)


_KEEP_SIZE = 1  # FALLOC_FL_KEEP_SIZE: the length of the file stays that of the written bytes
_fallocate = getattr(ctypes.CDLL(None), "fallocate", None)
_sync_file_range = getattr(ctypes.CDLL(None), "sync_file_range", None)
