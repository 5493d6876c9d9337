"""Handles the signals that stop a command, and ends the process if stopping hangs."""

from __future__ import annotations

import faulthandler
import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

END_WITHIN_S = 9.5
LOOK_EVERY_S = 0.25


class StoppedEarly(Exception):
    """A command was asked to stop before it had begun its work."""


@contextmanager
def stop_signals(*, end_within_s: float = END_WITHIN_S) -> Iterator[Event]:
    """Yield an event that SIGTERM, SIGINT and SIGHUP set; restore the old handlers in the end.

    If the process has not ended `end_within_s` seconds after the first signal, it writes the stacks
    of all threads to stderr and exits with code 1. That is as safe as a power cut: nothing is lost.
    """
    stop = Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        if not stop.is_set():
            faulthandler.dump_traceback_later(end_within_s, exit=True)
        stop.set()

    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.signal(number, ask_to_stop) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_for(stop: Event, *others: Event, at_most_s: float = math.inf) -> None:
    """Wait for one of the signals or other events, in the main thread, for at most so long.

    Polls, as `Event.wait` could sleep for ever: Python runs signal handlers in the main thread
    only, and the system may deliver the signal to another one (seen on Linux at a thread's start).
    """
    until = time.monotonic() + at_most_s
    while not any(one.is_set() for one in (stop, *others)) and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)
