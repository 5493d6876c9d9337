"""What is done regularly is known: its last run, how that ended, and when it is next."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sidecar.errors import ServerAway
from sidecar.services.health.tasks import KnownTask, TaskKind, TaskRun, Tasks
from sidecar.services.processes.findings import Told
from tests.fakes.clock import FakeClock

ANN = "a" * 32


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def one(tasks: Tasks) -> TaskRun:
    (found,) = tasks.all()
    return found.run


def test_a_run_is_known_while_it_lasts_and_with_the_next_one_after_it(clock: FakeClock) -> None:
    tasks, began_at = Tasks(clock), clock.now()
    tasks.plan(TaskKind.RULES, ANN)
    assert one(tasks) == TaskRun()

    with tasks.run(TaskKind.RULES, ANN, again_s=3600, retry_s=60):
        assert one(tasks) == TaskRun(began_at)
        assert one(tasks).is_running
        clock.advance(5)

    next_at = began_at + timedelta(hours=1)
    assert one(tasks) == TaskRun(began_at, clock.now(), "", next_at)
    assert not one(tasks).is_running


def test_a_failure_is_told_and_the_next_try_is_sooner(clock: FakeClock) -> None:
    tasks, began_at = Tasks(clock), clock.now()
    with (
        pytest.raises(ServerAway),
        tasks.run(TaskKind.HEARTS, ANN, again_s=3600, retry_s=60),
    ):
        raise ServerAway("it does not answer")
    assert one(tasks).failure == str(ServerAway("it does not answer"))
    assert one(tasks).next_at == began_at + timedelta(minutes=1)

    with pytest.raises(ZeroDivisionError), tasks.run(TaskKind.HEARTS, ANN):
        raise ZeroDivisionError("of ours")
    assert "of ours" not in one(tasks).failure
    assert "nobody foresaw" in one(tasks).failure

    with tasks.run(TaskKind.HEARTS, ANN) as run:
        run.fail("too slow")
    assert one(tasks).failure == "too slow"
    with tasks.run(TaskKind.HEARTS, ANN):
        pass
    assert one(tasks).failure == ""


def test_of_what_several_processes_did_the_newest_run_counts(clock: FakeClock) -> None:
    tasks, before = Tasks(clock), clock.now() - timedelta(hours=1)
    later = TaskRun(clock.now(), clock.now())
    tasks.put(TaskKind.SCAN, "stick", TaskRun(before, before))
    tasks.take(
        [
            Told("scan-stick", "car", later),
            Told("backup", "nas", TaskRun()),
            Told("something newer", "nas", TaskRun()),
        ]
    )

    assert tasks.all() == [
        KnownTask(TaskKind.BACKUP, "", TaskRun(), "nas"),
        KnownTask(TaskKind.SCAN, "stick", later, "car"),
    ]
    assert [*tasks.found()] == ["scan-stick"], "what others told is not told again"


def test_what_is_wanted_now_is_done_where_it_is_done(clock: FakeClock) -> None:
    called: list[str] = []
    done: list[str] = []
    tasks = Tasks(clock, called.append)
    tasks.offer(TaskKind.RULES, done.append)
    tasks.plan(TaskKind.RULES, ANN)

    tasks.run_now(f"rules-{ANN}")
    tasks.run_now(f"rules-{'b' * 32}")
    assert done == [ANN], "another process follows the other account"
    assert called == [f"rules-{ANN}", f"rules-{'b' * 32}"]

    tasks.drop(ANN)
    tasks.act(f"rules-{ANN}")
    assert done == [ANN]
    assert tasks.all() == []
