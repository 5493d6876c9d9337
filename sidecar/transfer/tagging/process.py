"""Our side of the child process that reads and writes tags: starts it, asks it, ends it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from os import killpg
from pathlib import Path
from threading import Event, local
from typing import BinaryIO

from sidecar.clock import Clock
from sidecar.confined.limits import Limits, dump_sys_path
from sidecar.confined.lines import start_with_line
from sidecar.errors import Stopped
from sidecar.messages import msg
from sidecar.transfer.converting.subprocess import (
    LOOK_EVERY_S,
    MOST_MEMORY,
    MOST_SAID,
    NICE,
    ChildFailed,
    ChildOutput,
)
from sidecar.transfer.tagging.child import STATUS

CHILD = Path(__file__).with_name("child.py")
IDLE_S = 20.0
# Each order has a limit of its own for what it writes.
LIMITS = Limits(nice=NICE, most_bytes=2**62, most_memory=MOST_MEMORY)


class _Gone(Exception):
    """The child had ended before the order came; most likely as there was nothing to do."""


class TagProcesses:
    """A child process for each thread that asks, started when needed. Thread-safe.

    It ends with the thread, with this object, or after a while without an order.
    """

    def __init__(self, *, idle_s: float = IDLE_S) -> None:
        """Prepare; `idle_s` is how long a child waits for its next order."""
        self._idle_s = idle_s
        self._mine = _Mine()

    def ask(
        self,
        order: Mapping[str, object],
        files: Sequence[BinaryIO],
        *,
        clock: Clock,
        stop: Event,
        limit_s: float,
    ) -> ChildOutput:
        """Have an order carried out; see `child` for orders.

        Args:
            order: The order, with `most_bytes`, the size limit of each file that it writes.
            files: Open files that it works on.
            clock: For the time limit.
            stop: Ends it when set.
            limit_s: Time limit in seconds.

        Raises:
            ChildFailed: It could not be started, or took too long.
            errors.Stopped: `stop` was set.
        """
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as complaints:
            code = self._ask(order, [output, complaints, *files], clock, stop, limit_s)
            output.seek(0)
            complaints.seek(0)
            told = complaints.read(MOST_SAID).decode(errors="replace")
            return ChildOutput(code, output.read(MOST_SAID), told)

    def _ask(
        self,
        order: Mapping[str, object],
        files: Sequence[BinaryIO],
        clock: Clock,
        stop: Event,
        limit_s: float,
    ) -> int:
        """Return the exit status; if an idle child has ended just now, that of a new one."""
        kept, self._mine.child = self._mine.child, None
        child = kept or _Child(self._idle_s)
        try:
            code = child.ask(order, files, clock, stop, limit_s)
        except _Gone:
            return 1 if kept is None else self._ask(order, files, clock, stop, limit_s)
        self._mine.child = child
        return code


class _Child:
    """One child process. After an error it is of no use: whoever drops it ends it."""

    def __init__(self, idle_s: float) -> None:
        program = [sys.executable, "-I", "-S", "-B", str(CHILD)]
        try:
            self._process, self._line = start_with_line(
                LIMITS, program, [str(idle_s), dump_sys_path()]
            )
        except OSError as error:
            name = Path(sys.executable).name
            raise ChildFailed(msg("{program} cannot be started", program=name)) from error
        self._end = weakref.finalize(self, _end, self._process, self._line)

    def ask(
        self,
        order: Mapping[str, object],
        files: Sequence[BinaryIO],
        clock: Clock,
        stop: Event,
        limit_s: float,
    ) -> int:
        try:
            self._send(order, files)
            said = self._wait(clock, stop, clock.monotonic() + limit_s)
        except BaseException:
            self._end()
            raise
        if said:
            (code,) = STATUS.unpack(said)
            return int(code)
        if self._process.wait() == 0:
            raise _Gone
        return 1

    def _send(self, order: Mapping[str, object], files: Sequence[BinaryIO]) -> None:
        handles = [one.fileno() for one in files]
        try:
            socket.send_fds(self._line, [json.dumps(order).encode()], handles)
        except OSError as error:
            raise _Gone from error

    def _wait(self, clock: Clock, stop: Event, deadline: float) -> bytes:
        """Return the answer; nothing if the child has ended instead."""
        self._line.settimeout(LOOK_EVERY_S)
        while True:
            if stop.is_set():
                raise Stopped(msg("the conversion was asked to stop"))
            if clock.monotonic() >= deadline:
                raise ChildFailed(msg("it took too long"))
            try:
                return self._line.recv(STATUS.size)
            except TimeoutError:
                continue
            except OSError:
                return b""


class _Mine(local):
    """What one thread has."""

    child: _Child | None = None


def _end(process: subprocess.Popen[bytes], line: socket.socket) -> None:
    line.close()
    if process.poll() is None:
        with suppress(ProcessLookupError):
            killpg(process.pid, signal.SIGKILL)
        process.wait()
