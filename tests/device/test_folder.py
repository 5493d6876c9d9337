from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from threading import Event, Thread

import pytest
import xxhash

from sidecar.device.folder import DeviceFolder
from sidecar.domain.files.removals import FileStat
from sidecar.errors import DeviceError
from tests.device.examples import everything, filled, made, remove
from tests.device.mounting import mount_memory, needs_root
from tests.patience import PATIENCE_S

SONG = "Artist/Album (2005)/1-02 - Song.flac"
BODY = b"a whole song" * 1000


def plant(place: Path, kind: str, outside: Path) -> None:
    """Put something that is not ours at a place on the device."""
    place.parent.mkdir(parents=True, exist_ok=True)
    match kind:
        case "file":
            place.write_bytes(b"theirs")
        case "folder":
            place.mkdir()
        case "link":
            place.symlink_to(outside / "precious")
        case "link to a folder":
            place.symlink_to(outside)
        case "dangling link":
            place.symlink_to(outside / "made")
        case _:
            os.mkfifo(place)


def exchange(one: Path, other: Path) -> None:
    """Swap two names in one step of the kernel."""
    here, both = -100, 2
    call = ctypes.CDLL(None).renameat2
    assert call(here, os.fsencode(one), here, os.fsencode(other), both) == 0


KINDS = ["file", "folder", "link", "link to a folder", "dangling link", "pipe"]


def test_a_finished_file_has_its_name_and_nothing_else_is_left(
    root: Path, folder: DeviceFolder
) -> None:
    part = filled(folder, 17, BODY)

    folder.finish(part, SONG)

    assert everything(root) == {
        "Artist": "folder",
        "Artist/Album (2005)": "folder",
        SONG: BODY,
    }
    assert part.size() is None
    there = folder.stat(SONG)
    assert there is not None
    assert there.size == len(BODY)


def test_a_file_may_lie_in_the_root_and_in_folders_that_are_there(
    root: Path, folder: DeviceFolder
) -> None:
    (root / "Artist").mkdir()

    folder.finish(filled(folder, 1, b"1"), "film.mkv")
    folder.finish(filled(folder, 2, b"2"), "Artist/song.flac")

    assert everything(root) == {"Artist": "folder", "Artist/song.flac": b"2", "film.mkv": b"1"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_somebody_else_has_is_never_taken(
    root: Path, folder: DeviceFolder, outside: Path, kind: str
) -> None:
    plant(root / SONG, kind, outside)
    before = everything(root)
    part = filled(folder, 17, BODY)

    with pytest.raises(DeviceError, match=r"Song\.flac on Car stick: move it away") as trouble:
        folder.finish(part, SONG)

    assert trouble.value.code == "name-taken"
    assert everything(root) == before
    assert part.size() == len(BODY)
    assert everything(outside) == {"precious": b"precious"}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "folder"])
@pytest.mark.parametrize("place", ["Artist", "Artist/Album (2005)"])
def test_a_folder_that_is_none_is_neither_followed_nor_replaced(
    root: Path, folder: DeviceFolder, outside: Path, kind: str, place: str
) -> None:
    plant(root / place, kind, outside)
    before = everything(root)
    part = filled(folder, 17, BODY)

    with pytest.raises(DeviceError) as trouble:
        folder.finish(part, SONG)

    assert trouble.value.code == "name-taken"
    assert folder.stat(SONG) is None
    assert not remove(folder, SONG, size=6)
    assert everything(root) == before
    assert everything(outside) == {"precious": b"precious"}
    folder.check()


@pytest.mark.parametrize(
    "path",
    ["", "/etc/x", "../x", "A/../../x", "A//b", "A/./b", "A/b/", "a\0b", ".sidecar/x", ".SideCar"],
)
def test_a_path_that_leads_out_or_into_our_own_folder_is_refused(
    root: Path, folder: DeviceFolder, path: str
) -> None:
    part = filled(folder, 17, BODY)
    calls: list[Callable[[], object]] = [
        lambda: folder.finish(part, path),
        lambda: remove(folder, path, size=0),
        lambda: folder.stat(path),
        lambda: folder.content_hash(path),
        lambda: folder.sync(path),
    ]

    for call in calls:
        with pytest.raises(ValueError, match="not a path"):
            call()

    assert everything(root) == {}


def test_a_part_that_somebody_removed_is_told_and_names_nothing(
    root: Path, folder: DeviceFolder
) -> None:
    part = filled(folder, 17, BODY)
    part.path.unlink()

    with pytest.raises(DeviceError, match="went away") as trouble:
        folder.finish(part, SONG)

    assert trouble.value.code == "broken"
    assert folder.stat(SONG) is None
    folder.check()


