"""Starts a program with limits: sets them for its own process, then executes the program.

    sidecar ──▶ launcher: dies with its parent, nice, limits on memory, time and files ──▶ program

It is started by path and imports nothing of the sidecar.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Set the limits and execute the program.

    Args:
        arguments: The sidecar's process id; the niceness to add; the limits for bytes of a
            written file, bytes of memory and seconds of processor time (0 for none); the
            program; its arguments.
    """
    parent, nice, most_bytes, most_memory, most_seconds = map(int, arguments[:5])
    program = arguments[5:]
    if sys.platform == "linux":
        # The signal comes when the thread that started this process ends: it waits for us.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(1)
    os.nice(nice)
    # Ignored, so that a write beyond the limit fails with an error instead of ending the program.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _limit(resource.RLIMIT_FSIZE, most_bytes)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, most_memory)
    if most_seconds:
        _limit(resource.RLIMIT_CPU, most_seconds)
    os.execv(program[0], program)  # noqa: S606 - the program that we were told


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    main(sys.argv[1:])
