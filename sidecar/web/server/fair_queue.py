"""The queue of requests: first the address with the fewest running, then the longest not served.

A worker that waits for a client or for Jellyfin is *resting*: it uses no processor, so another
one may run. The number of resting workers is limited where they rest (`sidecar.process.limits`).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Condition, local

from sidecar.process.limits import BUSY_WORKERS, BUSY_WORKERS_AN_ADDRESS

_working = local()


class FairQueue:
    """Replaces the queue of cheroot's workers. Thread-safe."""

    maxsize = 0

    def __init__(self, *, has_limits: Callable[[str], bool]) -> None:
        """Create an empty queue; addresses without limits are trusted proxies."""
        self._has_limits = has_limits
        self._changed = Condition()
        # Waiting connections by address; and the turn in which each address was served last.
        self._waiting: dict[str, deque[object]] = {}
        self._served: dict[str, int] = {}
        self._busy: Counter[str] = Counter()
        self._turns = count(1)
        self._signs: deque[object] = deque()

    def put(self, one: object, block: bool = True, timeout: float | None = None) -> None:  # noqa: ARG002, FBT001, FBT002 - as `queue.Queue`
        """Add a connection, or cheroot's signal that ends a worker."""
        address: str | None = getattr(one, "remote_addr", None)
        with self._changed:
            if address is None:
                self._signs.append(one)
            else:
                self._waiting.setdefault(address, deque()).append(one)
            self._changed.notify()

    def get(self) -> object:
        """Wait for the next connection; call `done` once its request is answered."""
        with self._changed:
            while True:
                if self._signs:
                    return self._signs.popleft()
                address = self._next_address()
                if address is not None:
                    return self._take(address)
                self._changed.wait()

    def done(self) -> None:
        """Mark this thread's request as answered."""
        self._leave(_working.address)
        _working.address = None

    def take_all(self) -> list[object]:
        """Return all waiting connections, which no worker gets any more."""
        with self._changed:
            left = [one for queue in self._waiting.values() for one in queue]
            self._waiting.clear()
            return left

    def qsize(self) -> int:
        """Return the number of waiting connections."""
        with self._changed:
            return sum(map(len, self._waiting.values()))

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Let another worker run while this thread waits."""
        address = _working.address
        self._leave(address)
        try:
            yield
        finally:
            # It continues at once, even if more than `BUSY_WORKERS` run then.
            with self._changed:
                self._busy[address] += 1

    def _leave(self, address: str) -> None:
        with self._changed:
            self._busy[address] -= 1
            if not self._busy[address]:
                del self._busy[address]
            self._changed.notify()

    def _next_address(self) -> str | None:
        if self._busy.total() >= BUSY_WORKERS:
            return None
        free = [one for one in self._waiting if not self._has_enough(one)]
        return min(free, key=self._order, default=None)

    def _has_enough(self, address: str) -> bool:
        return self._busy[address] >= BUSY_WORKERS_AN_ADDRESS and self._has_limits(address)

    def _order(self, address: str) -> tuple[int, int]:
        return self._busy[address], self._served.get(address, 0)

    def _take(self, address: str) -> object:
        queue = self._waiting[address]
        one = queue.popleft()
        self._served[address] = next(self._turns)
        if not queue:
            del self._waiting[address]
        if len(self._served) > 2 * (len(self._waiting) + BUSY_WORKERS):
            # Forget addresses that have not come for long: they count as new.
            known = self._waiting.keys() | self._busy.keys() | {address}
            self._served = {one: at for one, at in self._served.items() if one in known}
        self._busy[address] += 1
        _working.queue, _working.address = self, address
        return one


@contextmanager
def resting() -> Iterator[None]:
    """Let another request be answered while this thread waits; no effect outside of a worker."""
    if getattr(_working, "address", None) is None:
        yield
        return
    queue: FairQueue = _working.queue
    with queue.resting():
        yield
