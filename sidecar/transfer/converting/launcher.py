"""Starts ffmpeg with limits: a child process sets them for itself, then becomes ffmpeg.

    sidecar ──▶ this: dies with us, low priority, bounded memory and files ──▶ ffmpeg

Started by path, on its own; it imports nothing of ours.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
NICE = 15
MOST_MEMORY = 3 * 1024**3


def main(arguments: list[str]) -> None:
    """Become the program.

    Args:
        arguments: Our own process id, the most bytes of a file, the program, its arguments.
    """
    parent, most_bytes, program = int(arguments[0]), int(arguments[1]), arguments[2]
    if sys.platform == "linux":
        # It is the thread that started us which must not die: it waits for us.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(1)
    os.nice(NICE)
    # Then a write that is too long fails, instead of ending the program without a word.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _limit(resource.RLIMIT_FSIZE, most_bytes)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, MOST_MEMORY)
    os.execv(program, arguments[2:])  # noqa: S606 - the program that the operator named


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    main(sys.argv[1:])
