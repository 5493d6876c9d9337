from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, count, repeat
from pathlib import Path

import pytest

from sidecar.device.folder import DeviceFolder
from sidecar.domain.files.removals import FileStat, NotAFile
from sidecar.errors import DeviceError, Stopped
from tests.device.examples import OTHER, made
from tests.device.mounting import (
    breakable_disk,
    exfat_disk,
    mount_memory,
    needs_root,
    unmount,
)

SONG = "Artist/Album/Song.flac"


def put(root: Path, path: str, body: bytes = b"music") -> Path:
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(body)
    return place


def test_a_file_is_told_with_its_size_time_and_number(root: Path, folder: DeviceFolder) -> None:
    facts = put(root, SONG).stat()

    assert folder.look([SONG]) == {SONG: FileStat(5, facts.st_mtime_ns, facts.st_ino)}


def test_what_is_not_there_is_absent_its_folder_or_not(root: Path, folder: DeviceFolder) -> None:
    put(root, SONG)

    seen = folder.look(["Artist/Album/Gone.flac", "Artist/None/Song.flac", "None/None/Song.flac"])

    assert set(seen.values()) == {NotAFile.ABSENT}


def test_names_are_found_in_any_case_where_they_are_looked_for(
    root: Path, folder: DeviceFolder, outside: Path
) -> None:
    for path in ("A/Cover.JPG", "A/Song.flac", "B/folder.jpg", "C/cover.jpg", "A/D/cover.jpg"):
        put(root, path)
    (root / "link").symlink_to(outside)

    found = folder.find_named(["B", "A", "gone", "link"], {"cover.jpg", "folder.jpg", "precious"})

    assert found == ["A/Cover.JPG", "B/folder.jpg"]


def test_a_link_a_pipe_or_a_folder_in_its_place_is_something_else(
    root: Path, folder: DeviceFolder, outside: Path
) -> None:
    (root / "link").symlink_to(outside / "precious")
    (root / "folder").mkdir()
    os.mkfifo(root / "pipe")

    assert set(folder.look(["link", "folder", "pipe"]).values()) == {NotAFile.OTHER}


def test_behind_a_link_or_a_file_nothing_can_be_told(
    root: Path, folder: DeviceFolder, outside: Path
) -> None:
    (root / "Artist").symlink_to(outside)
    put(root, "Album")

    assert set(folder.look(["Artist/precious", "Artist/x", "Album/x"]).values()) == {
        NotAFile.UNKNOWN
    }


def test_a_name_too_long_for_the_system_cannot_be_told(folder: DeviceFolder) -> None:
    path = "x" * 300

    assert folder.look([path]) == {path: NotAFile.UNKNOWN}


@needs_root
def test_what_another_file_system_below_says_is_nothing(root: Path, folder: DeviceFolder) -> None:
    put(root, SONG)
    below = root / "Artist"
    mount_memory(below)
    put(below, "Moved.flac")
    try:
        assert folder.look([SONG]) == {SONG: NotAFile.UNKNOWN}
        assert folder.strangers(sizes={5}, known=()) == []
    finally:
        unmount(below)
    assert isinstance(folder.look([SONG])[SONG], FileStat)


@needs_root
def test_a_pulled_swapped_or_emptied_device_says_nothing(mount_point: Path) -> None:
    mount_memory(mount_point)
    folder = made(mount_point)
    put(mount_point, SONG)
    unmount(mount_point)

    with pytest.raises(DeviceError, match="plug it in"):
        folder.look([SONG])

    mount_memory(mount_point)
    other = made(mount_point, OTHER)
    with pytest.raises(DeviceError, match="Another device"):
        folder.look([SONG])
    other.close()
    folder.close()


@needs_root
def test_a_stick_that_is_pulled_during_the_look_says_nothing(mount_point: Path) -> None:
    mount_memory(mount_point)
    folder = made(mount_point)

    def pulled_meanwhile() -> Iterator[str]:
        yield SONG
        unmount(mount_point)

    with pytest.raises(DeviceError, match="plug it in"):
        folder.look(pulled_meanwhile())

    folder.close()


