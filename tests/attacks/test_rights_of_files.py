"""What another account of the same machine could read of ours."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.assembly.store import DATABASE
from sidecar.config import DeviceSettings, JellyfinSettings, ServerSettings, Settings
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.process import private_files
from sidecar.runtime import Runtime
from sidecar.services.library.covers import CoverCache
from sidecar.store.database import Database
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import Answering, Reply, answering


@pytest.fixture(autouse=True)
def _generous_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def jellyfin() -> Iterator[Answering]:
    with answering() as server:
        yield server


def settings(data: Path, url: str, *devices: DeviceSettings) -> Settings:
    return Settings(
        jellyfin=JellyfinSettings(url=url),
        server=ServerSettings(data_dir=data, port=0),
        devices=devices,
    )


def open_to_others(folder: Path) -> dict[str, str]:
    """Return what others may do with a folder or something in it, by name."""
    return {
        path.name: oct(mode)
        for path in (folder, *folder.rglob("*"))
        if (mode := stat.S_IMODE(path.stat().st_mode)) & private_files.OTHERS
    }


def test_nobody_else_reads_the_data_folder_whoever_made_it(
    tmp_path: Path, clock: FakeClock, jellyfin: Answering
) -> None:
    data = tmp_path / "data"
    Database.open(data / DATABASE, clock=clock).close()
    # As systemd makes it, and as a person puts a backup back.
    data.chmod(0o755)
    shutil.copyfile(data / DATABASE, data / "copy")
    (data / "copy").replace(data / DATABASE)

    with Runtime(settings(data, jellyfin.url)) as running:
        assert running.url
        assert open_to_others(data) == {}
    assert open_to_others(data) == {}


def test_a_data_folder_with_a_device_in_it_lets_others_pass_to_that(
    tmp_path: Path, jellyfin: Answering
) -> None:
    data = tmp_path / "data"
    (data / "stick").mkdir(parents=True, mode=0o755)
    data.chmod(0o755)
    stick = DeviceSettings(name="Car stick", path=data / "stick")

    with Runtime(settings(data, jellyfin.url, stick)):
        pass

    assert data.stat().st_mode & 0o777 == 0o755
    assert {
        name for name in open_to_others(data) if name.startswith(("sidecar.", "token"))
    } == set()


def test_copies_of_the_database_and_covers_are_for_us_alone(
    tmp_path: Path, clock: FakeClock, jellyfin: Answering
) -> None:
    data = tmp_path / "data"
    db = Database.open(data / DATABASE, clock=clock)
    (data / "backups").mkdir(mode=0o755)
    db.back_up(clock)
    db.close()
    (data / "covers").mkdir(mode=0o777)
    jellyfin.routes[f"GET /Items/{'7' * 32}/Images/Primary"] = Reply(
        200, b"\x89PNG rest", {"Content-Type": "image/png"}
    )
    identity = DeviceIdentity(device_id="sidecar-test", version="1")
    client = Jellyfin(jellyfin.url, identity=identity, token=SecretStr("t"))
    cover = CoverCache(data / "covers").picture(client, "7" * 32, "tag", 96)

    assert cover.mime_type == "image/png"
    assert len(list((data / "covers").iterdir())) == 1
    assert open_to_others(data) == {}
