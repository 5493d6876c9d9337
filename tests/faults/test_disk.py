"""What a disk may do while a file is on its way: the whole chain, on real mounts.

Each ends as it must: one message, nothing deleted, nothing half, and once the disk is cured the
file comes whole, byte for byte. What only the device layer can show is in `tests/device`.
"""

from __future__ import annotations

import errno
import os
import random
import resource
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from sidecar.assembly.assembly import Assembly
from sidecar.assembly.store import DATABASE
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.device.folder import DeviceFolder
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Download, Status
from sidecar.services.health.problems import ProblemKind
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.stores import Stores
from tests.device.mounting import (
    breakable_disk,
    exfat_disk,
    mount,
    mount_memory,
    needs_root,
    unmount,
)
from tests.fakes.libraries.tiny import TONE_1, tiny_library
from tests.fakes.servers.demo import QUICK, device_of
from tests.fakes.servers.slow_line import SlowLine, wait_until
from tests.faults.crashing import opened, prepare
from tests.patience import PATIENCE_S

pytestmark = [needs_root, pytest.mark.slow]

MIB = 1024 * 1024
SIZE = 9 * MIB
BODY = random.Random(5).randbytes(SIZE)
SOME = 4 * MIB


@dataclass
class House:
    """A sidecar whose worker and keeper step when told, and a stick that is a mount."""

    services: Assembly
    store: Stores
    stick: Path
    line: SlowLine

    @property
    def download(self) -> Download:
        [found], _ = self.store.downloads.queries.page(DownloadFilter(), 1, 10)
        return found

    @property
    def trouble(self) -> str | None:
        found = self.services.accounts.problems.of(ProblemKind.DEVICE, self.download.device_id)
        return found.code if found else None

    @property
    def final(self) -> Path:
        return self.stick / self.download.file_path

    def interrupted_by(self, fault: Callable[[], object]) -> None:
        """Let the fault happen when a worker has some of the file, and waits for the rest."""
        self.line.hold_after(SOME)
        worker = self.services.transfers.new_worker()
        busy = Thread(target=self._work, args=(worker.step,))
        busy.start()
        wait_until(lambda: self._part_size() > MIB, what="a part of the file")
        fault()
        self.line.go_on()
        busy.join(PATIENCE_S)
        assert not busy.is_alive()

    def work(self) -> None:
        worker = self.services.transfers.new_worker()
        while worker.step():
            pass

    def comes_whole(self) -> None:
        self.services.background.housekeeping.step()
        self.work()
        assert self.download.status is Status.COMPLETED, self.download.error_message
        assert self.final.read_bytes() == BODY
        assert list((self.stick / ".sidecar" / "parts").iterdir()) == []

    def waits(self, code: str) -> None:
        """One message, and the row is where it was."""
        assert self.trouble == code
        assert self.download.status is Status.PENDING
        assert not self.services.transfers.new_worker().step()

    def _work(self, step: Callable[[], bool]) -> None:
        with self.store.db.thread():
            step()

    def _part_size(self) -> int:
        parts = list((self.stick / ".sidecar" / "parts").glob("*.part"))
        return parts[0].stat().st_size if parts else 0


@pytest.fixture(scope="module")
def jellyfin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    folder = tiny_library(tmp_path_factory.mktemp("library"))
    (folder / TONE_1).write_bytes(BODY)
    with DemoServer(folder, speaks=Version.V12_0, timing=QUICK) as server:
        ann = device_of(server, "ann")
        listed = ann.get("/Items", recursive="true", includeItemTypes="Audio")["Items"]
        [song] = [one["Id"] for one in listed if one["Name"] == "Tone 1"]
        ann.post(f"/UserFavoriteItems/{song}")
        yield server


@pytest.fixture
def line(jellyfin: DemoServer) -> Iterator[SlowLine]:
    with SlowLine(int(jellyfin.url.rpartition(":")[2])) as between:
        yield between


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "house"


@pytest.fixture
def house(place: Path, line: SlowLine) -> Iterator[House]:
    """On a tmpfs of 32 MiB that is mounted where the stick was prepared."""
    prepared(place, line)
    mount_memory(place / "stick", options="size=32m")
    with lived_in(place, line) as house:
        yield house
    while os.path.ismount(place / "stick"):
        unmount(place / "stick")