@needs_root
def test_a_disk_that_turned_read_only_is_found_out_before_it_is_believed(
    mount_point: Path, tmp_path: Path
) -> None:
    with breakable_disk(mount_point, tmp_path / "disk") as break_it:
        folder = made(mount_point)
        if not break_it.exists():
            pytest.skip("this kernel cannot be told to find damage")
        break_it.write_text("on purpose")

        with pytest.raises(DeviceError) as trouble:
            folder.check_writing()

        assert trouble.value.code in {"read-only", "broken"}
        folder.close()


@needs_root
def test_a_full_device_can_be_believed(mount_point: Path) -> None:
    mount_memory(mount_point, options="size=1m")
    folder = made(mount_point)
    (mount_point / "films").write_bytes(bytes(folder.space().free))

    folder.check_writing()

    folder.close()


def test_strangers_are_found_by_their_size_wherever_they_are(
    root: Path, folder: DeviceFolder, outside: Path
) -> None:
    put(root, SONG)
    put(root, "Elsewhere/Deep/Song.flac")
    put(root, "Elsewhere/Longer.flac", b"more music")
    put(root, ".Trash-1000/files/Song.flac")
    put(root, "$RECYCLE.BIN/Song.flac")
    put(root, ".sidecar/parts/3.part")
    (root / "Link.flac").symlink_to(root / SONG)
    (root / "Away").symlink_to(outside)
    (root / "no text \udcff.flac").write_bytes(b"music")

    found = folder.strangers(sizes={5}, known={SONG})

    assert [one.path for one in found] == ["Elsewhere/Deep/Song.flac"]


@pytest.mark.parametrize(
    "look",
    [
        lambda folder, is_over: folder.look(["A/1.flac", "B/2.flac"], is_over=is_over),
        lambda folder, is_over: folder.find_named(["A", "B"], {"1.flac"}, is_over=is_over),
        lambda folder, is_over: folder.strangers(sizes={5}, known=(), is_over=is_over),
        lambda folder, is_over: folder.find_cut({"A/1.flac": 5, "B/2.flac": 5}, is_over=is_over),
    ],
)
def test_a_look_ends_before_any_folder_once_it_is_over(
    root: Path,
    folder: DeviceFolder,
    look: Callable[[DeviceFolder, Callable[[], bool]], object],
) -> None:
    put(root, "A/1.flac")
    put(root, "B/2.flac")
    asked = count()
    look(folder, lambda: next(asked) < 0)
    times = next(asked)

    for number in range(times):
        answers = chain([False] * number, repeat(True))
        with pytest.raises(Stopped):
            look(folder, partial(next, answers))

    assert times >= 2


def test_in_a_folder_that_is_a_device_itself_nothing_is_a_stranger(
    root: Path, folder: DeviceFolder
) -> None:
    put(root, "Moved/Song.flac")
    (root / "Moved" / "Phone").mkdir()
    made(root / "Moved" / "Phone", OTHER).close()
    put(root, "Moved/Phone/Artist/Song.flac")

    found = folder.strangers(sizes={5}, known=())

    assert [one.path for one in found] == ["Moved/Song.flac"]


@needs_root
@pytest.mark.slow
def test_on_a_fuse_disk_files_are_told_apart_as_anywhere(mount_point: Path, tmp_path: Path) -> None:
    with exfat_disk(mount_point, tmp_path / "image"):
        folder = made(mount_point)
        put(mount_point, SONG)

        other_case = "Artist/Album/SONG.FLAC"
        seen = folder.look([SONG, other_case, "Artist/Album/Gone.flac"])

        assert isinstance(seen[SONG], FileStat)
        assert isinstance(seen[other_case], FileStat)
        assert seen["Artist/Album/Gone.flac"] is NotAFile.ABSENT
        folder.close()


@pytest.mark.slow
def test_ten_thousand_files_are_looked_at_in_a_moment(root: Path, folder: DeviceFolder) -> None:
    paths = [f"Artist {n // 100}/Album {n // 10}/{n}.flac" for n in range(10_000)]
    for path in paths:
        put(root, path, b"")

    began = time.process_time()
    seen = folder.look(paths)

    assert time.process_time() - began < 2
    assert all(isinstance(one, FileStat) for one in seen.values())
