"""One file that is converted on its way, killed before each thing it asks of the kernel.

    … bytes, synced ─▶ ffmpeg ─▶ checked, synced ─▶ extension ─▶ finalizing ─▶ rename ─▶ arrived

As `test_crash_walk`, with a device that wants Opus and keeps originals: never half a file, of
neither kind, and no ffmpeg that outlives the sidecar.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import xxhash

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.domain.formats.formats import Format
from tests.device.tracing import needs_strace
from tests.fakes.libraries.tiny import TONE_1, tiny_library
from tests.fakes.media.mutagens import OggOpus
from tests.fakes.media.sounds import sound
from tests.fakes.servers.demo import QUICK, device_of
from tests.faults.crashing import WALKED_WITHIN_S, WALKS_ALL, prepare
from tests.faults.test_crash_walk import Death, Nursery, chosen, files, row

pytestmark = [needs_strace, pytest.mark.slow, pytest.mark.timeout(WALKED_WITHIN_S)]

POINTS = 10
SECONDS = 2.0


@pytest.fixture(scope="module")
def jellyfin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    folder = tiny_library(tmp_path_factory.mktemp("library"))
    sound(folder / TONE_1, "-f", "flac", seconds=SECONDS)
    with DemoServer(folder, speaks=Version.V12_0, timing=QUICK) as server:
        ann = device_of(server, "ann")
        songs = ann.get("/Items", recursive="true", includeItemTypes="Audio")["Items"]
        [song] = [one["Id"] for one in songs if one["Name"] == "Tone 1"]
        ann.post(f"/UserFavoriteItems/{song}")
        yield server


@pytest.fixture(scope="module")
def nursery(jellyfin: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    house = tmp_path_factory.mktemp("houses") / "house"
    prepare(house, jellyfin.url, "Tone 1", Format.OPUS)
    template = house.with_name("template")
    shutil.copytree(house, template)
    made = Nursery(house, template)
    yield made
    made.close()


def some(deaths: list[Death]) -> list[Death]:
    """The last ones are after the bytes have come: that is where this differs."""
    if WALKS_ALL:
        return deaths
    late = deaths[len(deaths) // 3 :]
    step = max(1.0, len(late) / POINTS)
    return [late[int(number * step)] for number in range(int(len(late) / step))]


def test_killed_before_any_step_there_is_one_whole_file_or_none(
    nursery: Nursery, tmp_path: Path
) -> None:
    nursery.begin()
    code, calls = nursery.live(watched=True)
    assert code == 0
    original, path = sorted(files(nursery.house))
    assert original.endswith(".original")
    assert path.endswith(".opus")

    killed = 0
    deaths = some(chosen(calls))
    for death in deaths:
        nursery.begin()
        code, _ = nursery.live(death)
        killed += code == -signal.SIGKILL
        told = row(nursery.house, tmp_path / "copy")
        if told["status"] == "completed":
            assert xxhash.xxh3_128_hexdigest(files(nursery.house)[path]) == told["content_hash"]

        code, _ = nursery.live()

        assert code == 0, death
        told = row(nursery.house, tmp_path / "copy")
        there = files(nursery.house)
        assert (told["status"], told["file_path"]) == ("completed", path), death
        assert sorted(there) == [original, path], death
        assert xxhash.xxh3_128_hexdigest(there[original]) == told["source_hash"], death
        assert told["file_size"] == len(there[path]) < told["source_size"], death
        assert told["content_hash"] == xxhash.xxh3_128_hexdigest(there[path]), death
        made = OggOpus(nursery.house / "stick" / path)
        assert made.info.length == pytest.approx(SECONDS, abs=0.1), death
    assert killed >= len(deaths) * 0.8
