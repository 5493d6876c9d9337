"""Runs a program in a child process on open files, with limits, so that it can be stopped any time.

The child gets no shell, a minimal environment and no terminal. It is killed within a fraction of a
second when stopped, at its time limit, and when the sidecar ends in any way. Its output goes to
temporary files of limited size.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import BinaryIO

from sidecar.clock import Clock
from sidecar.confined.limits import Limits
from sidecar.errors import SidecarError, Stopped
from sidecar.messages import msg

NICE = 15
MOST_MEMORY = 3 * 1024**3
LOOK_EVERY_S = 0.1
MOST_SAID = 16 * 1024 * 1024


class ChildFailed(SidecarError):
    """A child process failed; `str()` is a clause such as "it took too long"."""


@dataclass(frozen=True, slots=True)
class ChildOutput:
    """The result of a child process.

    Attributes:
        code: Its exit status.
        output: Its standard output.
        complaints: Its standard error.
    """

    code: int
    output: bytes
    complaints: str

    @property
    def last_words(self) -> str:
        """The last line of its standard error, shortened and printable."""
        line = self.complaints.strip().rpartition("\n")[2]
        return "".join(one if one.isprintable() else " " for one in line)[:200]


def get_inherited_path(file: BinaryIO) -> str:
    """Return the path under which a child opens an inherited file."""
    return f"file:/dev/fd/{file.fileno()}"


def run(
    command: Sequence[str],
    *,
    files: Sequence[BinaryIO],
    clock: Clock,
    stop: Event,
    limit_s: float,
    most_bytes: int = MOST_SAID,
    meanwhile: Callable[[], object] = lambda: None,
) -> ChildOutput:
    """Run a program to its end.

    Args:
        command: The program's full path and its arguments.
        files: Open files that the child inherits; see `get_inherited_path`.
        clock: For the time limit.
        stop: Ends it when set.
        limit_s: Time limit in seconds.
        most_bytes: Size limit of each file that it writes.
        meanwhile: Called several times a second while it runs.

    Raises:
        ChildFailed: It could not be started, or took too long.
        errors.Stopped: `stop` was set.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as complaints:
        try:
            child = _start(command, files, output, complaints, most_bytes)
        except OSError as error:
            raise ChildFailed(
                msg("{program} cannot be started", program=Path(command[0]).name)
            ) from error
        try:
            _wait(child, clock, stop, limit_s, meanwhile)
        finally:
            _end(child)
        output.seek(0)
        complaints.seek(0)
        told = complaints.read(MOST_SAID).decode(errors="replace")
        return ChildOutput(child.returncode, output.read(MOST_SAID), told)


def _start(
    command: Sequence[str],
    files: Sequence[BinaryIO],
    output: BinaryIO,
    complaints: BinaryIO,
    most_bytes: int,
) -> subprocess.Popen[bytes]:
    limits = Limits(nice=NICE, most_bytes=most_bytes, most_memory=MOST_MEMORY)
    return subprocess.Popen(  # noqa: S603 - the program that the operator named, no shell
        limits.command(command),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=complaints,
        env={"PATH": os.defpath, "LC_ALL": "C"},
        cwd="/",
        pass_fds=[one.fileno() for one in files],
        start_new_session=True,
    )


def _wait(
    child: subprocess.Popen[bytes],
    clock: Clock,
    stop: Event,
    limit_s: float,
    meanwhile: Callable[[], object],
) -> None:
    deadline = clock.monotonic() + limit_s
    while True:
        if stop.is_set():
            raise Stopped(msg("the conversion was asked to stop"))
        if clock.monotonic() >= deadline:
            raise ChildFailed(msg("it took too long"))
        with suppress(subprocess.TimeoutExpired):
            child.wait(LOOK_EVERY_S)
            return
        meanwhile()


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
