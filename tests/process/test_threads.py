from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from threading import Event, Thread

import pytest

from sidecar.errors import SidecarError, Stopped
from sidecar.process.threads import (
    Ring,
    ThreadGroup,
    Wakeup,
    WorkerPool,
    attempt,
    run_periodically,
    run_when_woken,
)
from tests.patience import PATIENCE_S


@pytest.fixture
def stop() -> Event:
    return Event()


@pytest.fixture
def pool(stop: Event) -> Iterator[WorkerPool]:
    pool = WorkerPool(1)
    thread = Thread(target=pool.run, args=(stop,))
    thread.start()
    yield pool
    stop.set()
    pool.wakeup.end()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_what_is_handed_over_is_done_by_another_thread(pool: WorkerPool) -> None:
    done = Event()

    pool.submit(done.set, Event())

    assert done.wait(PATIENCE_S)


def test_whoever_brings_too_much_waits_until_told_to_stop(pool: WorkerPool) -> None:
    begun, may_end, given_up = Event(), Event(), Event()

    def slow() -> None:
        begun.set()
        may_end.wait(PATIENCE_S)

    pool.submit(slow, Event())
    assert begun.wait(PATIENCE_S)
    pool.submit(lambda: None, Event())
    given_up.set()

    with pytest.raises(Stopped):
        pool.submit(lambda: None, given_up)
    may_end.set()


def test_what_fails_does_not_end_the_thread(
    pool: WorkerPool, caplog: pytest.LogCaptureFixture
) -> None:
    done = Event()

    pool.submit(lambda: 1 // 0, Event())
    pool.submit(done.set, Event())

    assert done.wait(PATIENCE_S)
    assert "a conversion failed in a way nobody foresaw" in caplog.text


def test_what_waits_at_the_end_is_still_done_and_nothing_is_taken_afterwards(stop: Event) -> None:
    pool, done = WorkerPool(2), []
    pool.submit(lambda: done.append(1), Event())
    pool.submit(lambda: done.append(2), Event())
    stop.set()

    pool.run(stop)

    assert done == [1, 2]
    with pytest.raises(Stopped):
        pool.submit(lambda: done.append(3), Event())


def test_a_periodic_step_is_done_again_after_it_failed_and_rests_in_between(
    stop: Event, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []
    failures = iter([SidecarError("the server is away"), KeyError("no such row"), None])

    def step() -> None:
        failure = next(failures)
        if failure is not None:
            raise failure
        done.append("stepped")
        stop.set()

    run_periodically(
        step,
        stop,
        lambda: done.append("rested"),
        "the example",
        on_failure=lambda: done.append("failed"),
    )

    assert done == ["failed", "rested", "failed", "rested", "stepped", "rested"]
    assert "the example failed: the server is away" in caplog.text
    assert "the example failed in a way nobody foresaw" in caplog.text
    assert "KeyError: 'no such row'" in caplog.text


def test_a_step_that_was_asked_to_stop_is_no_failure_for_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def step() -> int:
        raise Stopped("the work was asked to stop")

    assert attempt(step, "the example", lambda: 7) == 7
    assert attempt(step, "the example") is None
    assert not caplog.records


def test_an_attempt_returns_what_its_step_returns() -> None:
    assert attempt(lambda: 3, "the example", lambda: 7) == 3


@pytest.mark.parametrize("is_busy", [False, True])
def test_a_thread_that_waits_for_something_else_is_woken_to_end(*, is_busy: bool) -> None:
    threads, wakeup, begun, may_wait = ThreadGroup(nullcontext), Wakeup(), Event(), Event()

    def wait_long(stop: Event) -> None:
        while not stop.is_set():
            begun.set()
            may_wait.wait(PATIENCE_S)
            wakeup.wait(600)

    threads.add("sleeper", wait_long, wakeup)
    assert begun.wait(PATIENCE_S)
    if is_busy:
        # One that waits only afterwards does not miss it.
        threads.ask_to_stop()
    may_wait.set()

    assert threads.stop_all(within_s=PATIENCE_S)


def test_nobody_waits_for_what_has_happened_already() -> None:
    wakeup = Wakeup()
    rings = wakeup.rings
    wakeup.set()

    wakeup.wait(600, since=rings)


@dataclass
class Waited:
    """A clock's `wait`, which writes down what it was to wait for, and sets one thing each time."""

    sets: list[Callable[[], object]]
    seconds: list[float] = field(default_factory=list)

    def __call__(self, ring: Ring | Event, seconds: float) -> bool:
        self.seconds.append(seconds)
        if self.sets:
            self.sets.pop(0)()
        return ring.is_set()


def test_who_is_woken_rests_as_long_as_its_work_says_and_then_waits_for_more(stop: Event) -> None:
    wakeup, rests = Wakeup(), iter([60.0, 15.0, 1.0])
    waited = Waited([lambda: None, wakeup.set, lambda: None, stop.set])
    steps: list[int] = []

    run_when_woken(
        lambda: steps.append(1),
        stop,
        wakeup,
        "the example",
        rest_s=lambda: next(rests),
        settle_s=2.0,
        wait=waited,
    )

    # After the first rest nobody had woken it; the second was cut short, so it waits for more.
    assert waited.seconds == [60.0, 15.0, 2.0, 1.0]
    assert len(steps) == 3


def test_what_wakes_it_during_a_step_is_not_missed(stop: Event) -> None:
    wakeup, steps = Wakeup(), []

    def step() -> None:
        steps.append(1)
        if len(steps) == 1:
            wakeup.set()
        else:
            stop.set()

    run_when_woken(step, stop, wakeup, "the example", rest_s=lambda: 10 * PATIENCE_S)

    assert len(steps) == 2


def test_a_ring_is_waited_for_like_an_event() -> None:
    wakeup = Wakeup()
    ring = wakeup.since(wakeup.rings)

    assert not ring.is_set()
    assert not ring.wait(0)
    wakeup.end()
    assert ring.is_set()
    assert ring.wait(PATIENCE_S)
