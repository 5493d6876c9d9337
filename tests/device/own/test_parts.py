from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sidecar.device.folder import DeviceFolder
from sidecar.errors import DeviceError
from tests.device.examples import everything, filled


def parts(root: Path) -> Path:
    place = root / ".sidecar" / "parts"
    place.mkdir(exist_ok=True)
    return place


def test_a_part_is_hidden_on_the_device_and_written_at_once(
    root: Path, folder: DeviceFolder
) -> None:
    part = folder.part(17)

    with part.open() as file:
        file.write(b"half")
        assert part.size() == 4

    assert part.path == parts(root) / "17.part"
    assert part.path.read_bytes() == b"half"
    assert everything(root) == {}


def test_a_part_is_taken_up_where_it_was(folder: DeviceFolder) -> None:
    filled(folder, 17, b"half a")

    with folder.part(17).open() as file:
        assert file.read() == b"half a"
        file.write(b" song")
        file.seek(0)
        assert file.read() == b"half a song"


def test_a_part_that_is_not_there_has_no_size_and_needs_no_removal(folder: DeviceFolder) -> None:
    assert folder.part(17).size() is None
    folder.part(17).remove()


def test_a_removed_part_is_gone(root: Path, folder: DeviceFolder) -> None:
    filled(folder, 17, b"half").remove()

    assert list(parts(root).iterdir()) == []


def test_parts_work_though_somebody_removed_their_folder(root: Path, folder: DeviceFolder) -> None:
    filled(folder, 3, b"")
    shutil.rmtree(parts(root))

    assert folder.part(17).size() is None
    folder.part(17).remove()
    assert folder.parts() == []
    assert filled(folder, 17, b"half").size() == 4


def test_without_its_marker_a_device_is_neither_read_nor_written(
    root: Path, folder: DeviceFolder
) -> None:
    (root / ".sidecar").rename(root / "hidden")

    for call in (folder.part(17).size, folder.part(17).open, folder.parts):
        with pytest.raises(DeviceError) as trouble:
            call()
        assert trouble.value.code == "no-marker"
    assert not (root / ".sidecar").exists()


def test_only_our_own_names_are_parts(root: Path, folder: DeviceFolder) -> None:
    for download_id in (3, 17):
        filled(folder, download_id, b"")
    foreign = ["007.part", "x.part", "-1.part", "17.part.bak", "17", ".part", "\u0661.part"]
    foreign += [f"{10**19}.part", f"{10**200}.part"]
    for name in foreign:
        (parts(root) / name).write_bytes(b"")

    found = folder.parts()

    assert [part.download_id for part in found] == [3, 17]
    for part in found:
        part.remove()
    assert {path.name for path in parts(root).iterdir()} == set(foreign)


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "second name", "folder"])
def test_what_was_planted_at_a_part_is_taken_away_never_written_through(
    root: Path, folder: DeviceFolder, outside: Path, kind: str
) -> None:
    place = parts(root) / "17.part"
    precious = outside / "precious"
    match kind:
        case "link":
            place.symlink_to(precious)
        case "dangling link":
            place.symlink_to(outside / "made")
        case "pipe":
            os.mkfifo(place)
        case "second name":
            place.hardlink_to(precious)
        case _:
            place.mkdir()

    assert folder.part(17).size() is None
    part = filled(folder, 17, b"song")

    assert part.size() == 4
    assert everything(outside) == {"precious": b"precious"}


def test_a_second_name_of_a_file_goes_without_harm_to_the_first(
    root: Path, folder: DeviceFolder, outside: Path
) -> None:
    (parts(root) / "17.part").hardlink_to(outside / "precious")

    folder.part(17).remove()

    assert list(parts(root).iterdir()) == []
    assert everything(outside) == {"precious": b"precious"}


def test_a_full_folder_at_a_part_is_left_alone(root: Path, folder: DeviceFolder) -> None:
    place = parts(root) / "17.part"
    place.mkdir()
    (place / "song").write_bytes(b"song")

    with pytest.raises(DeviceError):
        folder.part(17).open()
    folder.part(17).remove()

    assert (place / "song").read_bytes() == b"song"


def test_a_linked_folder_of_parts_is_not_followed(
    root: Path, folder: DeviceFolder, outside: Path
) -> None:
    (root / ".sidecar" / "parts").symlink_to(outside)
    (outside / "17.part").write_bytes(b"theirs")

    for call in (folder.part(17).open, folder.part(17).size, folder.part(17).remove, folder.parts):
        with pytest.raises(DeviceError):
            call()

    assert everything(outside) == {"17.part": b"theirs", "precious": b"precious"}
