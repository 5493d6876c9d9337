"""Sessions of requests that no server holds for long by sending slowly, or fills.

A timeout of requests is for each read, so a server that sends a byte now and then is waited for
without end. Here an answer's status and headers are bounded in bytes, and in time by that timeout;
`time_limit` bounds every read besides.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# Of an answer's status and headers, all that come before it included. Jellyfin's have 1 kB.
LARGEST_HEAD_BYTES = 64 * 1024


class TimeLimit(Protocol):
    """A limit on all that a thread waits for answers."""

    def left_s(self) -> float:
        """Return how many seconds are left."""


# Of this thread; None for no such limit.
time_limit: ContextVar[TimeLimit | None] = ContextVar("time_limit", default=None)


def at_most(seconds: float) -> float:
    """Return `seconds`, or the time that is left if that is less.

    Raises:
        TimeoutError: There is nothing left.
    """
    limit = time_limit.get()
    return _at_most(seconds, seconds if limit is None else limit.left_s())


def _at_most(seconds: float, left: float) -> float:
    if left <= 0:
        raise TimeoutError("timed out")
    return min(seconds, left)


def open_session(ca_file: Path | None = None) -> requests.Session:
    """Return a session whose answers are bounded, and that nothing around it changes.

    It keeps no cookies, of which a server could set any number, and reads no environment: a
    ~/.netrc would replace the headers by which we are known.

    Args:
        ca_file: The authority that vouches for certificates; None for those of the system.
    """
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.verify = True if ca_file is None else str(ca_file)
    for scheme in ("http://", "https://"):
        session.mount(scheme, BoundedAdapter())
    return session


class BoundedAdapter(HTTPAdapter):
    """An adapter for sessions of requests whose connections bound their answers."""

    def init_poolmanager(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - passed on as they are
        """Use such connections."""
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


class _Reads(io.RawIOBase):
    """The raw bytes of a connection, each read with its own timeout."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        self._timeout_s: float | None = sock.gettimeout()
        # Of the head: how many bytes may still come, and until when; None in the body.
        self._head: tuple[int, float] | None = None

    def begin_head(self) -> None:
        """Bound what is read from now on, as it is the head."""
        longest_s = float("inf") if self._timeout_s is None else self._timeout_s
        self._head = LARGEST_HEAD_BYTES, time.monotonic() + longest_s

    def end_head(self) -> None:
        """Bound the time only, as what comes is the body."""
        self._head = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        if self._timeout_s is not None:
            timeout_s = self._timeout_s
            if self._head is not None:
                timeout_s = _at_most(timeout_s, self._head[1] - time.monotonic())
            self._sock.settimeout(at_most(timeout_s))
        count = self._raw.readinto(buffer)
        if self._head is not None and count:
            left, until = self._head
            if count > left:
                raise http.client.LineTooLong("head")
            self._head = left - count, until
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:  # noqa: ANN401 - passed on as they are
        super().__init__(sock, *args, **more)
        self._reads = _Reads(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._reads)

    def begin(self) -> None:
        """Read the head, of which a hundred lines of 64 kB each would be taken otherwise."""
        self._reads.begin_head()
        try:
            super().begin()
        finally:
            self._reads.end_head()


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
