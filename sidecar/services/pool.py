"""A few threads for work that keeps a processor busy, so that those that fetch can go on fetching.

What is handed over waits in line; while the line is full, whoever brings more waits too: what is
fetched never runs far ahead of what is done with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from queue import Empty, Full, Queue
from threading import Event, Lock

from sidecar.errors import Stopped

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.2

Work = Callable[[], object]


class Pool:
    """The line and its threads. `run` is the body of each thread."""

    def __init__(self, most_waiting: int) -> None:
        self._waiting: Queue[Work] = Queue(most_waiting)
        self._lock = Lock()
        self._is_over = False

    def hand_over(self, work: Work, stop: Event) -> None:
        """Have something done by another thread, soon.

        Args:
            work: Raises nothing that anybody expects.
            stop: Ends the waiting for a place in the line.

        Raises:
            errors.Stopped: It was not handed over.
        """
        while not stop.is_set():
            with self._lock:
                if self._is_over:
                    break
                try:
                    self._waiting.put_nowait(work)
                except Full:
                    pass
                else:
                    return
            stop.wait(LOOK_EVERY_S)
        raise Stopped("it was not begun any more")

    def run(self, stop: Event) -> None:
        """Do what is handed over until `stop` is set; what waits then is still done.

        Whoever stops us has asked all of that to stop as well.
        """
        while not stop.is_set():
            self._do_next(LOOK_EVERY_S)
        with self._lock:
            self._is_over = True
        while self._do_next(0.0):
            pass

    def _do_next(self, within_s: float) -> bool:
        try:
            work = self._waiting.get(block=within_s > 0, timeout=within_s or None)
        except Empty:
            return False
        try:
            work()
        except Exception:
            log.exception("a conversion failed in a way nobody foresaw")
        return True
