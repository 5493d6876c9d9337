from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.device.folder import DeviceFolder
from sidecar.device.own.marker import Marker, find_marker, write_marker
from sidecar.device.root import DeviceRoot
from sidecar.errors import AlreadyRunning, DeviceError
from tests.device.examples import NAME, OTHER, STICK, everything, filled, made, remove
from tests.device.mounting import breakable_disk, mount, mount_memory, needs_root, unmount
from tests.device.tracing import SOURCES
from tests.patience import PATIENCE_S

HOLD = """
import sys, time
from pathlib import Path
from sidecar.device.folder import DeviceFolder
DeviceFolder(Path(sys.argv[1]), sys.argv[2], name="Car stick").attach()
print("attached", flush=True)
time.sleep(60)
"""


def open_handles() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(DeviceError) as trouble:
        call()
    assert NAME in str(trouble.value)
    return trouble.value.code


def test_a_device_that_was_made_can_be_used_again_and_again(root: Path) -> None:
    for _ in range(3):
        folder = made(root)
        folder.check()
        folder.close()

    assert everything(root) == {}


def test_an_ordinary_folder_is_not_a_device_and_is_left_alone(root: Path) -> None:
    assert code_of(DeviceFolder(root, STICK, name=NAME).attach) == "no-marker"
    assert list(root.iterdir()) == []


def test_another_device_at_the_place_is_not_touched(root: Path) -> None:
    made(root, OTHER).close()
    before = sorted(root.rglob("*"))

    assert code_of(DeviceFolder(root, STICK, name=NAME).attach) == "other-device"
    assert sorted(root.rglob("*")) == before


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_a_device_without_a_folder_is_missing(root: Path, name: str) -> None:
    (root / "file").write_bytes(b"")

    assert code_of(DeviceFolder(root / name, STICK, name=NAME).attach) == "missing"


def test_nothing_is_done_before_it_is_attached_or_after_it_is_closed(root: Path) -> None:
    folder = DeviceFolder.create(root, device_id=STICK, name=NAME)

    assert code_of(folder.check) == "missing"
    folder.attach()
    folder.close()
    folder.close()
    assert code_of(lambda: folder.part(1).open()) == "missing"
    assert code_of(folder.space) == "missing"


def test_a_second_sidecar_is_refused_and_the_first_is_not_disturbed(
    root: Path, folder: DeviceFolder
) -> None:
    second = DeviceFolder(root, STICK, name=NAME)

    with pytest.raises(AlreadyRunning, match="Car stick"):
        second.attach()

    folder.check()
    folder.close()
    second.attach()
    second.close()


def test_the_lock_of_a_killed_sidecar_is_free_at_once(root: Path) -> None:
    folder = made(root)
    folder.close()
    arguments = [sys.executable, "-c", HOLD, str(root), STICK]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=SOURCES) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"attached\n"
        with pytest.raises(AlreadyRunning):
            folder.attach()

        holder.send_signal(signal.SIGKILL)
        holder.wait(timeout=PATIENCE_S)

        folder.attach()
        folder.close()


def test_a_lock_that_is_a_link_is_not_followed(root: Path, outside: Path) -> None:
    folder = DeviceFolder.create(root, device_id=STICK, name=NAME)
    (root / ".sidecar" / "lock").symlink_to(outside / "made")

    with pytest.raises(DeviceError):
        folder.attach()

    assert not (outside / "made").exists()


def test_a_folder_that_was_deleted_and_made_again_must_be_attached_again(
    root: Path, folder: DeviceFolder
) -> None:
    root.rename(root.with_name("old"))
    assert code_of(folder.check) == "missing"
    root.mkdir()
    assert code_of(folder.check) == "no-marker"
    DeviceFolder.create(root, device_id=STICK, name=NAME)
    assert code_of(folder.check) == "missing"

    folder.attach()

    folder.check()


def test_a_marker_that_was_written_over_is_read_again(root: Path, folder: DeviceFolder) -> None:
    marker = root / ".sidecar" / "device.json"
    folder.check()

    marker.write_text(marker.read_text().replace(STICK, OTHER))

    assert code_of(folder.check) == "other-device"
    marker.write_text(marker.read_text().replace(OTHER, STICK))
    folder.check()


def test_a_marker_that_became_a_link_to_itself_is_nobodys(
    root: Path, folder: DeviceFolder, outside: Path
) -> None:
    marker = root / ".sidecar" / "device.json"
    folder.check()

    marker.rename(outside / "device.json")
    marker.symlink_to(outside / "device.json")

    assert code_of(folder.check) == "no-marker"


def test_a_device_that_is_closed_while_it_is_used_stays_open_for_who_uses_it(root: Path) -> None:
    before = open_handles()
    anchor = DeviceRoot(root, STICK, name=NAME)
    made(root).close()
    anchor.attach()

    with anchor.translate_errors() as handle:
        anchor.close()
        assert [one.name for one in os.scandir(handle)] == [".sidecar"]

    assert open_handles() == before


