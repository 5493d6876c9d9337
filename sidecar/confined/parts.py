"""Replays a history in two processes at once.

    history, scenario ──▶ child: what is expected of each day ──day by day──┐
                     └──▶ this process: rules, devices, plans ◀─────────────┘

Where nothing is to be expected, because `fill` is not run, the child takes a part of the budgets.
What comes of it is the same as in one process. The child ends with this one; if it fails, this
process does what is left.
"""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace as changed
from itertools import islice
from pathlib import Path
from typing import Any, Self

from sidecar.confined.limits import ENVIRONMENT, Limits, dump_sys_path
from sidecar.domain.replay.figures import Figures
from sidecar.domain.replay.forecast import Forecast, make_forecasts
from sidecar.domain.replay.history import History
from sidecar.domain.replay.replay import FILL, Scenario, replay, split_budgets
from sidecar.process import heap

log = logging.getLogger(__name__)

CHILD = Path(__file__).with_name("replaying_part.py")
# As nice as this process, which may have limits itself: they count for the child too.
LIMITS = Limits(nice=0, most_bytes=0, most_memory=2**40)
# A year of 50,000 plays takes 300 MB in two processes.
MOST_PROCESSES = 2
# Fewer are replayed before another process has begun.
WORTHWHILE_PLAYS = 5000

Part = Callable[[History, Scenario], Iterator[Any]]


def replay_in_parts(
    history: History,
    scenario: Scenario,
    progress: Callable[[float], None] = lambda _: None,
    *,
    processes: int | None = None,
    limits: Limits = LIMITS,
) -> list[Figures]:
    """Replay a history as `replay` does, in two processes if that is sooner.

    Args:
        history: What was played.
        scenario: The settings, and which runs are made.
        progress: Called with the share that is done.
        processes: One or two; as many as there are processors for us if not given.
        limits: Those of the second process.
    """
    is_long = len(history.plays) >= WORTHWHILE_PLAYS
    if not is_long or (processes or _count_processes()) < MOST_PROCESSES:
        return replay(history, scenario, progress)
    # To search for cycles, of which a replay leaves none, takes a sixth of its time.
    with heap.without_search():
        if FILL in scenario.runs:
            with _Child("forecasts", history, scenario, limits) as child:
                return replay(history, scenario, progress, child.results())
        return _replay_budgets(history, scenario, progress, limits)


def _replay_budgets(
    history: History, scenario: Scenario, progress: Callable[[float], None], limits: Limits
) -> list[Figures]:
    here, *others = split_budgets(scenario.budgets, MOST_PROCESSES)
    if not others:
        return replay(history, scenario, progress)
    there = changed(scenario, budgets=others[0])
    with _Child("figures", history, there, limits) as child:
        found = replay(history, changed(scenario, budgets=here), progress)
        found += child.results()
    return [one for budget in scenario.distinct_budgets for one in found if one.budget == budget]


def _forecast(history: History, scenario: Scenario) -> Iterator[Forecast]:
    return make_forecasts(history, scenario.limits)


def _find_figures(history: History, scenario: Scenario) -> Iterator[Figures]:
    yield from replay(history, scenario)


# What a child process can do.
PARTS: Mapping[str, Part] = {"forecasts": _forecast, "figures": _find_figures}


def _count_processes() -> int:
    if hasattr(os, "sched_getaffinity"):
        return min(MOST_PROCESSES, len(os.sched_getaffinity(0)))
    return min(MOST_PROCESSES, os.cpu_count() or 1)


class _Child:
    """The child process that does a part."""

    def __init__(self, part: str, history: History, scenario: Scenario, limits: Limits) -> None:
        self._part, self._history, self._scenario = part, history, scenario
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            limits.command([sys.executable, "-I", "-B", str(CHILD), dump_sys_path(), part]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
        )
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        with suppress(OSError), self._process.stdin as to_child:
            pickle.dump((history, scenario), to_child)

    def __enter__(self) -> Self:
        """Nothing is done before `results` are asked for."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def results(self) -> Iterator[Any]:
        """Yield what it finds as it comes; what it fails to find is found here."""
        output = self._process.stdout
        assert output is not None  # noqa: S101 - it was asked for
        told = 0
        with suppress(EOFError, pickle.UnpicklingError):
            while (result := pickle.load(output)) is not None:  # noqa: S301 - our own program's
                told += 1
                yield result
            return
        log.warning("A part of a replay failed in its process: it is done again in this one")
        yield from islice(PARTS[self._part](self._history, self._scenario), told, None)
