"""Threads that start together and stop together.

A crew runs once: to start again, build another, so that an old thread can never be revived by
somebody clearing a flag. A thread still alive at the deadline is named with its stack.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from threading import Event, Thread

log = logging.getLogger(__name__)

Body = Callable[[Event], object]


class Crew:
    """Named threads with one stop event. Each body gets the event and ends soon after it is set."""

    def __init__(self, around: Callable[[], AbstractContextManager[object]]) -> None:
        """Prepare.

        Args:
            around: Entered by every thread around its body, to tidy up what is the thread's own.
        """
        self.stop = Event()
        self._around = around
        self._threads: list[Thread] = []

    def add(self, name: str, body: Body) -> None:
        """Start a thread."""
        # A daemon only so that one stuck in the network cannot keep the process: all are joined.
        thread = Thread(target=self._run, args=(body,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def all_alive(self) -> bool:
        """Whether every thread still works."""
        return all(one.is_alive() for one in self._threads)

    def end(self, *, within_s: float) -> bool:
        """Set the stop event and join; return whether all threads ended in time."""
        self.stop.set()
        deadline = time.monotonic() + within_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not tell_late(self._threads)

    def _run(self, body: Body) -> None:
        try:
            with self._around():
                body(self.stop)
        except Exception:
            log.exception("a thread died")


def tell_late(threads: Iterable[Thread]) -> bool:
    """Write the stack of each thread that is still alive to the log; return whether one is."""
    late = [one for one in threads if one.is_alive()]
    for thread in late:
        log.error("thread %s does not end:\n%s", thread.name, "".join(_stack(thread)))
    return bool(late)


def _stack(thread: Thread) -> Iterator[str]:
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - documented for debugging
    yield from traceback.format_stack(frame) if frame else ["already over\n"]
