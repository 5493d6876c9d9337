from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from sidecar.device.own.marker import Marker, read_marker, write_marker
from sidecar.errors import DeviceError
from tests.device.examples import NAME, STICK
from tests.device.tracing import needs_strace, traced

GOOD = {"version": 1, "id": STICK, "name": NAME}
WRITE = """
import sys
from pathlib import Path
from sidecar.device.own.marker import Marker, write_marker
write_marker(Path(sys.argv[1]), Marker(sys.argv[2], "Car stick"))
"""


def test_a_marker_is_read_as_it_was_written(root: Path) -> None:
    write_marker(root, Marker(STICK, "Änne's stick"))

    assert read_marker(root) == Marker(STICK, "Änne's stick")


def test_an_ordinary_folder_has_no_marker_and_gets_none_by_looking(root: Path) -> None:
    assert read_marker(root) is None
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("name", ["nowhere", "file/below"])
def test_a_folder_that_is_not_there_is_a_missing_device(root: Path, name: str) -> None:
    (root / "file").write_bytes(b"")

    with pytest.raises(DeviceError, match="plug it in") as trouble:
        read_marker(root / name, name=NAME)

    assert trouble.value.code == "missing"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"[]",
        b"null",
        b"{}",
        json.dumps({**GOOD, "id": "car"}).encode(),
        json.dumps({**GOOD, "id": 7}).encode(),
        json.dumps({"id": STICK, "name": NAME}).encode(),
        json.dumps({**GOOD, "version": 2}).encode(),
        json.dumps(GOOD).encode()[:-1],
        json.dumps({**GOOD, "name": ["car"]}).encode(),
        json.dumps({**GOOD, "more": [0] * 2000}).encode(),
        json.dumps(GOOD).encode() + b" " * 70_000,
        b"[" * 100_000,
    ],
)
def test_a_marker_that_cannot_be_understood_is_nobodys(root: Path, text: bytes) -> None:
    write_marker(root, Marker(STICK, NAME))
    (root / ".sidecar" / "device.json").write_bytes(text)

    with pytest.raises(DeviceError) as trouble:
        read_marker(root)

    assert trouble.value.code == "no-marker"


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_only_a_file_can_be_a_marker(root: Path, outside: Path, kind: str) -> None:
    write_marker(outside, Marker(STICK, NAME))
    place = root / ".sidecar" / "device.json"
    place.parent.mkdir()
    match kind:
        case "link":
            place.symlink_to(outside / ".sidecar" / "device.json")
        case "pipe":
            os.mkfifo(place)
        case _:
            place.mkdir()

    with pytest.raises(DeviceError) as trouble:
        read_marker(root)

    assert trouble.value.code == "no-marker"


def test_a_linked_folder_is_neither_read_nor_written(root: Path, outside: Path) -> None:
    (root / ".sidecar").symlink_to(outside)

    with pytest.raises(DeviceError):
        read_marker(root)
    with pytest.raises(DeviceError):
        write_marker(root, Marker(STICK, NAME))

    assert [path.name for path in outside.iterdir()] == ["precious"]


def test_a_draft_that_is_a_link_is_not_written_through(root: Path, outside: Path) -> None:
    (root / ".sidecar").mkdir()
    (root / ".sidecar" / "device.json.draft").symlink_to(outside / "precious")

    write_marker(root, Marker(STICK, NAME))

    assert (outside / "precious").read_bytes() == b"precious"
    assert read_marker(root) == Marker(STICK, NAME)


@needs_strace
@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_a_whole_marker_or_none(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    whole = traced(WRITE, tmp_path / "whole", STICK)
    assert whole.steps == [
        "mkdir",
        "fsync device.json.draft",
        "rename",
        "fsync device.json",
        "fsync .sidecar",
        "fsync whole",
    ]

    for number, step in enumerate(whole.steps):
        place = tmp_path / str(number)
        place.mkdir()
        killed = traced(WRITE, place, STICK, inject=[whole.kill_before(number)])
        assert killed.code == -signal.SIGKILL

        there = read_marker(place)
        write_marker(place, Marker(STICK, NAME))

        is_written = step not in whole.steps[:3]
        assert there == (Marker(STICK, "Car stick") if is_written else None)
        assert read_marker(place) == Marker(STICK, NAME)
