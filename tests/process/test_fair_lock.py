from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from threading import Event, Thread

import pytest

from sidecar.process.fair_lock import FairLock
from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S


class _Interrupted(Exception):
    pass


@pytest.fixture
def interruptible() -> Iterator[None]:
    def interrupt(*_: object) -> None:
        raise _Interrupted

    before = signal.signal(signal.SIGUSR1, interrupt)
    yield
    signal.signal(signal.SIGUSR1, before)


def _wait_for(lock: FairLock, count: int) -> None:
    wait_until(lambda: len(lock._waiting) == count, every_s=0.001)


def test_who_leaves_and_comes_again_waits_behind_who_came_before() -> None:
    lock, came = FairLock(), list[str]()

    def come(name: str) -> None:
        with lock:
            came.append(name)

    others = [Thread(target=come, args=(name,)) for name in ("second", "third")]
    with lock:
        for number, one in enumerate(others, 1):
            one.start()
            _wait_for(lock, number)
        came.append("first")
    come("first again")

    for one in others:
        one.join(PATIENCE_S)
    assert came == ["first", "second", "third", "first again"]


@pytest.mark.usefixtures("interruptible")
def test_who_is_interrupted_while_waiting_holds_up_nobody() -> None:
    lock, is_held, may_leave, came = FairLock(), Event(), Event(), Event()

    def hold() -> None:
        with lock:
            is_held.set()
            may_leave.wait(PATIENCE_S)

    def interrupt() -> None:
        _wait_for(lock, 1)
        os.kill(os.getpid(), signal.SIGUSR1)

    def come() -> None:
        with lock:
            came.set()

    holder, interrupter, last = (Thread(target=one) for one in (hold, interrupt, come))
    holder.start()
    assert is_held.wait(PATIENCE_S)
    interrupter.start()
    with pytest.raises(_Interrupted), lock:
        pass
    last.start()
    may_leave.set()

    assert came.wait(PATIENCE_S)
    for one in (holder, interrupter, last):
        one.join(PATIENCE_S)


def test_an_error_inside_lets_the_next_one_in() -> None:
    lock = FairLock()

    with pytest.raises(_Interrupted), lock:
        raise _Interrupted

    with lock:
        pass
