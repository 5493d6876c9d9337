from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.device.folder import DeviceFolder
from tests.device.examples import made
from tests.device.mounting import mounts_taken_down


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "stick"
    place.mkdir()
    return place


@pytest.fixture
def folder(root: Path) -> Iterator[DeviceFolder]:
    attached = made(root)
    yield attached
    attached.close()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that is not on the device, with a file that must stay as it is."""
    place = tmp_path / "outside"
    place.mkdir()
    (place / "precious").write_bytes(b"precious")
    return place


@pytest.fixture
def mount_point(tmp_path: Path) -> Iterator[Path]:
    with mounts_taken_down(tmp_path / "mnt") as place:
        yield place