def test_a_file_is_gone_only_if_the_device_says_so(folder: DeviceFolder, root: Path) -> None:
    assert folder.stat(SONG) is None
    (root / ".sidecar" / "device.json").unlink()

    with pytest.raises(DeviceError) as trouble:
        folder.stat(SONG)

    assert trouble.value.code == "no-marker"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "file"])
def test_what_is_no_file_is_no_file_of_ours(
    root: Path, folder: DeviceFolder, outside: Path, kind: str
) -> None:
    plant(root / SONG, kind, outside)
    before = everything(root)

    assert folder.stat(SONG) is None
    assert folder.find_cut({SONG: 0}) == [SONG]
    assert not remove(folder, SONG, size=8)

    assert everything(root) == before
    assert everything(outside) == {"precious": b"precious"}


def test_removing_takes_the_folders_that_we_made_and_no_others(
    root: Path, folder: DeviceFolder
) -> None:
    (root / "Artist").mkdir()
    folder.finish(filled(folder, 1, BODY), SONG)
    folder.finish(filled(folder, 2, BODY), "Other/Album/x.flac")

    assert remove(folder, SONG, size=len(BODY))
    assert remove(folder, "Other/Album/x.flac", size=len(BODY))

    assert everything(root) == {"Artist": "folder"}


def test_a_folder_with_anything_in_it_stays(root: Path, folder: DeviceFolder) -> None:
    folder.finish(filled(folder, 1, BODY), SONG)
    (root / SONG).with_name("notes.txt").write_bytes(b"theirs")

    assert remove(folder, SONG, size=len(BODY))

    assert everything(root)["Artist/Album (2005)/notes.txt"] == b"theirs"


def test_a_folder_that_a_person_made_after_we_removed_ours_is_theirs(
    root: Path, folder: DeviceFolder
) -> None:
    folder.finish(filled(folder, 1, BODY), SONG)
    assert remove(folder, SONG, size=len(BODY))
    (root / "Artist" / "Album (2005)").mkdir(parents=True)
    folder.finish(filled(folder, 2, BODY), SONG)

    assert remove(folder, SONG, size=len(BODY))

    assert everything(root) == {"Artist": "folder", "Artist/Album (2005)": "folder"}


def test_it_knows_the_folders_that_it_made_before_it_was_started(
    root: Path, folder: DeviceFolder
) -> None:
    folder.finish(filled(folder, 1, BODY), SONG)
    folder.close()
    again = DeviceFolder(root, folder.device_id, name="Car stick")
    again.attach()

    assert remove(again, SONG, size=len(BODY))

    again.close()
    assert everything(root) == {}


def test_a_torn_list_of_made_folders_costs_no_file(root: Path, folder: DeviceFolder) -> None:
    (root / ".sidecar" / "made.txt").write_bytes(b"Arti\xff")
    folder.finish(filled(folder, 1, BODY), SONG)

    assert remove(folder, SONG, size=len(BODY))

    assert everything(root) == {}


def test_a_file_of_another_size_is_not_ours_any_more(root: Path, folder: DeviceFolder) -> None:
    folder.finish(filled(folder, 1, BODY), SONG)

    assert not remove(folder, SONG, size=len(BODY) + 1)
    assert not remove(folder, "Artist/none.flac", size=1)

    assert everything(root)[SONG] == BODY


@pytest.mark.parametrize("size", [0, 1, 4096, 4097, 10_000])
def test_a_whole_file_is_told_from_a_cut_one(root: Path, folder: DeviceFolder, size: int) -> None:
    folder.finish(filled(folder, 1, bytes(size)), SONG)

    assert folder.find_cut({SONG: size}) == []
    assert folder.find_cut({SONG: size + 1}) == [SONG]
    assert folder.find_cut({SONG: size, "Artist/none.flac": size, "None/none.flac": 0}) == [
        "Artist/none.flac",
        "None/none.flac",
    ]


def test_the_hash_of_a_file_proves_later_damage(root: Path, folder: DeviceFolder) -> None:
    body = os.urandom(3_000_000)
    folder.finish(filled(folder, 1, body), SONG)

    assert folder.content_hash(SONG) == xxhash.xxh3_128_hexdigest(body)


def test_no_link_is_hashed(root: Path, folder: DeviceFolder, outside: Path) -> None:
    plant(root / SONG, "link", outside)

    with pytest.raises(DeviceError):
        folder.content_hash(SONG)


