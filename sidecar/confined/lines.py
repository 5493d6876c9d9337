"""Starts a program of ours within limits, with a socket on which it is asked."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Sequence

from sidecar.confined.limits import Limits


def start_with_line(
    limits: Limits, program: Sequence[str], words: Sequence[str]
) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a program in a group of its own; return it, and our end of its socket.

    Args:
        limits: What it may use.
        program: The program and its file.
        words: What it is given after the number of its end of the socket.

    Raises:
        OSError: It could not be started.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = limits.start(
                [*program, str(theirs.fileno()), *words], pass_fds=[theirs.fileno()]
            )
        except BaseException:
            ours.close()
            raise
    return process, ours
