"""The same names and the same finish on the file systems of sticks and cards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sidecar.device.folder import DeviceFolder
from sidecar.domain.files.naming import build_distinct_path, build_path, make_path_key
from sidecar.domain.items.item import Item, ItemType
from sidecar.errors import AlreadyRunning, DeviceError
from tests.device.examples import NAME, STICK, everything, filled, made, remove
from tests.device.mounting import exfat_disk, needs_root, windows_disk
from tests.domain.files.titles import NASTY

pytestmark = [needs_root, pytest.mark.slow]
DISKS = {"exfat": exfat_disk, "windows": windows_disk}


@pytest.fixture(params=DISKS)
def disk(request: pytest.FixtureRequest, mount_point: Path, tmp_path: Path) -> Iterator[Path]:
    with ExitStack() as stack:
        stack.enter_context(DISKS[request.param](mount_point, tmp_path / "image"))
        yield mount_point


@pytest.fixture
def card(disk: Path) -> Iterator[DeviceFolder]:
    folder = made(disk)
    yield folder
    folder.close()


def track(number: int, title: str) -> Item:
    return Item(
        id=f"{number:032x}"[::-1],
        type=ItemType.AUDIO,
        title=title,
        album_artist=title,
        album=title,
        extension="flac",
    )


def test_every_name_is_taken_as_it_is_and_found_again(disk: Path, card: DeviceFolder) -> None:
    paths: dict[str, bytes] = {}
    for number, title in enumerate(NASTY):
        item = track(number, title)
        path = build_path(item)
        if make_path_key(path) in map(make_path_key, paths):
            path = build_distinct_path(path, item.id)
        paths[path] = path.encode()
        card.finish(filled(card, number, path.encode()), path)

    found = {path: body for path, body in everything(disk).items() if body != "folder"}

    assert {make_path_key(path) for path in found} == {make_path_key(path) for path in paths}
    assert sorted(map(str, found.values())) == sorted(map(str, paths.values()))
    for path, body in paths.items():
        there = card.stat(path)
        assert there is not None
        assert there.size == len(body)
        assert remove(card, path, size=len(body))
    assert everything(disk) == {}


def test_a_name_that_differs_only_by_case_is_taken(disk: Path, card: DeviceFolder) -> None:
    (disk / "ARTIST").mkdir()
    (disk / "ARTIST" / "SONG.flac").write_bytes(b"theirs")
    part = filled(card, 1, b"ours")

    with pytest.raises(DeviceError) as trouble:
        card.finish(part, "Artist/Song.flac")

    assert trouble.value.code == "name-taken"
    assert (disk / "ARTIST" / "SONG.flac").read_bytes() == b"theirs"
    assert part.size() == 4


def test_one_sidecar_at_a_time_there_too(disk: Path, card: DeviceFolder) -> None:
    with pytest.raises(AlreadyRunning):
        DeviceFolder(disk, STICK, name=NAME).attach()

    card.check()
    assert 0 < card.space().free < card.space().total
