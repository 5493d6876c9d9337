"""One file from the queue to its place, killed before each thing it asks of the kernel.

    row queued ─▶ claimed ─▶ part ─▶ validator ─▶ bytes, synced ─▶ finalizing ─▶ rename ─▶ arrived

After each death nothing may be called complete that is not, and one more start must bring the
file whole, once, and leave nothing else behind. `SIDECAR_CRASH_POINTS=all` walks every point.
Without it fifty are taken, spread evenly over the calls that change a file or a folder: what
only reads leaves on the disk what the call before it left, and a start after it finds the same.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from tests.device.tracing import SOURCES, needs_strace
from tests.fakes.libraries.tiny import TONE_1, tiny_library
from tests.fakes.servers.demo import QUICK, device_of
from tests.faults.crashing import GO, WALKED_WITHIN_S, WALKS_ALL, prepare
from tests.patience import PATIENCE_S

pytestmark = [needs_strace, pytest.mark.slow, pytest.mark.timeout(WALKED_WITHIN_S)]

CALLS = (
    "openat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,write,writev,pwrite64,"
    "ftruncate,fallocate,fsync,fdatasync,sync_file_range,pread64,lseek,close,fcntl,newfstatat"
)
_CALL = re.compile(r"^(\w+)\((.*)")
_CHANGES = re.compile(r"(mkdir|rename|unlink|p?write|ftruncate|fallocate)|openat.*O_(CREAT|TRUNC)")
# Large enough for a durable point in the middle.
SIZE = 9 * 1024 * 1024
POINTS = 50


class Call(NamedTuple):
    """A call that was seen, and whether it may change what is on the disk."""

    name: str
    changes: bool


@dataclass(frozen=True)
class Death:
    """Before which call the sidecar is killed: the `when`-th of this name, from 1.

    With an error in `how` it lives, and that call is refused.
    """

    call: str
    when: int
    how: str = "signal=KILL"

    def __str__(self) -> str:
        return f"{self.call} {self.when} {self.how}"


class Nursery:
    """Forks sidecars and kills them."""

    def __init__(self, house: Path, template: Path, calls: str = CALLS) -> None:
        self.house = house
        self._calls = calls
        self._template = template
        self._trace = house.with_name("trace")
        self._process = subprocess.Popen(
            [sys.executable, "-B", "-m", "tests.faults.crashing"],
            cwd=SOURCES,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def close(self) -> None:
        self._process.communicate(timeout=PATIENCE_S)

    def begin(self) -> None:
        """Put the house back to where one file waits."""
        shutil.rmtree(self.house, ignore_errors=True)
        shutil.copytree(self._template, self.house)
        os.mkfifo(self.house / GO)

    def live(self, death: Death | None = None, *, watched: bool = False) -> tuple[int, list[Call]]:
        """Let a sidecar do its work; return its exit code and the calls that were seen."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{self.house}\n")
        self._process.stdin.flush()
        pid = self._process.stdout.readline().strip()
        strace = self._attach(pid, death) if death or watched else None
        (self.house / GO).write_text("x")
        code = int(self._process.stdout.readline())
        if strace is not None:
            strace.communicate(timeout=PATIENCE_S)
        told = self._trace.read_text() if strace else ""
        seen = [found for found in map(_CALL.match, told.splitlines()) if found]
        return code, [Call(one[1], _CHANGES.match(one[0]) is not None) for one in seen]

    def _attach(self, pid: str, death: Death | None) -> subprocess.Popen[str]:
        fault = (
            [] if death is None else ["-e", f"inject={death.call}:{death.how}:when={death.when}"]
        )
        strace = subprocess.Popen(
            # Into a file: nobody reads a pipe meanwhile, and a full one would stop everything.
            [
                *("strace", "-o", str(self._trace), "-p", pid),
                *("-e", f"trace={self._calls}", "-e", "signal=none", *fault),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert strace.stderr is not None
        assert "attached" in strace.stderr.readline()
        return strace


@pytest.fixture(scope="module")
def jellyfin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    folder = tiny_library(tmp_path_factory.mktemp("library"))
    (folder / TONE_1).write_bytes(random.Random(5).randbytes(SIZE))
    with DemoServer(folder, speaks=Version.V12_0, timing=QUICK) as server:
        yield server


@pytest.fixture(scope="module")
def body(jellyfin: DemoServer) -> bytes:
    ann = device_of(jellyfin, "ann")
    [song] = [
        one["Id"]
        for one in ann.get("/Items", recursive="true", includeItemTypes="Audio")["Items"]
        if one["Name"] == "Tone 1"
    ]
    ann.post(f"/UserFavoriteItems/{song}")
    answer = requests.get(
        f"{jellyfin.url}/Items/{song}/Download",
        headers={"Authorization": ann.header()},
        timeout=PATIENCE_S,
    )
    assert len(answer.content) == SIZE
    return answer.content


@pytest.fixture(scope="module")
def nursery(
    jellyfin: DemoServer, body: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Nursery]:
    assert body
    house = tmp_path_factory.mktemp("houses") / "house"
    prepare(house, jellyfin.url, "Tone 1")
    template = house.with_name("template")
    shutil.copytree(house, template)
    made = Nursery(house, template)
    yield made
    made.close()


def row(house: Path, scratch: Path) -> sqlite3.Row:
    """Read the download from a copy: to open the database itself would already mend it."""
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(house / "data", scratch)
    [file] = scratch.glob("*.db")
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        found: sqlite3.Row = connection.execute("SELECT * FROM downloads").fetchone()
        return found


def files(house: Path) -> dict[str, bytes]:
    """Return all that a person sees on the stick, and our parts."""
    root = house / "stick"
    found = [one for one in root.rglob("*") if one.is_file()]
    ours = {"device.json", "lock", "made.txt"}
    return {
        str(one.relative_to(root)): one.read_bytes()
        for one in found
        if not (one.parent.name == ".sidecar" and one.name in ours)
    }


def each(calls: Sequence[Call]) -> list[Death]:
    names = [call.name for call in calls]
    return [Death(name, names[: at + 1].count(name)) for at, name in enumerate(names)]


def chosen(calls: Sequence[Call]) -> list[Death]:
    deaths = each(calls)
    if WALKS_ALL:
        return deaths
    deaths = [death for death, call in zip(deaths, calls, strict=True) if call.changes]
    step = max(1.0, len(deaths) / POINTS)
    return [deaths[int(number * step)] for number in range(min(POINTS, len(deaths)))]


def test_killed_before_any_step_it_loses_nothing_and_lies_about_nothing(
    nursery: Nursery, body: bytes, tmp_path: Path
) -> None:
    nursery.begin()
    code, calls = nursery.live(watched=True)
    assert code == 0
    there = files(nursery.house)
    [path] = there
    assert there[path] == body

    killed = 0
    deaths = chosen(calls)
    assert len(deaths) > POINTS / 2
    for death in deaths:
        nursery.begin()
        code, _ = nursery.live(death)
        killed += code == -signal.SIGKILL
        told = row(nursery.house, tmp_path / "copy")
        if told["status"] == "completed":
            assert files(nursery.house).get(path) == body, f"{death}: complete, but not there"

        code, _ = nursery.live()

        assert code == 0, death
        told = row(nursery.house, tmp_path / "copy")
        assert (told["status"], told["file_size"]) == ("completed", SIZE), death
        assert files(nursery.house) == {path: body}, death
    assert killed >= len(deaths) * 0.9
