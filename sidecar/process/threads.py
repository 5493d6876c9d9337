"""Groups of threads that start and stop together, a worker pool, and loops that survive errors.

A group runs once: to start again, create another, so that clearing a flag can never revive an old
thread. A thread that is still alive at the deadline is logged with its stack.
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
    """Do nothing after a failure: it was logged."""


@overload
def attempt(step: Callable[[], T], what: str) -> T | None: ...


@overload
def attempt(step: Callable[[], T], what: str, on_failure: Callable[[], T]) -> T: ...


def attempt(
    step: Callable[[], object], what: str, on_failure: Callable[[], object] = do_nothing
) -> object:
    """Call a step of a thread that must survive errors, log them, and return the step's result.

    Args:
        step: The function to call.
        what: The step's name in the log.
        on_failure: Called after an error; its result is returned instead.
    """
    try:
        return step()
    except Exception as error:  # noqa: BLE001 - it is logged
        log_failure(error, what)
    return on_failure()


def log_failure(error: Exception, what: str) -> None:
    """Log the error of a step: in one line if it was foreseen, with a traceback if not."""
    if isinstance(error, Stopped):
        return
    if isinstance(error, SidecarError):
        log.warning("%s failed: %s", what, error)
    else:
        log.error("%s failed in a way nobody foresaw", what, exc_info=error)


def run_periodically(
    step: Work, stop: Event, rest: Work, what: str, on_failure: Work = do_nothing
) -> None:
    """Repeat a step until `stop` is set, even if it fails; call `rest` after each."""
    while not stop.is_set():
        attempt(step, what, on_failure)
        rest()


class WorkerPool:
    """A bounded queue of work. `run` is the body of each of its threads."""

    def __init__(self, most_waiting: int) -> None:
        self._waiting: Queue[Work] = Queue(most_waiting)
        self._lock = Lock()
        self._is_over = False

    def submit(self, work: Work, stop: Event) -> None:
        """Queue work for the pool's threads; wait while the queue is full.

        Args:
            work: Reports its own failures: what it raises is only logged.
            stop: Ends the wait for a place in the queue.

        Raises:
            errors.Stopped: The work was not queued.
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
        """Do queued work until `stop` is set, then the rest of the queue.

        The rest is quick: whoever sets `stop` has asked that work to stop as well.
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
    """Wakes all waiting threads; a thread that is not waiting misses it."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._rings = 0

    def set(self) -> None:
        """Wake all threads that wait."""
        with self._changed:
            self._rings += 1
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait for the next `set`, for at most so many seconds."""
        with self._changed:
            rings = self._rings
            self._changed.wait_for(lambda: self._rings != rings, seconds)


class ThreadGroup:
    """Named threads with a common stop event. Each body gets it and ends soon after it is set."""

    def __init__(self, around: Callable[[], AbstractContextManager[object]]) -> None:
        """Create an empty group.

        Args:
            around: A context that each thread enters for its body, to release its own resources.
        """
        self.stop = Event()
        self._around = around
        self._threads: list[Thread] = []
        self._wakeups: list[Wakeup] = []

    def add(self, name: str, body: Body, wakeup: Wakeup | None = None) -> None:
        """Start a thread; `wakeup` is what it waits for between two looks: a stop wakes it."""
        if wakeup is not None:
            self._wakeups.append(wakeup)
        # A daemon, so that a thread stuck in the network cannot keep the process alive.
        thread = Thread(target=self._run, args=(body,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def all_alive(self) -> bool:
        """Whether every thread is alive."""
        return all(one.is_alive() for one in self._threads)

    def ask_to_stop(self) -> None:
        """Set the stop event, and wake who waits for something else."""
        self.stop.set()
        for wakeup in self._wakeups:
            wakeup.set()

    def stop_all(self, *, within_s: float) -> bool:
        """Ask to stop and join; return whether all threads ended in time."""
        self.ask_to_stop()
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
    """Log the stack of each thread that is still alive; return whether there is one."""
    late = [one for one in threads if one.is_alive()]
    for thread in late:
        log.error("thread %s does not end:\n%s", thread.name, "".join(_stack(thread)))
    return bool(late)


def _stack(thread: Thread) -> Iterator[str]:
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - documented for debugging
    yield from traceback.format_stack(frame) if frame else ["already over\n"]
