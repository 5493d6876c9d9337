"""How long a person's request waits for Jellyfin, and how many wait at once.

It is set round a request of the web; work in the background has all the time it needs. The time
holds for all that the request asks Jellyfin together, however slowly the answers drip.
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
from sidecar.limits import JELLYFIN_WITHIN_S
from sidecar.messages import msg
from sidecar.shares import Shares

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUSY_FOR_S = 5.0


class Patience:
    """One request's share of the waiting, and its time."""

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
            errors.ServerAway: Too many wait.
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


_now: ContextVar[Patience | None] = ContextVar("patience", default=None)


def begin(patience: Patience) -> Callable[[], None]:
    """Let what this thread asks Jellyfin from now on be bounded; return what ends that."""
    token = _now.set(patience)
    return lambda: _now.reset(token)


@contextmanager
def waiting() -> Iterator[None]:
    """Wait for Jellyfin, as `Patience.waiting`; in the background without any bound."""
    patience = _now.get()
    if patience is None:
        yield
        return
    with patience.waiting():
        yield


def at_most(seconds: float) -> float:
    """Return a time to wait, or what is left of it.

    Raises:
        TimeoutError: There is nothing left.
    """
    patience = _now.get()
    left = seconds if patience is None else min(seconds, patience.left_s())
    if left <= 0:
        raise TimeoutError("timed out")
    return left


class PatientAdapter(HTTPAdapter):
    """What requests speaks HTTP with: every single read is bounded by what is left."""

    def init_poolmanager(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - passed on as they are
        """Use our connections."""
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


class _Reads(io.RawIOBase):
    """A connection's bytes."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        timeout = self._sock.gettimeout()
        if timeout is not None:
            self._sock.settimeout(at_most(timeout))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:  # noqa: ANN401 - passed on as they are
        super().__init__(sock, *args, **more)
        self.fp = io.BufferedReader(_Reads(self.fp.detach(), sock))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
