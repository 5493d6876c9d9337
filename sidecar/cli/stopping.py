"""The signals that ask a command to stop, and its end if something hangs."""

from __future__ import annotations

import faulthandler
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

END_WITHIN_S = 9.5
LOOK_EVERY_S = 0.25


@contextmanager
def stop_signals(*, end_within_s: float = END_WITHIN_S) -> Iterator[Event]:
    """Give an event that the usual signals set, and put the old handlers back in the end.

    A process that has not ended so long after the first signal writes the stacks of all its
    threads to stderr and is gone, with exit code 1: nothing is lost, as in a power cut.
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


def wait_for(stop: Event) -> None:
    """Wait for one of the signals, in the main thread.

    `Event.wait` could sleep for ever: Python runs signal handlers only here, and the system may
    hand the signal to any other thread (seen on Linux, when one was just starting a thread).
    """
    while not stop.is_set():
        time.sleep(LOOK_EVERY_S)