def prepared(place: Path, line: SlowLine) -> Path:
    """Let one file wait for a stick, and give the empty place where that is mounted."""
    prepare(place, f"http://127.0.0.1:{line.port}", "Tone 1")
    for left in sorted((place / "stick").rglob("*"), reverse=True):
        left.unlink() if left.is_file() else left.rmdir()
    return place / "stick"


@contextmanager
def lived_in(place: Path, line: SlowLine) -> Iterator[House]:
    """On what is mounted at the stick's place: the same stick, as far as its marker tells."""
    with closing(sqlite3.connect(place / "data" / DATABASE)) as db:
        [(device_id,)] = db.execute("SELECT id FROM devices").fetchall()
    write_marker(place / "stick", Marker(device_id, "Car stick"))
    with opened(place) as (services, store):
        yield House(services, store, place / "stick", line)


def fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * MIB)


def test_d01_a_stick_that_fills_up_keeps_what_came_and_goes_on_when_there_is_room(
    place: Path, line: SlowLine, tmp_path: Path
) -> None:
    with exfat_disk(prepared(place, line), tmp_path / "image"), lived_in(place, line) as house:
        filler = house.stick / "holiday.mov"
        house.interrupted_by(lambda: fill(filler))

        assert house.trouble == "full"
        assert house.download.status is Status.PENDING
        filler.unlink()
        house.comes_whole()


def test_d02_a_stick_that_is_full_before_is_not_begun(house: House) -> None:
    fill(house.stick / "holiday.mov")

    house.work()

    assert house.download.status is Status.PENDING
    assert house.download.bytes_downloaded == 0
    (house.stick / "holiday.mov").unlink()
    house.comes_whole()


def test_d06_a_disk_that_turns_read_only_stops_with_one_message_until_it_is_mended(
    place: Path, line: SlowLine, tmp_path: Path
) -> None:
    with (
        breakable_disk(prepared(place, line), tmp_path / "image") as damage,
        lived_in(place, line) as house,
    ):
        house.interrupted_by(lambda: damage.write_text("found by a test"))

        house.waits("read-only")
        assert not house.final.exists()


def test_d07_a_disk_whose_driver_dies_stops_with_one_message(
    place: Path, line: SlowLine, tmp_path: Path
) -> None:
    stick = prepared(place, line)
    with exfat_disk(stick, tmp_path / "image"), lived_in(place, line) as house:
        house.interrupted_by(lambda: os.kill(driver_of(stick), signal.SIGKILL))

        assert house.trouble is not None
        assert house.download.status is Status.PENDING
        assert not house.services.transfers.new_worker().step()


def driver_of(mount_point: Path) -> int:
    """The process that serves a FUSE mount."""
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if str(mount_point).encode() in (process / "cmdline").read_bytes().split(b"\0"):
                return int(process.name)
    raise AssertionError(f"nobody serves {mount_point}")


def fail_once_named(house: House, patch: pytest.MonkeyPatch, fault: Callable[[], object]) -> None:
    """Let the sync of the file fail that comes after its rename, once, and something happen."""
    sync = os.fsync

    def fail(handle: int) -> None:
        if house.final.exists() and os.path.samestat(os.fstat(handle), house.final.stat()):
            patch.setattr(os, "fsync", sync)
            fault()
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(handle)

    patch.setattr(os, "fsync", fail)


def fail_oddly(*_given: object) -> None:
    raise ZeroDivisionError


def is_there_once(house: House) -> bool:
    """Whether one file came, under its own name, and there is no other."""
    files = [one for one in house.stick.rglob("*.flac") if one.is_file()]
    return files == [house.final] and "[" not in house.final.name


