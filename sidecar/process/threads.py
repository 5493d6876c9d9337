"""Groups of threads that start and stop together, a worker pool, and loops that survive errors.

A group runs once: to start again, create another, so that clearing a flag can never revive an old
thread. A thread that is still alive at the deadline is logged with its stack.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from threading import Condition, Event, Lock, Thread
from typing import Protocol, TypeVar, overload

from sidecar.errors import LockedOut, SidecarError, Stopped

log = logging.getLogger(__name__)

Body = Callable[[Event], object]


LOOK_EVERY_S = 0.2
# Of who is woken when there is something to do.
LONGEST_REST_S = 60.0
# Of who is woken as well, but also looks for what nobody tells: a clock that was set, a change by
# another process.
LOOK_ANYWAY_S = 15.0
# So many things are gone through between two looks whether it is over.
LOOK_EVERY = 1000

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
    if isinstance(error, Stopped | LockedOut):
        # Of who is locked out each thread hears, and the process ends with that sentence.
        return
    if isinstance(error, SidecarError):
        log.warning("%s failed: %s", what, error)
    else:
        log.error("%s failed in a way nobody foresaw", what, exc_info=error)


def go_through(
    things: Iterable[T], is_over: Callable[[], bool], *, each: int = LOOK_EVERY
) -> Iterator[T]:
    """Yield many things, as long as it is not over.

    Args:
        things: What to yield.
        is_over: Called before one in so many.
        each: How many; 1 for what takes long.

    Raises:
        errors.Stopped: `is_over` returned True.
    """
    for number, one in enumerate(things):
        if number % each == 0 and is_over():
            raise Stopped("it was not finished any more")
        yield one


def run_periodically(
    step: Work, stop: Event, rest: Work, what: str, on_failure: Work = do_nothing
) -> None:
    """Repeat a step until `stop` is set, even if it fails; call `rest` after each."""
    while not stop.is_set():
        attempt(step, what, on_failure)
        rest()


def run_when_woken(
    step: Work,
    stop: Event,
    wakeup: Wakeup,
    what: str,
    *,
    rest_s: Callable[[], float] = lambda: LONGEST_REST_S,
    settle_s: float = 0.0,
    wait: Callable[[Ring | Event, float], bool] = lambda ring, seconds: ring.wait(seconds),
) -> None:
    """Repeat a step until `stop` is set, whenever it is woken and now and then; even if it fails.

    What wakes it during a step is not missed.

    Args:
        step: The function to call.
        stop: Ends it; whoever sets it ends the wakeup as well.
        wakeup: Ends a rest.
        what: The step's name in the log.
        rest_s: Returns for how many seconds to rest at most, after each step.
        settle_s: How long it waits for more after it was woken.
        wait: A clock's `wait`.
    """
    while not stop.is_set():
        rings = wakeup.rings
        attempt(step, what)
        if not stop.is_set() and wait(wakeup.since(rings), rest_s()) and settle_s:
            wait(stop, settle_s)


class WorkerPool:
    """A bounded queue of work. `run` is the body of each of its threads.

    Attributes:
        wakeup: What the threads wait for.
    """

    def __init__(self, most_waiting: int) -> None:
        self._most_waiting = most_waiting
        self._waiting: deque[Work] = deque()
        self._lock = Lock()
        self._is_over = False
        self.wakeup = Wakeup()

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
                if len(self._waiting) < self._most_waiting:
                    self._waiting.append(work)
                    self.wakeup.set()
                    return
            stop.wait(LOOK_EVERY_S)
        raise Stopped("it was not begun any more")

    def run(self, stop: Event) -> None:
        """Do queued work until `stop` is set and the wakeup ended, then the rest of the queue.

        The rest is quick: whoever sets `stop` has asked that work to stop as well.
        """
        while not stop.is_set():
            rings = self.wakeup.rings
            if not self._do_next():
                self.wakeup.wait(LONGEST_REST_S, since=rings)
        with self._lock:
            self._is_over = True
        while self._do_next():
            pass

    def _do_next(self) -> bool:
        with self._lock:
            work = self._waiting.popleft() if self._waiting else None
        if work is not None:
            attempt(work, "a conversion")
        return work is not None


class Wakeup:
    """Wakes all waiting threads. One that is not waiting misses it, unless it waits `since`.

    Attributes:
        rings: How often it was set.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._is_over = False
        self.rings = 0

    def set(self) -> None:
        """Wake all threads that wait."""
        with self._changed:
            self.rings += 1
            self._changed.notify_all()

    def end(self) -> None:
        """Wake all threads that wait, and let nobody wait again: nobody misses this."""
        self._is_over = True
        self.set()

    def wait(self, seconds: float, *, since: int | None = None) -> None:
        """Wait for the next `set`, for at most so many seconds.

        Args:
            seconds: The longest wait.
            since: The `rings` after which a `set` counts; None counts from now on.
        """
        self.since(self.rings if since is None else since).wait(seconds)

    def since(self, rings: int) -> Ring:
        """Return the first `set` after so many, to be waited for."""
        return Ring(self._changed, lambda: self._is_over or self.rings != rings)


class Ring:
    """The next `set` of a `Wakeup`, which is waited for like a `threading.Event`."""

    def __init__(self, changed: Condition, has_come: Callable[[], bool]) -> None:
        self._changed = changed
        self._has_come = has_come

    def is_set(self) -> bool:
        """Whether it came."""
        return self._has_come()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for it, for at most so many seconds; return whether it came."""
        with self._changed:
            return self._changed.wait_for(self._has_come, timeout)


class Waiting(Protocol):
    """What a thread waits for besides the stop event."""

    def end(self) -> None:
        """Let it wait no longer: the stop event is set."""


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
        self._wakeups: list[Waiting] = []

    def add(self, name: str, body: Body, wakeup: Waiting | None = None) -> None:
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
            wakeup.end()

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
