"""Limits how long a web request waits for Jellyfin, and how many wait at once.

Background work has no such limit. The time counts for all of a web request's calls to Jellyfin
together, however slowly the responses come.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from sidecar.errors import ServerAway
from sidecar.messages import msg
from sidecar.process.limits import JELLYFIN_WITHIN_S
from sidecar.process.shares import Shares

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUSY_FOR_S = 5.0
# Of an answer's status and headers, all that come before it included. Jellyfin's have 1 kB.
LARGEST_HEAD_BYTES = 64 * 1024


class WaitLimit:
    """The waiting time of one web request."""

    def __init__(
        self,
        shares: Shares,
        account: str,
        resting: Callable[[], AbstractContextManager[None]],
        within_s: float = JELLYFIN_WITHIN_S,
    ) -> None:
        """Prepare; `resting` is entered while this thread waits."""
        self._shares = shares
        self._account = account
        self._resting = resting
        self._within_s = within_s
        self._ends_at: float | None = None

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Wait for Jellyfin.

        Raises:
            errors.ServerAway: Too many requests wait already.
        """
        leave = self._shares.take(self._account)
        if leave is None:
            raise ServerAway(
                msg("Jellyfin is slow, and many wait for it. Try again in a moment"),
                retry_after_s=BUSY_FOR_S,
            )
        if self._ends_at is None:
            self._ends_at = time.monotonic() + self._within_s
        try:
            with self._resting():
                yield
        finally:
            leave()

    def left_s(self) -> float:
        """Return how much time is left."""
        return self._within_s if self._ends_at is None else self._ends_at - time.monotonic()


_now: ContextVar[WaitLimit | None] = ContextVar("wait_limit", default=None)


def begin(limit: WaitLimit) -> Callable[[], None]:
    """Limit this thread's calls to Jellyfin from now on; return a function that ends that."""
    token = _now.set(limit)
    return lambda: _now.reset(token)


@contextmanager
def waiting() -> Iterator[None]:
    """Wait for Jellyfin, as `WaitLimit.waiting`; in background work without a limit."""
    limit = _now.get()
    if limit is None:
        yield
        return
    with limit.waiting():
        yield


def at_most(seconds: float) -> float:
    """Return `seconds`, or the time that is left if that is less.

    Raises:
        TimeoutError: There is nothing left.
    """
    limit = _now.get()
    left = seconds if limit is None else min(seconds, limit.left_s())
    if left <= 0:
        raise TimeoutError("timed out")
    return left


_more: ContextVar[float] = ContextVar("more", default=0.0)


@contextmanager
def longer(seconds: float) -> Iterator[None]:
    """Wait so much longer than usual for each answer in the block: it is known to be slow."""
    token = _more.set(seconds)
    try:
        yield
    finally:
        _more.reset(token)


def more_s() -> float:
    """Return how much longer than usual an answer is waited for."""
    return _more.get()


class LimitedAdapter(HTTPAdapter):
    """An adapter for requests in which every single read is limited to the time left."""

    def init_poolmanager(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - passed on as they are
        """Use connections that limit their reads."""
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


class _Reads(io.RawIOBase):
    """The raw bytes of a connection, each read with its own timeout.

    Attributes:
        left: How many bytes of the head may still come; None in the body.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        self.left: int | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        timeout = self._sock.gettimeout()
        if timeout is not None:
            self._sock.settimeout(at_most(timeout))
        count = self._raw.readinto(buffer)
        if self.left is not None and count:
            self.left -= count
            if self.left < 0:
                raise http.client.LineTooLong("head")
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
        self._reads.left = LARGEST_HEAD_BYTES
        try:
            super().begin()
        finally:
            self._reads.left = None


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