def test_no_handle_is_left_open(root: Path) -> None:
    before = open_handles()
    folder = made(root)
    filled(folder, 1, b"x")
    folder.finish(folder.part(1), "A/B/c.flac")
    with pytest.raises(AlreadyRunning):
        DeviceFolder(root, STICK, name=NAME).attach()
    shutil.rmtree(root / ".sidecar" / "parts")
    with pytest.raises(DeviceError):
        folder.finish(folder.part(2), "A/B/d.flac")
    remove(folder, "A/B/c.flac", size=1)
    folder.close()
    with pytest.raises(DeviceError):
        DeviceFolder(root, OTHER, name=NAME).attach()

    assert open_handles() == before


@needs_root
def test_nothing_is_written_under_an_empty_mount_point(mount_point: Path) -> None:
    mount_memory(mount_point)
    folder = made(mount_point)
    folder.finish(filled(folder, 1, b"song"), "A/b.flac")
    part = filled(folder, 2, b"song")

    unmount(mount_point)

    assert code_of(folder.check) == "no-marker"
    assert code_of(lambda: folder.stat("A/c.flac")) == "no-marker"
    assert code_of(lambda: remove(folder, "A/b.flac", size=4)) == "no-marker"
    folder.finish(part, "A/c.flac")
    assert list(mount_point.iterdir()) == []
    folder.close()


@needs_root
def test_another_stick_at_the_same_place_is_told_apart(mount_point: Path) -> None:
    mount_memory(mount_point)
    folder = made(mount_point)
    unmount(mount_point)
    mount_memory(mount_point)
    DeviceFolder.create(mount_point, device_id=OTHER, name="Other stick")

    assert code_of(folder.check) == "other-device"
    folder.close()
    assert everything(mount_point) == {}


@needs_root
def test_the_same_stick_put_back_is_attached_anew(mount_point: Path) -> None:
    mount_memory(mount_point)
    folder = made(mount_point)
    unmount(mount_point)
    mount_memory(mount_point)
    DeviceFolder.create(mount_point, device_id=STICK, name=NAME)

    assert code_of(folder.check) == "missing"
    folder.attach()
    folder.check()
    folder.close()


@needs_root
def test_a_read_only_stick_is_told_at_once(mount_point: Path) -> None:
    mount_memory(mount_point)
    folder = DeviceFolder.create(mount_point, device_id=STICK, name=NAME)
    mount("-o", "remount,ro", str(mount_point))

    assert code_of(folder.attach) == "read-only"


@needs_root
def test_a_disk_that_turns_read_only_after_damage_stops_until_it_is_mended(
    mount_point: Path, tmp_path: Path
) -> None:
    with breakable_disk(mount_point, tmp_path / "disk") as break_it:
        folder = made(mount_point)
        folder.check()
        if not break_it.exists():
            pytest.skip("this kernel cannot be told to find damage")
        break_it.write_text("on purpose")

        codes = {code_of(lambda: folder.part(1).open()), code_of(folder.check)}

        folder.close()
        assert codes <= {"read-only", "broken"}


@needs_root
def test_a_full_stick_stays_stopped_until_there_is_room_and_can_be_emptied(
    mount_point: Path,
) -> None:
    mount_memory(mount_point, options="size=1m")
    folder = made(mount_point)
    folder.finish(filled(folder, 1, bytes(300_000)), "A/b.flac")
    (mount_point / "films").write_bytes(bytes(folder.space().free))

    with folder.part(2).open() as file, pytest.raises(OSError, match="No space"):
        file.write(b"song")

    folder.require_write_test()

    assert folder.space().free == 0
    assert code_of(folder.check) == "full"
    assert code_of(folder.check) == "full"
    assert remove(folder, "A/b.flac", size=300_000)
    folder.check()
    folder.close()


@needs_root
def test_a_stick_that_holds_no_more_files_is_full_whatever_room_it_has(mount_point: Path) -> None:
    mount_memory(mount_point, options="size=4m,nr_inodes=8")
    folder = made(mount_point)
    part = filled(folder, 1, b"song")
    for number in range(8 - 6):
        (mount_point / f"film {number}").write_bytes(b"")

    assert folder.space().free == 0
    assert code_of(lambda: folder.finish(part, "A/b.flac")) == "full"
    assert code_of(folder.check) == "full"
    (mount_point / "film 0").unlink()
    folder.check()
    folder.close()


def test_a_marker_that_is_replaced_right_after_it_was_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_marker(tmp_path, Marker(STICK, NAME))
    folder = DeviceFolder(tmp_path, STICK, name=NAME)

    def find(handle: int, name: str) -> Marker | None:
        monkeypatch.undo()
        found = find_marker(handle, name)
        write_marker(tmp_path, Marker(OTHER, "Another"))
        return found

    monkeypatch.setattr("sidecar.device.root.find_marker", find)
    folder.attach()

    assert code_of(folder.check) == "other-device"
    folder.close()
