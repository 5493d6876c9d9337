"""Files that are finished together, killed before each thing that the group asks of the kernel.

    n parts whole ─▶ one commit: finalizing ─▶ n renames ─▶ n + 1 syncs ─▶ one commit: arrived

As `test_crash_walk`, for each file of the group: what is called complete is there, and one more
start brings all of them whole, each once. `SIDECAR_CRASH_POINTS=all` walks every point.
"""

from __future__ import annotations

import shutil
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from tests.device.tracing import needs_strace
from tests.fakes.libraries.tiny import listing, track, write
from tests.fakes.servers.demo import QUICK, device_of
from tests.faults.crashing import WALKED_WITHIN_S, WALKS_ALL, prepare_group
from tests.faults.test_crash_walk import Call, Death, Nursery, each, files

pytestmark = [needs_strace, pytest.mark.slow, pytest.mark.timeout(WALKED_WITHIN_S)]

# Points in all, by the size of the group.
POINTS = {2: 8, 20: 12}
RENAME = "renameat2"
# The group's first rename comes after its commit.
COMMIT = 20
ALBUM = "Music/The Sine Waves/Many Tones (2020)"


@pytest.fixture(scope="module")
def jellyfin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    tracks = [track(ALBUM, number, f"A{number:02d}") for number in range(1, 22)]
    listed = {**listing(), "tracks": tracks, "covers": {}, "playlists": []}
    folder = write(tmp_path_factory.mktemp("library"), listed)
    with DemoServer(folder, speaks=Version.V12_0, timing=QUICK) as server:
        ann = device_of(server, "ann")
        for song in ann.get("/Items", recursive="true", includeItemTypes="Audio")["Items"]:
            if song["Name"].startswith("A"):
                ann.post(f"/UserFavoriteItems/{song['Id']}")
        yield server


@pytest.fixture(params=POINTS, ids=lambda count: f"{count} files")
def count(request: pytest.FixtureRequest) -> int:
    found: int = request.param
    return found


@pytest.fixture
def nursery(jellyfin: DemoServer, count: int, tmp_path: Path) -> Iterator[Nursery]:
    house = tmp_path / "house"
    prepare_group(house, jellyfin.url, count)
    template = house.with_name("template")
    shutil.copytree(house, template)
    made = Nursery(house, template)
    yield made
    made.close()


def rows(house: Path, scratch: Path) -> Sequence[tuple[str, str, int]]:
    """Read path, status and size of all downloads from a copy of the database."""
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(house / "data", scratch)
    [file] = scratch.glob("*.db")
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return connection.execute("SELECT file_path, status, file_size FROM downloads").fetchall()


def of_the_group(calls: Sequence[Call], count: int) -> Sequence[Death]:
    deaths = each(calls)
    renames = [at for at, call in enumerate(calls) if call.name == RENAME]
    assert len(renames) == count + 1
    # It is a group: all of them were fetched before the first one was renamed.
    assert "write" not in {call.name for call in calls[renames[1] : renames[-1]]}
    deaths = deaths[renames[1] - COMMIT :]
    if WALKS_ALL:
        return deaths
    step = max(1.0, len(deaths) / POINTS[count])
    return [deaths[int(number * step)] for number in range(int(len(deaths) / step))]


def test_killed_at_any_step_of_a_group_each_file_is_as_if_it_were_alone(
    nursery: Nursery, count: int, tmp_path: Path
) -> None:
    nursery.begin()
    code, calls = nursery.live(watched=True)
    assert code == 0
    whole = files(nursery.house)
    assert len(whole) == count + 1
    assert all(whole.values())

    killed = 0
    deaths = of_the_group(calls, count)
    for death in deaths:
        nursery.begin()
        code, _ = nursery.live(death)
        killed += code == -signal.SIGKILL
        there = files(nursery.house)
        for path, status, _ in rows(nursery.house, tmp_path / "copy"):
            if status == "completed":
                assert there.get(path) == whole[path], f"{death}: {path} complete, but not there"

        code, _ = nursery.live()

        assert code == 0, death
        found = {
            path: (status, size) for path, status, size in rows(nursery.house, tmp_path / "copy")
        }
        assert found == {path: ("completed", len(body)) for path, body in whole.items()}, death
        assert files(nursery.house) == whole, death
    assert killed >= len(deaths) * 0.9
