from __future__ import annotations

from collections.abc import Iterator
from threading import Event, Thread

import pytest

from sidecar.errors import Stopped
from sidecar.threads import WorkerPool

DEADLINE_S = 10.0


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
    thread.join(DEADLINE_S)
    assert not thread.is_alive()


def test_what_is_handed_over_is_done_by_another_thread(pool: WorkerPool) -> None:
    done = Event()

    pool.submit(done.set, Event())

    assert done.wait(DEADLINE_S)


def test_whoever_brings_too_much_waits_until_told_to_stop(pool: WorkerPool) -> None:
    begun, may_end, given_up = Event(), Event(), Event()

    def slow() -> None:
        begun.set()
        may_end.wait(DEADLINE_S)

    pool.submit(slow, Event())
    assert begun.wait(DEADLINE_S)
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

    assert done.wait(DEADLINE_S)
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
