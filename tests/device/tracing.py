"""Runs a small program of ours under strace: to see what it asks of the kernel, or to kill it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

import sidecar
from tests.patience import PATIENCE_S

CALLS = "mkdir,mkdirat,rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,fsync,fdatasync"
_CALL = re.compile(r"(?:\[pid +\d+\] )?(\w+)\((?:\d+<(.*?)>)?")
SOURCES = Path(sidecar.__file__).parent.parent
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


@dataclass(frozen=True)
class Trace:
    """What a program asked of the kernel.

    Attributes:
        code: Its exit code; negative for the signal that ended it.
        calls: The calls that change names or sync, by the kernel's names.
        steps: The same without their variants (`mkdir` for `mkdirat`); a sync says of what.
    """

    code: int
    calls: list[str]
    steps: list[str]

    def kill_before(self, number: int) -> str:
        """Return the fault that kills the program before its call of this number, from 0."""
        call = self.calls[number]
        return f"{call}:signal=KILL:when={self.calls[: number + 1].count(call)}"


def traced(program: str, *arguments: object, inject: Sequence[str] = ()) -> Trace:
    """Run a program under strace.

    Args:
        program: Python source.
        arguments: For `sys.argv[1:]`.
        inject: What strace is to do at which call; of two for one call, the last counts.
    """
    faults = [part for one in inject for part in ("-e", f"inject={one}")]
    strace = ["strace", "-f", "-y", "-qq", "-e", f"trace={CALLS}", "-e", "signal=none", *faults]
    done = subprocess.run(
        [*strace, sys.executable, "-B", "-c", program, *map(str, arguments)],
        cwd=SOURCES,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    found = [line for line in map(_CALL.match, done.stderr.splitlines()) if line]
    steps = [_named(line[1], line[2]) for line in found]
    return Trace(done.returncode, [line[1] for line in found], steps)


def _named(call: str, path: str | None) -> str:
    name = re.sub(r"(at2?)$", "", call)
    return f"{name} {Path(path).name}" if name == "fsync" and path else name
