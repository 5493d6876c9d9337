"""Writes received bytes to a part file: hashed, counted, and synced to disk at regular points.

    received ──▶ hash, write ──▶ every 2 MiB: start the write-back ──▶ every 7 MiB: sync, let go

Disk and network work at the same time: the disk writes what came while more is received. Never more
than 8 MiB are unsynced; fewer syncs than that would save nothing, more cost time (at each 4 MiB:
twice as long for the same bytes).

What is on the disk leaves the memory, unless it is read again soon. The next bytes go into the same
pages, which are still in the processor's cache and are asked of nobody: writing takes a quarter of
the time (on a virtual machine with ext4: 1.1-1.5 CPU seconds a GiB before, 0.3 after), and a film
does not push what other programs need out of the memory. Writing past the page cache (`O_DIRECT`)
took 0.1, but on a slow disk nothing would be written while the network is waited for.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import BinaryIO

import xxhash

WINDOW = 4 * 1024 * 1024
WRITE_BACK = 2 * 1024 * 1024
DOUBT = 13 * 1024 * 1024 // 2  # together with one more block of 1 MiB below 8 MiB
_WRITE = 2  # SYNC_FILE_RANGE_WRITE: begin, do not wait
HASH_BLOCK = 1024 * 1024


class PartWriter:
    """Writes one part file, starting at an offset. Used by one thread."""

    def __init__(
        self,
        file: BinaryIO,
        synced: Callable[[int], object],
        *,
        is_read_again: bool = False,
    ) -> None:
        """Prepare.

        Args:
            file: Unbuffered, for reading and writing.
            synced: Called with the number of bytes from the start that are on disk.
            is_read_again: Whether the file is read soon, so that it stays in the memory.
        """
        self._is_read_again = is_read_again
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
        if self.held - self._synced >= DOUBT:
            self.sync()
        elif self.held - self._begun >= WRITE_BACK:
            _begin_write_back(self._file.fileno(), self._begun, self.held - self._begun)
            self._begun = self.held

    def finish(self) -> str:
        """Sync everything to disk; return the xxh3-128 of the whole file as hex digits.

        Does not call `synced`: the caller commits the whole file with its hash.
        """
        self._sync()
        return self._hash.hexdigest()

    def sync(self) -> None:
        """Sync everything to disk, and report it."""
        self._sync()
        self._tell_synced(self.held)

    def is_still_there(self) -> bool:
        """Whether the part file still exists: a person may have deleted it meanwhile."""
        return os.fstat(self._file.fileno()).st_nlink > 0

    def _sync(self) -> None:
        os.fdatasync(self._file.fileno())
        if not self._is_read_again:
            fresh = self.held - self._synced
            os.posix_fadvise(self._file.fileno(), self._synced, fresh, os.POSIX_FADV_DONTNEED)
        self._synced = self._begun = self.held


def read_through(file: BinaryIO, most: int, into: xxhash.xxh3_128) -> int:
    """Hash the first `most` bytes of a file, or all if there are fewer; return how many."""
    held = min(most, os.fstat(file.fileno()).st_size) if most else 0
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
