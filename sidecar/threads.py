"""Threads that start together and stop together.

A group runs once: to start again, build another, so that an old thread can never be revived by
somebody clearing a flag. A thread still alive at the deadline is named with its stack.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from queue import Empty, Full, Queue
from threading import Condition, Event, Lock, Thread
from typing import TypeVar, overload

from sidecar.errors import SidecarError, Stopped

log = logging.getLogger(__name__)

Body = Callable[[Event], object]


LOOK_EVERY_S = 0.2

Work = Callable[[], object]

T = TypeVar("T")


def do_nothing() -> None:
    """Take a failure as it is: the log has it."""


@overload
def attempt(step: Callable[[], T], what: str) -> T | None: ...


@overload
def attempt(step: Callable[[], T], what: str, on_failure: Callable[[], T]) -> T: ...


def attempt(
    step: Callable[[], object], what: str, on_failure: Callable[[], object] = do_nothing
) -> object:
    """Do one step of a thread that must outlive its failures; return what it returns.

    Args:
        step: What is done.
        what: What the log calls it.
        on_failure: Called after a failure was logged; what it returns is returned instead.
    """
    try:
        return step()
    except Stopped:
        pass
    except SidecarError as error:
        log.warning("%s failed: %s", what, error)
    except Exception:
        log.exception("%s failed in a way nobody foresaw", what)
    return on_failure()


def run_periodically(
    step: Work, stop: Event, rest: Work, what: str, on_failure: Work = do_nothing
) -> None:
    """Do a step again and again until `stop` is set, also after it failed; `rest` in between."""
    while not stop.is_set():
        attempt(step, what, on_failure)
        rest()


class WorkerPool:
    """The line and its threads. `run` is the body of each thread."""

    def __init__(self, most_waiting: int) -> None:
        self._waiting: Queue[Work] = Queue(most_waiting)
        self._lock = Lock()
        self._is_over = False

    def submit(self, work: Work, stop: Event) -> None:
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
        attempt(work, "a conversion")
        return True


class Wakeup:
    """Rings for everybody who rests."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._rings = 0

    def set(self) -> None:
        """There may be something to do."""
        with self._changed:
            self._rings += 1
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait for the next ring, at most so long."""
        with self._changed:
            rings = self._rings
            self._changed.wait_for(lambda: self._rings != rings, seconds)


class ThreadGroup:
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

    def stop_all(self, *, within_s: float) -> bool:
        """Set the stop event and join; return whether all threads ended in time."""
        self.stop.set()
        deadline = time.monotonic() + within_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not log_stuck_threads(self._threads)

    def _run(self, body: Body) -> None:
        try:
            with self._around():
                body(self.stop)
        except Exception:
            log.exception("a thread died")


def log_stuck_threads(threads: Iterable[Thread]) -> bool:
    """Write the stack of each thread that is still alive to the log; return whether one is."""
    late = [one for one in threads if one.is_alive()]
    for thread in late:
        log.error("thread %s does not end:\n%s", thread.name, "".join(_stack(thread)))
    return bool(late)


def _stack(thread: Thread) -> Iterator[str]:
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - documented for debugging
    yield from traceback.format_stack(frame) if frame else ["already over\n"]
