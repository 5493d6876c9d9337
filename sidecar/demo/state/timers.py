"""A scheduler for delayed actions, with one thread.

An action that is put off again before its time is done once, at the later time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from threading import Condition, Thread

log = logging.getLogger(__name__)

Action = Callable[[], None]


class Scheduler:
    """Runs actions when they are due. Runs once: after `stop`, build another.

    Each action runs under the lock that it was built with.
    """

    def __init__(self, name: str, lock: AbstractContextManager[object]) -> None:
        self._lock = lock
        self._condition = Condition()
        self._due: dict[Hashable, tuple[float, Action]] = {}
        self._is_stopping = False
        self._thread = Thread(target=self._run, name=name)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Drop all waiting actions and end the thread. May be called repeatedly."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify()
        if self._thread.is_alive():
            self._thread.join()

    def after(self, seconds: float, key: Hashable, action: Action) -> None:
        """Run an action in `seconds`; it replaces a waiting one with the same key."""
        with self._condition:
            self._due[key] = (time.monotonic() + seconds, action)
            self._condition.notify()

    def every(self, seconds: float, key: Hashable, action: Action) -> None:
        """Run an action periodically, also after it failed."""

        def again() -> None:
            self.after(seconds, key, again)
            action()

        self.after(seconds, key, again)

    def _run(self) -> None:
        while (action := self._next()) is not None:
            try:
                with self._lock:
                    action()
            except Exception:
                log.exception("something that was due could not be done")

    def _next(self) -> Action | None:
        with self._condition:
            while not self._is_stopping:
                key = min(self._due, key=lambda one: self._due[one][0], default=None)
                if key is None:
                    self._condition.wait()
                elif (wait := self._due[key][0] - time.monotonic()) > 0:
                    self._condition.wait(wait)
                else:
                    return self._due.pop(key)[1]
        return None
