"""Runs a small program of ours under strace: to see what it asks of the kernel, or to kill it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import sidecar

CALLS = "mkdir,mkdirat,rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,fsync,fdatasync"
_CALL = re.compile(r"(?:\[pid +\d+\] )?(\w+)\((?:\d+<(.*?)>)?")
SOURCES = Path(sidecar.__file__).parent.parent
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


def traced(program: str, *arguments: object, inject: Sequence[str] = ()) -> tuple[int, list[str]]:
    """Run a program and return its exit code and the calls that change names or sync.

    Calls are named without their variants (`mkdir` for `mkdirat`); a sync says what is synced.

    Args:
        program: Python source.
        arguments: For `sys.argv[1:]`.
        inject: What strace is to do at which call.
    """
    faults = [part for one in inject for part in ("-e", f"inject={one}")]
    strace = ["strace", "-f", "-y", "-qq", "-e", f"trace={CALLS}", "-e", "signal=none", *faults]
    done = subprocess.run(
        [*strace, sys.executable, "-B", "-c", program, *map(str, arguments)],
        cwd=SOURCES,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    lines = map(_CALL.match, done.stderr.splitlines())
    return done.returncode, [_named(line[1], line[2]) for line in lines if line]


def _named(call: str, path: str | None) -> str:
    name = re.sub(r"(at2?)$", "", call)
    return f"{name} {Path(path).name}" if name == "fsync" and path else name
