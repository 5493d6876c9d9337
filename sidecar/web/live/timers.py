"""Calls functions later, from one thread: a thread for each WebSocket's ping would be too many."""

from __future__ import annotations

import heapq
import logging
import time
from collections.abc import Callable
from itertools import count
from threading import Condition, Thread

log = logging.getLogger(__name__)


class Timers:
    """Calls functions after a delay; they must be quick."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = count()
        self._thread: Thread | None = None
        self._is_over = False

    def after(self, seconds: float, do: Callable[[], object]) -> None:
        """Call `do` in so many seconds, unless `end` is called before."""
        with self._changed:
            if self._is_over:
                return
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), do))
            if self._thread is None:
                self._thread = Thread(target=self._run, name="live-timers", daemon=True)
                self._thread.start()
            self._changed.notify()

    def end(self) -> None:
        """Drop all pending calls and end the thread."""
        with self._changed:
            self._is_over = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (do := self._next()) is not None:
            try:
                do()
            except Exception:
                log.exception("what was to happen later failed")

    def _next(self) -> Callable[[], object] | None:
        with self._changed:
            while not self._is_over:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)
        return None
