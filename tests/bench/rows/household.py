"""The large household, opened: on a copy of its database, in this process or as a sidecar."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from sidecar.assembly.assembly import Assembly, assemble
from sidecar.assembly.store import DATABASE
from sidecar.clock import SystemClock
from sidecar.events import Bus
from sidecar.store.database import Database
from sidecar.store.stores import Stores
from tests.bench.rows.large import DEVICES, Household, settings_of
from tests.fakes.servers.slow_line import wait_until
from tests.fakes.servers.syncthings import free_port


@contextmanager
def copied(household: Household) -> Iterator[Path]:
    """Yield a data folder of its own, with a copy of the database and of the key."""
    folder = Path(tempfile.mkdtemp(prefix="copy-", dir=household.folder))
    try:
        for one in (household.folder / "data").iterdir():
            if one.name == DATABASE:
                with (
                    closing(sqlite3.connect(one)) as there,
                    closing(sqlite3.connect(folder / DATABASE)) as here,
                ):
                    there.backup(here)
            elif one.suffix == ".key":
                shutil.copy(one, folder)
        # As a sidecar that was stopped leaves it.
        Database.open(folder / DATABASE, clock=SystemClock()).close()
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def opened(household: Household, bus: Bus | None = None) -> Iterator[tuple[Assembly, Stores]]:
    """Yield all of the sidecar but its threads, with the devices attached."""
    with copied(household) as folder:
        clock, bus = SystemClock(), bus or Bus()
        settings = settings_of(household.folder, data=folder)
        with closing(Database.open(folder / DATABASE, clock=clock)) as db:
            store = Stores(db, bus, clock)
            services = assemble(settings, store, bus, clock, lambda: True)
            services.devices.registry.look(settle=lambda _device: None)
            try:
                yield services, store
            finally:
                services.devices.registry.close()


@dataclass(frozen=True, slots=True)
class Sidecar:
    """One that runs as a process of its own.

    Attributes:
        first_page_cpu_s: CPU time until the first page of the application was given.
        started_s: From its start to the first answer of `/health`.
    """

    process: subprocess.Popen[bytes]
    url: str
    port: int
    first_page_cpu_s: float
    started_s: float

    @property
    def pid(self) -> int:
        return self.process.pid

    def end(self) -> None:
        """Ask it to stop and wait until it has."""
        self.process.terminate()
        self.process.wait(30)


@contextmanager
def running(household: Household, *, jellyfin: str = "http://127.0.0.1:9") -> Iterator[Sidecar]:
    """Yield a whole sidecar; nobody answers at that address, so it fetches nothing."""
    with copied(household) as folder:
        port = free_port()
        devices = [
            {"name": one, "path": str(household.folder / "devices" / one)} for one in DEVICES
        ]
        settings = {
            "SIDECAR_JELLYFIN__URL": jellyfin,
            "SIDECAR_SERVER__PORT": str(port),
            "SIDECAR_SERVER__DATA_DIR": str(folder),
            "SIDECAR_DEVICES": json.dumps(devices),
            "SIDECAR_LOG__LEVEL": "ERROR",
        }
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "sidecar", "run"],
            env=with_bytecode() | settings,
            stdout=subprocess.DEVNULL,
        )
        try:
            wait_until(lambda: _gives_pages(port), what="the first page", within_s=120)
            taken = cpu(process.pid)
            wait_until(lambda: _is_healthy(port), what="a sidecar that answers", within_s=120)
            took = time.monotonic() - began
            yield Sidecar(process, f"http://127.0.0.1:{port}", port, taken, took)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(30)


def with_bytecode() -> dict[str, str]:
    """Return an environment in which Python keeps its bytecode, as an installed program has it."""
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "sidecar-bytecode")}


def get(line: HTTPConnection, path: str, cookie: str | None = None) -> bytes:
    """Fetch a page on a connection that stays open."""
    line.request("GET", path, headers={"Cookie": f"sidecar_session={cookie}"} if cookie else {})
    answer = line.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
    return body


def a_device(line: HTTPConnection, cookie: str) -> str:
    """Return the id of one of the devices, once its files have been looked at after the start."""

    def read() -> dict[str, object]:
        first: dict[str, object] = json.loads(get(line, "/api/v1/devices", cookie))["items"][0]
        return first

    wait_until(lambda: read()["trouble"] is None, what="a device to look at", within_s=120)
    return str(read()["id"])


def _gives_pages(port: int) -> bool:
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as line:
        try:
            # While it starts, this address has a page that says so.
            return b'name="password"' in get(line, "/sign-in")
        except (OSError, RuntimeError):
            return False


def cpu(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _is_healthy(port: int) -> bool:
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as line:
        try:
            return bool(get(line, "/health"))
        except (OSError, RuntimeError):
            return False
