"""A Redis server for tests: Debian's, on a socket in a folder of its own."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from pydantic import SecretStr

from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S

# The package redis-server would start one on the machine; this is the same program.
PROGRAM = "/usr/bin/redis-check-rdb"
PASSWORD = "gnu-1984-canary"


class Server:
    """A server that can be stopped and started again at the same address."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder = folder
        self._listening = ("--bind", address) if address else ("--port", "0")
        self._process: subprocess.Popen[bytes] | None = None
        self.url = SecretStr(f"unix://:{PASSWORD}@{folder}/redis.sock")
        self.url_over_tcp = SecretStr(f"redis://:{PASSWORD}@{address}:6379/0")

    def start(self) -> None:
        socket, log = self._folder / "redis.sock", (self._folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                ["redis-server", *self._listening, "--unixsocket", socket, "--save", "",
                 "--requirepass", PASSWORD, "--dir", self._folder],
                executable=PROGRAM, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        wait_until(self._answers)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_S)
            self._process = None

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url.get_secret_value())

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


@contextmanager
def running(address: str = "") -> Iterator[Server]:
    """Run a server until the end, also at an address beside its socket; it leaves nothing."""
    folder = Path(tempfile.mkdtemp(prefix="redis-", dir="/tmp"))
    server = Server(folder, address)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
