"""Limits of a child process, and how programs are started within them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LAUNCHER = Path(__file__).with_name("launcher.py")
# All that a program of ours sees of the environment there.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}


def dump_sys_path() -> str:
    """Return `sys.path` as JSON, for a program of ours that starts without it."""
    return json.dumps([os.path.abspath(one) for one in sys.path])  # noqa: PTH100 - "" is here


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a child process.

    Attributes:
        nice: Niceness added to the sidecar's own.
        most_bytes: Size limit of each file that it writes.
        most_memory: Limit of its address space in bytes.
        most_seconds: Limit of processor time; 0 for none.
    """

    nice: int
    most_bytes: int
    most_memory: int
    most_seconds: int = 0

    def command(self, program: Sequence[str]) -> list[str]:
        """Return the command that starts a program within these limits.

        On Linux the program is killed when the thread that started it ends.
        """
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER)]
        limits = (os.getpid(), self.nice, self.most_bytes, self.most_memory, self.most_seconds)
        return [*launcher, *map(str, limits), *program]

    def start(
        self,
        program: Sequence[str],
        *,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int = subprocess.DEVNULL,
        pass_fds: Sequence[int] = (),
    ) -> subprocess.Popen[bytes]:
        """Start a program of ours within these limits, in a process group of its own.

        Raises:
            OSError: It could not be started.
        """
        return subprocess.Popen(  # noqa: S603 - our own program
            self.command(program),
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            cwd="/",
            pass_fds=pass_fds,
            start_new_session=True,
        )
