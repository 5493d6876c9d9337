from __future__ import annotations

import os
from pathlib import Path

import pytest

from sidecar.device.folder import DeviceFolder
from sidecar.errors import DeviceError


def test_the_line_is_there_once_it_was_written(folder: DeviceFolder, root: Path) -> None:
    assert not folder.ignore_file.is_there()
    assert not (root / ".stignore").exists()

    folder.ignore_file.write()
    folder.ignore_file.write()

    assert (root / ".stignore").read_bytes() == b"/.sidecar\n"
    assert folder.ignore_file.is_there()


def test_a_persons_own_lines_and_rights_stay(folder: DeviceFolder, root: Path) -> None:
    file = root / ".stignore"
    file.write_bytes(b"// mine\r\n*.tmp\r\n")
    file.chmod(0o600)

    folder.ignore_file.write()

    assert file.read_bytes() == b"// mine\r\n*.tmp\r\n/.sidecar\r\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(one.name for one in (root / ".sidecar").iterdir()) == ["device.json", "lock"]


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "huge"])
def test_what_is_no_file_of_lines_is_left_alone(
    folder: DeviceFolder, root: Path, outside: Path, kind: str
) -> None:
    place = root / ".stignore"
    match kind:
        case "link":
            place.symlink_to(outside / "precious")
        case "folder":
            place.mkdir()
        case "pipe":
            os.mkfifo(place)
        case _:
            place.write_bytes(b"x\n" * 600_000)

    for act in (folder.ignore_file.is_there, folder.ignore_file.write):
        with pytest.raises(DeviceError) as told:
            act()
        assert told.value.code == "name-taken"
    assert (outside / "precious").read_bytes() == b"precious"


def test_on_another_device_nothing_is_written(folder: DeviceFolder, root: Path) -> None:
    (root / ".sidecar" / "device.json").unlink()

    with pytest.raises(DeviceError):
        folder.ignore_file.write()

    assert not (root / ".stignore").exists()
