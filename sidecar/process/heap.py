"""Makes glibc return freed memory to the system, and spares Python to search what stays."""

from __future__ import annotations

import ctypes
import gc
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from threading import Lock
from types import ModuleType

from sidecar.process import generated_code

# From <malloc.h>. Each arena keeps what was freed in it, and usually there are eight for each core.
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
MOST_ARENAS = 2
# What is larger goes back at once. Set, it does not grow by itself.
MAPPED_BYTES = 256 * 1024
# Who has the turn may hang on a device.
LONGEST_WAIT_S = 10.0
LOOK_EVERY_S = 0.2
_turn = Lock()
# What libraries load for those who may need it; each of ours loads it where it is used.
NOT_NEEDED = (
    "redis",  # Socket.IO's message queues
    "psycopg",  # peewee's PostgreSQL: `store.dialects.driver`
    "charset_normalizer",  # requests, to guess the charset of a text: answers are JSON or bytes
)
# These they load in any case, so something empty stands in for them. Of Socket.IO all that is for
# asyncio; of Flask-SocketIO what debugs and tests; of cheroot what it needs one function beside.
NEVER_USED = (
    *(f"engineio.{one}" for one in ("async_client", "async_server", "async_drivers.asgi")),
    "engineio.async_drivers.tornado",
    *(f"socketio.async_{one}" for one in ("client", "simple_client", "server", "manager")),
    *(f"socketio.async_{one}" for one in ("namespace", "redis_manager", "aiopika_manager")),
    *("socketio.asgi", "socketio.tornado"),
    *("flask_socketio.test_client", "werkzeug.debug"),
    "more_itertools",
)


class _Empty(ModuleType):
    """A module of which anything can be imported: a class that cannot be used."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__init__": partial(_refuse, f"{self.__name__}.{name}")})


def _refuse(name: str, *_: object, **__: object) -> None:
    raise ImportError(f"{name} is left out: see NEVER_USED")


@contextmanager
def loading() -> Iterator[None]:
    """Load modules inside: nothing of them is garbage, so it is not searched for any.

    What their data classes are made of is compiled once, not at each start, and a library that is
    loaded by another one only in case that somebody uses it there is left out. What is loaded is
    never searched later either: a search of all modules takes a tenth of a second.
    """
    with without_search(), generated_code.reusing(), _without(*NOT_NEEDED):
        yield
        gc.freeze()


@contextmanager
def _without(*names: str) -> Iterator[None]:
    """Load modules inside as if these were not installed, and nothing were in `NEVER_USED`.

    Afterwards all of them can be loaded.
    """
    left_out = [one for one in (*names, *NEVER_USED) if one not in sys.modules]
    # None is Python's own mark for "do not look for it"; typeshed does not know it.
    sys.modules.update(
        {one: _Empty(one) if one in NEVER_USED else None for one in left_out}  # type: ignore[misc]
    )
    try:
        with warnings.catch_warnings():
            # By requests, of the one it is without.
            warnings.filterwarnings("ignore", "Unable to find acceptable character detection")
            yield
    finally:
        for one in left_out:
            del sys.modules[one]


@contextmanager
def without_search() -> Iterator[None]:
    """Do inside what leaves no cycles behind; what there was before is not searched for any."""
    was_searching = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_searching:
            gc.enable()


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


@contextmanager
def taking_turns(
    longest_s: float = LONGEST_WAIT_S, *, is_over: Callable[[], bool] = lambda: False
) -> Iterator[bool]:
    """Do inside what needs much memory: after others that do, so that all use the same memory.

    What threads take at one moment Python keeps for ever. It is a courtesy, no exclusion: after
    `longest_s` seconds, or once `is_over` returns True, it is not waited any longer. Yields
    whether it was our turn. Not reentrant.
    """
    until = time.monotonic() + longest_s
    is_ours = _turn.acquire(blocking=False)
    while not is_ours and not is_over() and (left := until - time.monotonic()) > 0:
        is_ours = _turn.acquire(timeout=min(left, LOOK_EVERY_S))
    try:
        yield is_ours
    finally:
        if is_ours:
            _turn.release()


def return_freed() -> None:
    """Return what was freed; takes some milliseconds, so call it after large work only."""
    libc = _find_libc()
    if libc is not None:
        libc.malloc_trim(0)
