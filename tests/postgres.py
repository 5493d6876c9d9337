"""A PostgreSQL server for tests: Debian's, in a folder of its own, reached by a socket there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S

PROGRAMS = Path("/usr/lib/postgresql")
# Tests may be lost with the machine.
QUICK = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "jit": "off",
    "shared_buffers": "16MB",
    "max_connections": "60",
    "listen_addresses": "",
}
USER = "sidecar"


class Server:
    """A running server."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], address: str) -> None:
        self.folder = folder
        self._process = process
        self._address = address

    def url(self, name: str) -> str:
        return f"postgresql://{USER}@/{name}?host={self.folder}"

    def url_over_tcp(self, name: str) -> str:
        """The address for another host; only with an address to listen on."""
        return f"postgresql://{USER}@{self._address}/{name}"

    def make(self, name: str, *, like: str = "template0") -> str:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}"'.encode())
        return self.url(name)

    def run(self, name: str, sql: str) -> None:
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute(sql.encode())

    def drop(self, name: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def running(address: str = "", **changed: str) -> Iterator[Server]:
    """Run a server until the end; it is ended by its process, and leaves nothing behind.

    Args:
        address: Where it listens beside its socket, for everybody there.
        changed: Settings other than those for tests.
    """
    programs = max(PROGRAMS.glob("*/bin"), key=lambda one: int(one.parent.name))
    # It refuses to run as root.
    other = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    if other:
        shutil.chown(folder, **other)
    try:
        subprocess.run(
            [
                programs / "initdb",
                "-D",
                folder / "data",
                "-U",
                USER,
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "--no-instructions",
            ],
            check=True,
            capture_output=True,
            cwd=folder,
            **other,  # type: ignore[call-overload]
        )
        with (folder / "data" / "pg_hba.conf").open("a") as rights:
            rights.write("host all all samenet trust\n")
        chosen = QUICK | {"listen_addresses": address} | changed
        settings = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [programs / "postgres", "-D", folder / "data", "-k", folder, *settings],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **other,  # type: ignore[call-overload]
            )
        server = Server(folder, process, address)
        try:
            wait_until(server.answers)
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait(PATIENCE_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
