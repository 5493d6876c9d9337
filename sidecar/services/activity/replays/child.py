"""Runs a replay in a child process with limits: of low priority, and small."""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from sidecar import confined
from sidecar.confined.limits import Limits, dump_sys_path

log = logging.getLogger(__name__)

CHILD = Path(confined.__file__).with_name("replaying.py")
# Hardly any turn while transfers or pages need the processor. A year of 50,000 plays needs a third
# of this memory.
LIMITS = Limits(nice=15, most_bytes=0, most_memory=300 * 1024 * 1024, most_seconds=1800)
LOOK_EVERY_S = 0.2
LONGEST_ANSWER = 4 * 1024 * 1024


class ChildFailed(Exception):
    """The child gave no report; `str()` is a code, or nothing if nobody foresaw it."""


def run_replay(
    job: IO[bytes],
    history: IO[bytes],
    *,
    progress: Callable[[float], None],
    is_over: Callable[[], bool],
    limits: Limits = LIMITS,
) -> Mapping[str, Any] | None:
    """Run a replay, and return what the child reported; None if it was to end before.

    Args:
        job: What is to be done, as `confined.replaying` takes it; read from where it is.
        history: The plays, likewise.
        progress: Called with the share that is done.
        is_over: Whether it is to end.
        limits: Those of the child.

    Raises:
        ChildFailed: There is no report.
    """
    words = [str(CHILD), dump_sys_path(), str(job.fileno())]
    child = limits.start(
        [sys.executable, "-I", "-B", *words],
        stdin=history,
        stdout=subprocess.PIPE,
        pass_fds=[job.fileno()],
    )
    try:
        return _follow(child, progress, is_over)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if child.stdout is not None:
            child.stdout.close()


def _follow(
    child: subprocess.Popen[bytes],
    progress: Callable[[float], None],
    is_over: Callable[[], bool],
) -> Mapping[str, Any] | None:
    for line in _read_lines(child, is_over):
        if line is None:
            return None
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            told = None
        match told:
            case {"progress": float(share)}:
                progress(min(1.0, max(0.0, share)))
            case {"refused": str(code)}:
                raise ChildFailed(code)
            case {"report": dict()}:
                return dict(told)
            case _:
                break
    log.error("a replay ended without a report, with code %s", child.wait())
    raise ChildFailed


def _read_lines(
    child: subprocess.Popen[bytes], is_over: Callable[[], bool]
) -> Iterator[bytes | None]:
    """Yield the child's lines; None once it is to end."""
    assert child.stdout is not None  # noqa: S101 - it was asked for
    waiting = b""
    while True:
        if is_over():
            yield None
            return
        if not select.select([child.stdout], [], [], LOOK_EVERY_S)[0]:
            continue
        block = os.read(child.stdout.fileno(), 65536)
        if not block or len(waiting) > LONGEST_ANSWER:
            return
        *lines, waiting = (waiting + block).split(b"\n")
        yield from lines
