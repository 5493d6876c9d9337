"""A lock that lets threads in one after another, in the order in which they came."""

from __future__ import annotations

from collections import deque
from threading import Lock


class FairLock:
    """Lets in one thread at a time, the one that has waited longest first; used with `with`.

    Python's own locks let the thread that has just left come in again before one that waits has
    woken up: a thread that locks again and again holds up all others. Not reentrant.
    """

    def __init__(self) -> None:
        self._guard = Lock()
        self._is_taken = False
        self._waiting: deque[Lock] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            turn.acquire()
        except BaseException:
            self._give_up(turn)
            raise

    def __exit__(self, *_error: object) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False

    def _give_up(self, turn: Lock) -> None:
        """Leave the queue, as the wait was interrupted; pass on a turn that had come already."""
        with self._guard:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return
        self._pass_on()
