from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Collection
from dataclasses import replace

import pytest

from sidecar.confined.limits import dump_sys_path
from sidecar.confined.parts import CHILD, LIMITS, replay_in_parts
from sidecar.domain.replay.history import History
from sidecar.domain.replay.replay import RULES, RUNS, Scenario, replay
from tests.patience import PATIENCE_S
from tests.processes import list_children
from tests.simulation.laws import binges, past, shared, zipf


@pytest.fixture(scope="module")
def history() -> History:
    """Some weeks that are long enough for two processes."""
    return past([zipf, binges, shared, zipf], 5, albums=20, pace=60, days=24)


@pytest.fixture(scope="module")
def scenario(history: History) -> Scenario:
    return Scenario(budgets=[history.size * share // 100 for share in (5, 2, 20, 5)])


@pytest.mark.parametrize("runs", [RUNS, [RULES]])
def test_two_processes_find_what_one_finds_and_tell_their_progress(
    history: History, scenario: Scenario, runs: Collection[str]
) -> None:
    scenario = replace(scenario, runs=runs)
    told: list[float] = []

    found = replay_in_parts(history, scenario, told.append, processes=2)

    assert found == replay(history, scenario)
    assert told == sorted(told)
    assert told[0] < 0.5
    assert told[-1] == 1.0


def test_the_part_of_a_process_that_fails_is_done_here(
    history: History, scenario: Scenario, caplog: pytest.LogCaptureFixture
) -> None:
    too_little = replace(LIMITS, most_memory=1024 * 1024)

    found = replay_in_parts(history, scenario, processes=2, limits=too_little)

    assert found == replay(history, scenario)
    assert "failed in its process" in caplog.text


@pytest.mark.parametrize("runs", [RUNS, [RULES]])
def test_what_a_process_leaves_undone_is_done_here(
    history: History, scenario: Scenario, runs: Collection[str], caplog: pytest.LogCaptureFixture
) -> None:
    scenario = replace(scenario, runs=runs)
    there = set(list_children(os.getpid()))
    ended: set[int] = set()

    def end_children(share: float) -> None:
        if share > 0.4 and not ended:
            ended.update(set(list_children(os.getpid())) - there)
            for one in ended:
                os.kill(one, signal.SIGKILL)

    found = replay_in_parts(history, scenario, end_children, processes=2)

    assert len(ended) == 1
    assert found == replay(history, scenario)
    assert "failed in its process" in caplog.text


def test_a_part_that_cannot_be_done_ends_its_process() -> None:
    command = [sys.executable, "-I", "-B", str(CHILD), dump_sys_path(), "of no such name"]

    ended = subprocess.run(
        command,
        input=pickle.dumps((None, None)),
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (1, b"")
    assert b"KeyError" in ended.stderr
