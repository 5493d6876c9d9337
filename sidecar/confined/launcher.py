"""Starts a program with limits: a child process sets them for itself, then becomes the program.

    sidecar ──▶ this: dies with us, low priority, bounded memory, time and files ──▶ program

Started by path, on its own; it imports nothing of ours.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Become the program.

    Args:
        arguments: Our own process id; how much less urgent it is than we are; the most bytes of a
            file that it writes, of its memory, and the most seconds of the processor, 0 for no
            end; the program; its arguments.
    """
    parent, nice, most_bytes, most_memory, most_seconds = map(int, arguments[:5])
    program = arguments[5:]
    if sys.platform == "linux":
        # It is the thread that started us which must not die: it waits for us.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(1)
    os.nice(nice)
    # Then a write that is too long fails, instead of ending the program without a word.
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
