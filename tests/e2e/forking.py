"""Starts `python -m sidecar` without the seconds in which Python imports and compiles it.

    the tests ── words, environment ──▶ a process that has imported everything
                                         └─ forks ─▶ waits, and tells how it ended
                                                      └─ forks ─▶ `sidecar.cli.main`

Unlike a new Python it has the command line of the process that it was forked from, and what a
module does when it is imported was done before. Where that is what matters, `Sidecar.program` is
a real one: so it is in `tests/e2e/process`.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from tempfile import TemporaryFile
from typing import IO, BinaryIO

from sidecar.cli import COMMANDS, main
from sidecar.clock import SystemClock
from sidecar.web.api.schemas.base import Schema
from sidecar.web.app import API_ROUTES, plain_flask
from sidecar.web.i18n.sentences import NAMES, catalogue
from tests.patience import PATIENCE_S

MOST = 200_000
# Warnings are told, as in the sidecars that are started anew.
ENVIRON = {"PATH": os.environ["PATH"], "PYTHONWARNINGS": "default"}


class Forked:
    """A sidecar that runs, with what the tests use of `subprocess.Popen`."""

    def __init__(self, pid: int, stdout: BinaryIO | None, end: IO[bytes]) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._end = end

    def poll(self) -> int | None:
        """Return its exit code; None while it runs."""
        return self._look(0)

    def wait(self, timeout: float) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: It still runs.
        """
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("sidecar", timeout)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it, if it runs."""
        self.send_signal(signal.SIGKILL)

    def _look(self, within_s: float) -> int | None:
        if self.returncode is None and select.select([self._end], [], [], within_s)[0]:
            self.returncode = int(self._end.readline())
            self._end.close()
        return self.returncode


class Forker:
    """The process that has imported everything; it is started when the first sidecar is."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None

    def close(self) -> None:
        """End it; what it has forked goes on."""
        if self._orders is not None:
            self._orders.close()
        if self._process is not None:
            self._process.wait(PATIENCE_S)

    def start(self, words: Sequence[str], environ: Mapping[str, str], stderr: IO[bytes]) -> Forked:
        """Start a command of the sidecar; its standard output is a pipe."""
        (out, their_out), (end, their_end) = os.pipe(), os.pipe()
        self._order(words, environ, their_out, stderr.fileno(), their_end)
        os.close(their_out)
        os.close(their_end)
        told = os.fdopen(end, "rb", buffering=0)
        return Forked(int(told.readline()), os.fdopen(out, "rb"), told)

    def run(
        self, words: Sequence[str], environ: Mapping[str, str], *, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the sidecar to its end."""
        with TemporaryFile() as out, TemporaryFile() as err:
            end, their_end = os.pipe()
            self._order(words, environ, out.fileno(), err.fileno(), their_end)
            os.close(their_end)
            told = os.fdopen(end, "rb", buffering=0)
            one = Forked(int(told.readline()), None, told)
            try:
                code = one.wait(timeout)
            except subprocess.TimeoutExpired:
                one.kill()
                raise
            said = []
            for file in (out, err):
                file.seek(0)
                said.append(file.read().decode())
            return subprocess.CompletedProcess(words, code, *said)

    def _order(
        self, words: Sequence[str], environ: Mapping[str, str], out: int, err: int, end: int
    ) -> None:
        order = json.dumps([list(words), dict(environ)]).encode()
        socket.send_fds(self._ready(), [order], [out, err, end])

    def _ready(self) -> socket.socket:
        if self._orders is None:
            self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tests.e2e.forking", str(theirs.fileno())],
                    env=ENVIRON,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                )
        return self._orders


FORKER = Forker()


def serve(orders: socket.socket) -> Sequence[str] | None:
    """Fork for each order; return its words in the process that is to follow it.

    None if no more orders come.
    """
    # The kernel forgets those that have told how their sidecar ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        order, descriptors, _, _ = socket.recv_fds(orders, MOST, 3)
        if not order:
            return None
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            orders.close()
            words, environ = json.loads(order)
            _wait_or_follow(environ, *descriptors)
            return [str(one) for one in words]
        for one in descriptors:
            os.close(one)


def _wait_or_follow(environ: Mapping[str, str], out: int, err: int, end: int) -> None:
    """Fork: one tells how the other ended, which returns from here with all that was ordered."""
    pid = os.fork()
    if pid:
        os.close(out)
        os.close(err)
        os.write(end, f"{pid}\n".encode())
        _, status = os.waitpid(pid, 0)
        os.write(end, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    os.close(end)
    for descriptor, number in ((out, 1), (err, 2)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environ)


def _all_below(kind: type[Schema]) -> Iterator[type[Schema]]:
    for one in kind.__subclasses__():
        yield one
        yield from _all_below(one)


if __name__ == "__main__":
    for name in COMMANDS:
        importlib.import_module(f"sidecar.cli.commands.{name.replace('-', '_')}")
    importlib.import_module(API_ROUTES)
    templates = plain_flask(SystemClock()).jinja_env
    for name in templates.list_templates():
        templates.get_template(name)
    for language in NAMES:
        catalogue(language)
    for schema in _all_below(Schema):
        schema.model_rebuild()
    ordered = serve(socket.socket(fileno=int(sys.argv[1])))
    if ordered is not None:
        sys.argv[1:] = ordered
        sys.exit(main())
