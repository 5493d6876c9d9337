"""Replays a history in two processes at once: each takes a part of the budgets.

    history, scenario ──▶ this process: one part ─────────────────────┐
                     └──▶ child: the other part ──progress, figures──▶ joined in the budgets' order

What comes of it is the same as in one process. The child ends with this one; if it fails, its part
is done here.
"""

from __future__ import annotations

import logging
import os
import pickle
import select
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace as changed
from pathlib import Path

from sidecar.confined.limits import ENVIRONMENT, Limits, dump_sys_path
from sidecar.domain.replay.figures import Figures
from sidecar.domain.replay.history import History
from sidecar.domain.replay.replay import Scenario, replay, split_budgets
from sidecar.process import heap

log = logging.getLogger(__name__)

CHILD = Path(__file__).with_name("replaying_part.py")
# As nice as this process, which may have limits itself: they count for the child too.
LIMITS = Limits(nice=0, most_bytes=0, most_memory=2**40)
# A year of 50,000 plays takes 300 MB in two processes.
MOST_PROCESSES = 2
# Fewer are replayed before another process has begun.
WORTHWHILE_PLAYS = 5000
# The child writes one of these for each per cent that is done, and figures at the end.
STEP, STEPS = b".", 100


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
    parts = split_budgets(scenario.budgets, processes or _count_processes())
    if len(parts) < MOST_PROCESSES or len(history.plays) < WORTHWHILE_PLAYS:
        return replay(history, scenario, progress)
    here, there = (changed(scenario, budgets=budgets) for budgets in parts)
    child = _Child(history, there, limits)
    try:
        # To search for cycles, of which a replay leaves none, takes a sixth of its time.
        with heap.without_search():
            found = replay(
                history, here, lambda share: progress((share + child.read_progress()) / 2)
            )
            found += child.finish() or replay(history, there)
    finally:
        child.close()
    progress(1.0)
    return [one for budget in scenario.budgets for one in found if one.budget == budget]


def _count_processes() -> int:
    if hasattr(os, "sched_getaffinity"):
        return min(MOST_PROCESSES, len(os.sched_getaffinity(0)))
    return min(MOST_PROCESSES, os.cpu_count() or 1)


class _Child:
    """The child process that replays a part."""

    def __init__(self, history: History, scenario: Scenario, limits: Limits) -> None:
        self._read = b""
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            limits.command([sys.executable, "-I", "-B", str(CHILD), dump_sys_path()]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
        )
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        with suppress(OSError), self._process.stdin as to_child:
            pickle.dump((history, scenario), to_child)

    def read_progress(self) -> float:
        """Return the share that is done, without waiting."""
        output = self._process.stdout
        assert output is not None  # noqa: S101 - it was asked for
        while len(self._read) < STEPS and select.select([output], [], [], 0)[0]:
            block = os.read(output.fileno(), STEPS - len(self._read))
            if not block:
                break
            self._read += block
        return len(self._read) / STEPS

    def finish(self) -> list[Figures]:
        """Wait until it is done, and return what it found; nothing if it failed."""
        output = self._process.stdout
        assert output is not None  # noqa: S101 - it was asked for
        told = self._read + output.read()
        if self._process.wait() or not told.startswith(STEP * STEPS):
            log.warning("A part of a replay failed in its process: it is done again in this one")
            return []
        figures: list[Figures] = pickle.loads(told[STEPS:])  # noqa: S301 - our own program's
        return figures

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
