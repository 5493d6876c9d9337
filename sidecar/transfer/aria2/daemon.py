"""The aria2 process that is used: a child of the sidecar, or one that somebody else runs.

The child listens on loopback with a secret made for this run, reads no settings but those given
here, keeps no session, and ends when the sidecar ends in any way. A foreign aria2 is neither
started nor ended.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Protocol

from sidecar.messages import msg
from sidecar.transfer.aria2.relay import LOOPBACK
from sidecar.transfer.aria2.rpc import Aria2Away, Rpc

log = logging.getLogger(__name__)

END_WITHIN_S = 1.2  # then it is killed: everything that it has is in the part files
_OPTIONS = """\
enable-rpc=true
rpc-listen-all=false
rpc-allow-origin-all=false
rpc-max-request-size=2M
max-concurrent-downloads=64
disk-cache=0
auto-save-interval=0
file-allocation=none
no-netrc=true
disable-ipv6=true
async-dns=false
enable-dht=false
enable-dht6=false
bt-enable-lpd=false
follow-torrent=false
follow-metalink=false
show-console-readout=false
summary-interval=0
console-log-level=error
"""


class Daemon(Protocol):
    """An aria2 process, our own or a foreign one."""

    def begin(self) -> Rpc:
        """Start it if it is our own; return the connection to it.

        Raises:
            Aria2Away: It cannot be started.
        """

    def is_running(self) -> bool:
        """Return False only if it certainly has ended."""

    def note_answer(self) -> None:
        """Note that it has answered for the first time."""

    def end(self) -> None:
        """End it within three seconds if it is our own. Never raises."""


class ForeignDaemon:
    """An aria2 that somebody else runs on this machine, which sees the devices under our paths."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    def begin(self) -> Rpc:
        """Return the connection to it."""
        return self._rpc

    def is_running(self) -> bool:
        """Return True, as it cannot be known."""
        return True

    def note_answer(self) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing: it is not our own."""


class OwnDaemon:
    """An aria2 that runs as a child process. Used by one thread."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None

    @property
    def process_id(self) -> int | None:
        """The child's process id while there is one."""
        return self._process.pid if self._process else None

    def begin(self) -> Rpc:
        """Start it on a free port; return the connection to it."""
        self.end()
        rpc = Rpc(f"http://{LOOPBACK}:{_free_port()}/jsonrpc", secrets.token_hex(32))
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="sidecar-aria2-"))
            settings = self._folder / "aria2.conf"
            _write_settings(settings, rpc)
            self._process = self._start(settings)
        except OSError as error:
            raise Aria2Away(
                msg("aria2 cannot be started: {reason}", reason=error.strerror)
            ) from error
        return rpc

    def is_running(self) -> bool:
        """Whether the child process runs."""
        if self._process is None:
            return False
        if self._process.poll() is None:
            return True
        log.warning("aria2 ended by itself (code %s): it is started again", self._process.poll())
        return False

    def note_answer(self) -> None:
        """Delete the settings file with the secret, as aria2 has read it."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def end(self) -> None:
        """Ask it to end, then kill it."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(END_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.note_answer()

    def _start(self, settings: Path) -> subprocess.Popen[bytes]:
        # A session of its own, so that Ctrl+C does not reach it: we end it after its downloads.
        return subprocess.Popen(  # noqa: S603 - the program that the operator named
            [self._program, f"--conf-path={settings}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            cwd="/",
            start_new_session=True,
        )


def _write_settings(settings: Path, rpc: Rpc) -> None:
    """Write the settings to a private file, as all users can read the secret on a command line."""
    port = rpc.url.rpartition(":")[2].partition("/")[0]
    own = f"rpc-listen-port={port}\nrpc-secret={rpc.secret}\nstop-with-process={os.getpid()}\n"
    descriptor = os.open(settings, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(_OPTIONS + own)


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
