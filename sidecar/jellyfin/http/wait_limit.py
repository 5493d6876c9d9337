"""Limits how long a web request waits for Jellyfin, and how many wait at once.

Background work has no such limit. The time counts for all of a web request's calls to Jellyfin
together, however slowly the responses come.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import partial

from sidecar.bounded_http import time_limit
from sidecar.errors import ServerAway
from sidecar.messages import msg
from sidecar.process.limits import JELLYFIN_WITHIN_S
from sidecar.process.shares import Shares

BUSY_FOR_S = 5.0


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


def begin(limit: WaitLimit) -> Callable[[], None]:
    """Limit this thread's calls to Jellyfin from now on; return a function that ends that."""
    return partial(time_limit.reset, time_limit.set(limit))


@contextmanager
def waiting() -> Iterator[None]:
    """Wait for Jellyfin, as `WaitLimit.waiting`; in background work without a limit."""
    limit = time_limit.get()
    with limit.waiting() if isinstance(limit, WaitLimit) else nullcontext():
        yield


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
