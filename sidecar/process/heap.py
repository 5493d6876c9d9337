"""Makes glibc return freed memory to the system, and spares Python to search what stays."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from sidecar.process import generated_code

# From <malloc.h>. Each arena keeps what was freed in it, and usually there are eight for each core.
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
MOST_ARENAS = 2
# What is larger goes back at once. Set, it does not grow by itself.
MAPPED_BYTES = 256 * 1024


@contextmanager
def loading() -> Iterator[None]:
    """Load modules inside: nothing of them is garbage, so it is not searched for any.

    What their data classes are made of is compiled once, not at each start.
    """
    gc.disable()
    try:
        with generated_code.reusing():
            yield
    finally:
        gc.enable()


def keep_loaded() -> None:
    """Never search again what is there now; a search of all modules takes a tenth of a second."""
    gc.freeze()


@cache
def _find_libc() -> ctypes.CDLL | None:
    """Return glibc; other C libraries return memory by themselves."""
    try:
        libc = ctypes.CDLL(None)
    except OSError:
        return None
    return libc if hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt") else None


def keep_little() -> None:
    """Keep little of what is freed; to be called before threads are started."""
    libc = _find_libc()
    if libc is not None:
        libc.mallopt(M_ARENA_MAX, MOST_ARENAS)
        libc.mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES)


def return_freed() -> None:
    """Return what was freed; takes some milliseconds, so call it after large work only."""
    libc = _find_libc()
    if libc is not None:
        libc.malloc_trim(0)
