"""Handles the signals that stop a command, and ends the process if stopping hangs."""

from __future__ import annotations

import faulthandler
import math
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event
from types import FrameType

END_WITHIN_S = 9.5
LOOK_EVERY_S = 1.0
SIGNALS_AT_ONCE = 64


class StoppedEarly(Exception):
    """A command was asked to stop before it had begun its work."""


@contextmanager
def stop_signals(*, end_within_s: float = END_WITHIN_S) -> Iterator[Event]:
    """Yield an event that SIGTERM, SIGINT and SIGHUP set; restore the old handlers in the end.

    Once it is set, none of them ends the process any more.

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
            # Who is asked twice does not die of it on the last way out, but ends as it was asked.
            is_deadly = handler in {signal.SIG_DFL, signal.default_int_handler}
            signal.signal(number, signal.SIG_IGN if stop.is_set() and is_deadly else handler)


def wait_for(stop: Event, *others: Event, at_most_s: float = math.inf) -> None:
    """Wait for one of the signals or other events, in the main thread, for at most so long.

    A signal is noticed at once, another event within a second. `Event.wait` could sleep for ever:
    Python runs signal handlers in the main thread only, and the system may deliver the signal to
    another one (seen on Linux at a thread's start); it writes a byte whichever thread has it.
    """
    until = time.monotonic() + at_most_s
    longest_s = LOOK_EVERY_S if others else math.inf
    with _woken_by_signals() as woken:
        while not any(one.is_set() for one in (stop, *others)):
            left_s = min(until - time.monotonic(), longest_s)
            if left_s <= 0:
                return
            woken.settimeout(left_s if left_s < math.inf else None)
            with suppress(TimeoutError):
                woken.recv(SIGNALS_AT_ONCE)


@contextmanager
def _woken_by_signals() -> Iterator[socket.socket]:
    """Yield a socket that can be read after a signal."""
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(before)
