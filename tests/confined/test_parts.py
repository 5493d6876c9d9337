from __future__ import annotations

from dataclasses import replace

import pytest

from sidecar.confined.parts import LIMITS, replay_in_parts
from sidecar.domain.replay.history import History
from sidecar.domain.replay.replay import Scenario, replay
from tests.simulation.laws import binges, past, shared, zipf


@pytest.fixture(scope="module")
def history() -> History:
    """Some weeks that are long enough for two processes."""
    return past([zipf, binges, shared, zipf], 5, albums=20, pace=60, days=24)


@pytest.fixture(scope="module")
def scenario(history: History) -> Scenario:
    return Scenario(budgets=[history.size * share // 100 for share in (5, 2, 20, 5)])


def test_two_processes_find_what_one_finds_and_tell_their_progress(
    history: History, scenario: Scenario
) -> None:
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