@pytest.mark.slow
def test_pruning_never_pulls_a_folder_from_under_a_file_that_arrives(
    root: Path, folder: DeviceFolder
) -> None:
    failures: list[Exception] = []

    def come_and_go(download_id: int) -> None:
        path = f"Artist/Album/{download_id}.flac"
        try:
            for _ in range(150):
                folder.finish(filled(folder, download_id, BODY), path)
                assert remove(folder, path, size=len(BODY))
        except (DeviceError, AssertionError) as failure:
            failures.append(failure)

    threads = [Thread(target=come_and_go, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=50)

    assert failures == []
    assert everything(root) == {}


@pytest.mark.slow
def test_a_folder_swapped_for_a_link_at_any_moment_leads_nowhere(
    root: Path, folder: DeviceFolder, outside: Path
) -> None:
    stop = Event()
    (root / "Artist" / "Album (2005)").mkdir(parents=True)
    (root / "link").symlink_to(outside)
    (outside / "Album (2005)").mkdir()

    def swap() -> None:
        while not stop.is_set():
            exchange(root / "Artist", root / "link")

    arrived = 0
    swapper = Thread(target=swap)
    swapper.start()
    try:
        for number in count():
            with suppress(DeviceError):
                folder.finish(filled(folder, number, b"x"), f"Artist/Album (2005)/{number}")
                arrived += 1
            # On a busy machine the swapper may sleep while it is a link, for hundreds of them.
            if number >= 250 and arrived:
                break
    finally:
        stop.set()
        swapper.join(timeout=PATIENCE_S)

    assert everything(outside) == {"Album (2005)": "folder", "precious": b"precious"}
    assert len(everything(root)) >= 3 + arrived


def test_letting_go_of_a_device_in_the_middle_of_its_work_harms_no_other_folder(
    root: Path, folder: DeviceFolder, tmp_path: Path
) -> None:
    stop = Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            try:
                folder.finish(filled(folder, number, b"x"), f"Artist/{number}.flac")
            except DeviceError:
                continue

    worker = Thread(target=work)
    worker.start()
    others = []
    try:
        for number in range(50):
            folder.close()
            other = tmp_path / f"other {number % 5}"
            other.mkdir(exist_ok=True)
            others.append(os.open(other, os.O_RDONLY))
            folder.attach()
    finally:
        stop.set()
        worker.join(timeout=PATIENCE_S)
        for handle in others:
            os.close(handle)

    assert not worker.is_alive()
    assert all(everything(tmp_path / f"other {number}") == {} for number in range(5))


@pytest.mark.parametrize(("is_edited", "is_known"), [(True, True), (False, True), (False, False)])
def test_what_was_written_to_since_it_came_is_removed_only_if_it_is_the_same_still(
    folder: DeviceFolder, root: Path, is_edited: bool, is_known: bool
) -> None:
    folder.finish(filled(folder, 17, BODY), SONG)
    came = datetime.fromtimestamp((root / SONG).stat().st_mtime, UTC)
    if is_edited:
        (root / SONG).write_bytes(b"*" * len(BODY))
    later = came.timestamp() + 60
    os.utime(root / SONG, (later, later))
    content_hash = xxhash.xxh3_128_hexdigest(BODY) if is_known else None

    is_gone = folder.remove(SONG, size=len(BODY), content_hash=content_hash, completed_at=came)

    assert is_gone == (is_known and not is_edited)
    assert (root / SONG).exists() != is_gone


@needs_root
@pytest.mark.parametrize("seconds", [-1800, 0, 3595])
@pytest.mark.parametrize("is_edited", [True, False])
def test_an_edited_file_stays_whatever_time_its_editor_gave_it(
    mount_point: Path, is_edited: bool, seconds: int
) -> None:
    """Taggers may keep the time of a file as well as its length, or it is off by a whole hour."""
    mount_memory(mount_point)
    folder = made(mount_point)
    folder.finish(filled(folder, 17, BODY), SONG)
    came = datetime.fromtimestamp((mount_point / SONG).stat().st_mtime - 1000, UTC)
    if is_edited:
        (mount_point / SONG).write_bytes(b"*" * len(BODY))
    told = came.timestamp() + seconds
    os.utime(mount_point / SONG, (told, told))
    content_hash = xxhash.xxh3_128_hexdigest(BODY)

    is_gone = folder.remove(SONG, size=len(BODY), content_hash=content_hash, completed_at=came)
    folder.close()

    assert is_gone == (not is_edited)
    assert (mount_point / SONG).exists() != is_gone


@pytest.mark.parametrize("kind", ["another file", "link", "nothing"])
def test_what_a_person_puts_there_while_the_file_is_read_stays(
    folder: DeviceFolder, root: Path, tmp_path: Path, kind: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()

    class Reading(DeviceFolder):
        def content_hash(self, path: str, **options: Callable[[], bool]) -> str:
            found = super().content_hash(path, **options)
            (root / path).unlink()
            if kind == "another file":
                (root / path).write_bytes(b"*" * len(BODY))
            elif kind == "link":
                (root / path).symlink_to(outside)
            return found

    folder.finish(filled(folder, 17, BODY), SONG)
    came = datetime.fromtimestamp((root / SONG).stat().st_mtime - 60, UTC)
    known = xxhash.xxh3_128_hexdigest(BODY)
    folder.close()
    reading = Reading(root, folder.device_id, name=folder.name)
    reading.attach()
    try:
        is_gone = reading.remove(SONG, size=len(BODY), content_hash=known, completed_at=came)
    finally:
        reading.close()

    assert not is_gone
    assert os.path.lexists(root / SONG) == (kind != "nothing")
    assert outside.is_dir()


def test_a_file_is_replaced_at_once_by_a_better_copy_of_it(
    root: Path, folder: DeviceFolder
) -> None:
    folder.finish(filled(folder, 17, BODY), SONG)
    known = folder.stat(SONG)
    assert known is not None

    folder.replace(filled(folder, 17, b"better"), SONG, known=known)

    assert everything(root) == {
        "Artist": "folder",
        "Artist/Album (2005)": "folder",
        SONG: b"better",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_the_file_we_know_is_never_replaced(
    root: Path, folder: DeviceFolder, tmp_path: Path, kind: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(b"precious")
    plant(root / SONG, kind, outside)
    part = filled(folder, 17, b"better")

    with pytest.raises(DeviceError) as refused:
        folder.replace(part, SONG, known=FileStat(len(BODY), 0, 0))

    assert refused.value.code == "name-taken"
    assert (outside / "precious").read_bytes() == b"precious"
    assert part.size() == len(b"better")


@pytest.mark.parametrize("is_in_place", [True, False])
def test_what_a_person_changed_since_it_was_looked_at_is_never_replaced(
    root: Path, folder: DeviceFolder, is_in_place: bool
) -> None:
    folder.finish(filled(folder, 17, BODY), SONG)
    known = folder.stat(SONG)
    assert known is not None
    theirs, song = b"*" * len(BODY), root / SONG
    if is_in_place:
        song.write_bytes(theirs)
        os.utime(song, ns=(known.modified_ns + 10**9, known.modified_ns + 10**9))
    else:
        # As taggers do that keep the time of a file.
        (root / "draft").write_bytes(theirs)
        os.utime(root / "draft", ns=(known.modified_ns, known.modified_ns))
        (root / "draft").rename(song)

    with pytest.raises(DeviceError) as refused:
        folder.replace(filled(folder, 17, b"better"), SONG, known=known)

    assert refused.value.code == "name-taken"
    assert song.read_bytes() == theirs


def test_a_rename_to_what_the_disk_takes_for_the_same_name_is_none(
    folder: DeviceFolder, root: Path
) -> None:
    (root / "Artist").mkdir()
    (root / "Artist" / "1.flac").write_bytes(b"song")
    inode = (root / "Artist" / "1.flac").stat().st_ino

    assert folder.rename("Artist/1.flac", "Artist/1.flac", size=4)
    assert (root / "Artist" / "1.flac").stat().st_ino == inode

    (root / "Artist" / "2.flac").hardlink_to(root / "Artist" / "1.flac")
    with pytest.raises(DeviceError, match="Another file has the name"):
        folder.rename("Artist/1.flac", "Artist/2.flac", size=4)


@pytest.mark.parametrize("refused", [f"{'n' * 300}.flac", f"{'f' * 300}/song.flac"])
def test_a_name_that_the_disk_does_not_take_concerns_that_file_alone(
    root: Path, folder: DeviceFolder, refused: str
) -> None:
    """As an encrypted folder takes 143 bytes, and a FAT without UTF-8 no accents."""
    parts = [(filled(folder, 1, BODY), refused), (filled(folder, 2, BODY), "fine.flac")]

    troubles = folder.finish_all(parts)
    with pytest.raises(DeviceError) as renamed:
        folder.rename("fine.flac", refused, size=len(BODY))
    with pytest.raises(DeviceError) as written:
        folder.own_files.put(refused, b"list")

    assert [getattr(one, "code", None) for one in troubles] == ["name-taken", None]
    assert "does not take the name" in str(troubles[0])
    assert renamed.value.code == written.value.code == "name-taken"
    assert (root / "fine.flac").read_bytes() == BODY
    assert parts[0][0].size() == len(BODY)