def test_d08_a_file_that_fails_after_its_rename_does_not_come_beside_itself(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_once_named(house, monkeypatch, lambda: None)

    house.work()

    assert house.trouble == "broken"
    assert house.download.status is Status.DOWNLOADING
    house.services.background.housekeeping.step()
    house.comes_whole()
    assert is_there_once(house)


def test_d10_a_stick_that_is_pulled_out_after_a_rename_has_the_file_once_when_it_is_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = house.stick / ".sidecar" / "device.json"
    fail_once_named(house, monkeypatch, lambda: marker.rename(marker.with_name("away")))

    house.work()
    house.services.background.housekeeping.step()

    assert house.trouble == "no-marker"
    marker.with_name("away").rename(marker)
    house.comes_whole()
    assert is_there_once(house)


def test_d02_d04_a_stick_without_room_for_a_name_after_a_crash_is_there_and_says_so(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crash:
        crash.setattr(DeviceFolder, "finish_all", fail_oddly)
        with suppress(ZeroDivisionError):
            house.work()
    assert house.download.finalizing
    marker = house.stick / ".sidecar" / "device.json"
    marker.rename(marker.with_name("away"))
    house.services.background.housekeeping.step()
    assert house.trouble == "no-marker"
    marker.with_name("away").rename(marker)
    facts = os.statvfs(house.stick)
    mount("-o", f"remount,size=32m,nr_inodes={facts.f_files - facts.f_ffree}", str(house.stick))

    for _ in range(2):
        house.services.background.housekeeping.step()

        assert house.services.devices.registry.ids_there() == [house.download.device_id]
        assert house.trouble == "full"
        assert house.download.finalizing
    mount("-o", "remount,size=32m,nr_inodes=1000", str(house.stick))
    house.services.background.housekeeping.step()
    house.comes_whole()
    assert is_there_once(house)


def test_b07_a_file_whose_arrival_the_database_cannot_note_does_not_come_beside_itself(
    house: House,
) -> None:
    with closing(sqlite3.connect(house.store.db.path)) as other:
        other.execute(
            "CREATE TRIGGER refuse BEFORE UPDATE ON downloads WHEN NEW.status = 'completed'"
            " BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
        )
        house.work()
        assert house.download.status is Status.DOWNLOADING
        assert house.final.exists()
        other.execute("DROP TRIGGER refuse")

    house.comes_whole()

    assert is_there_once(house)


def test_d10_a_stick_that_is_pulled_out_while_it_is_written_to(house: House) -> None:
    house.interrupted_by(lambda: unmount(house.stick))

    house.waits("no-marker")
    assert list(house.stick.iterdir()) == [], "something was written where the stick was"


def test_d11_nothing_is_written_under_an_empty_mount_point(house: House) -> None:
    unmount(house.stick)
    before = sorted(house.stick.rglob("*"))

    house.services.background.housekeeping.step()
    house.work()

    house.waits("no-marker")
    assert sorted(house.stick.rglob("*")) == before


def test_d12_another_stick_at_the_place_gets_nothing(house: House) -> None:
    unmount(house.stick)
    mount_memory(house.stick, options="size=32m")
    write_marker(house.stick, Marker("99999999-9999-4999-8999-999999999999", "Another"))

    house.services.background.housekeeping.step()
    house.work()

    house.waits("other-device")
    assert [one.name for one in house.stick.iterdir()] == [".sidecar"]


@pytest.mark.parametrize("kind", ["folder", "link", "pipe", "file"])
def test_d25_d26_what_lies_where_the_file_goes_is_left_alone(
    house: House, tmp_path: Path, kind: str
) -> None:
    planted, outside = house.final, tmp_path / "outside"
    planted.parent.mkdir(parents=True)
    outside.write_bytes(b"theirs")
    match kind:
        case "folder":
            planted.mkdir()
        case "link":
            planted.symlink_to(outside)
        case "pipe":
            os.mkfifo(planted)
        case _:
            planted.write_bytes(b"theirs")
    before = planted.lstat()

    house.comes_whole()

    assert house.final != planted
    assert os.path.samestat(planted.lstat(), before)
    assert outside.read_bytes() == b"theirs"


def test_d23_a_linked_folder_on_the_way_is_not_followed(house: House, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (house.stick / Path(house.download.file_path).parts[0]).symlink_to(outside)

    house.work()

    assert list(outside.iterdir()) == []
    assert house.download.status is not Status.COMPLETED or house.final.read_bytes() == BODY


def test_what_the_database_did_not_let_go_is_queued_again_and_comes(house: House) -> None:
    """Its worker has ended, and could not write that."""
    assert house.store.downloads.queue.claim_together(datetime.now(UTC), at_most=1)

    house.comes_whole()


def test_d14_a_file_that_the_disk_cannot_hold_fails_alone_and_leaves_nothing(house: House) -> None:
    """As on a FAT behind a network share, whose limit nobody tells."""
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SOME, unlimited[1]))
    try:
        house.work()
        house.services.background.housekeeping.step()
        house.work()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)

    assert (house.download.status, house.download.error_code) == (Status.FAILED, "too-big")
    assert house.download.error_message == "Car stick cannot hold a file this big"
    assert house.trouble is None
    assert list((house.stick / ".sidecar" / "parts").iterdir()) == []
