from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sidecar.device.folder import DeviceFolder
from sidecar.errors import DeviceError
from tests.device.examples import made

PAGE = "Offline library.html"
RECORD = ".sidecar/own.json"
GOOD = {"size": 5, "hashes": ["a" * 32]}
TAMPERED = {
    "deep": "[" * 200_000,
    "deep hashes": '{"a.m3u": {"size": 1, "hashes": ' + "[" * 900 + "]" * 900 + "}}",
    "many": "[" + "{}," * 700_000 + "{}]",
    "long": " " * (33 * 1024 * 1024),
    "leads out": json.dumps({"../../x/cover.jpg": GOOD, "/etc/cover.jpg": GOOD, "": GOOD}),
    "far": json.dumps({"/".join("a" * 500): GOOD, f"{'b' * 300}/cover.jpg": GOOD}),
    "half a character": '{"\\ud800/cover.jpg": {"size": 1, "hashes": []}}',
    "odd sizes": '{"cover.jpg": {"size": 1e999, "hashes": []}, "a": {"size": -1, "hashes": []}}',
    "odd": '{"cover.jpg": {"size": "1"}, "x.m3u": null, "y.lrc": {"size": 1, "hashes": "abc"}}',
    "odd source": '{"cover.jpg": {"size": 1, "hashes": [], "made_of": 7}}',
    "no words": "nonsense",
    "a list": "[1, 2, 3]",
}


def test_a_file_of_ours_is_made_replaced_and_removed(folder: DeviceFolder, root: Path) -> None:
    own = folder.own_files

    assert own.put(PAGE, b"one")
    assert own.put(PAGE, b"two, longer")
    assert (root / PAGE).read_bytes() == b"two, longer"
    assert own.names() == [PAGE]
    assert own.count_bytes(4096) == 4096

    assert own.remove(PAGE)
    assert not (root / PAGE).exists()
    assert own.names() == []
    assert own.count_bytes(4096) == 0
    assert not own.remove(PAGE)


def test_the_same_bytes_are_not_written_again(folder: DeviceFolder, root: Path) -> None:
    folder.own_files.put(PAGE, b"one")
    before = (root / PAGE).stat()

    assert not folder.own_files.put(PAGE, b"one")

    now = (root / PAGE).stat()
    assert (now.st_ino, now.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_it_tells_what_a_file_was_made_of(folder: DeviceFolder, root: Path) -> None:
    own = folder.own_files
    own.put(PAGE, b"one", made_of="a")
    assert (own.is_made_of(PAGE, "a"), own.is_made_of(PAGE, "b")) == (True, False)
    own.put(PAGE, b"one", made_of="b")
    assert (own.is_made_of(PAGE, "a"), own.is_made_of(PAGE, "b")) == (False, True)
    own.put("Covers/cover.jpg", b"picture")
    assert own.is_made_of(PAGE, "b")

    (root / PAGE).write_bytes(b"another")
    assert not own.is_made_of(PAGE, "b")
    (root / PAGE).unlink()
    assert not own.is_made_of(PAGE, "b")
    (root / PAGE).symlink_to(root / "Covers/cover.jpg")
    assert not own.is_made_of(PAGE, "b")


def test_a_file_whose_replacement_was_cut_off_is_not_said_to_be_made_of_it(
    folder: DeviceFolder, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.own_files.put(PAGE, b"one", made_of="a")

    def cut(*_: object, **__: object) -> None:
        raise OSError(5, "cut off")

    with monkeypatch.context() as broken:
        broken.setattr("os.replace", cut)
        with pytest.raises(DeviceError):
            folder.own_files.put(PAGE, b"two", made_of="b")

    assert not folder.own_files.is_made_of(PAGE, "b")


def test_what_a_person_threw_away_is_made_again(folder: DeviceFolder, root: Path) -> None:
    folder.own_files.put(PAGE, b"one")
    (root / PAGE).unlink()

    assert folder.own_files.put(PAGE, b"one")
    assert (root / PAGE).read_bytes() == b"one"


@pytest.mark.parametrize("content", [b"a stranger's", b"two"])
def test_a_strangers_file_is_never_replaced_or_removed(
    folder: DeviceFolder, root: Path, content: bytes
) -> None:
    (root / PAGE).write_bytes(content)

    with pytest.raises(DeviceError) as told:
        folder.own_files.put(PAGE, b"two")

    assert told.value.code == "name-taken"
    assert not folder.own_files.remove(PAGE)
    assert (root / PAGE).read_bytes() == content


def test_ours_that_a_person_changed_is_theirs_now(folder: DeviceFolder, root: Path) -> None:
    folder.own_files.put(PAGE, b"one")
    (root / PAGE).write_bytes(b"two")

    with pytest.raises(DeviceError):
        folder.own_files.put(PAGE, b"three")

    assert not folder.own_files.remove(PAGE)
    assert (root / PAGE).read_bytes() == b"two"


def test_a_link_is_not_followed(folder: DeviceFolder, root: Path, outside: Path) -> None:
    folder.own_files.put(PAGE, b"one")
    (root / PAGE).unlink()
    (root / PAGE).symlink_to(outside / "precious")

    with pytest.raises(DeviceError):
        folder.own_files.put(PAGE, b"two")

    assert not folder.own_files.remove(PAGE)
    assert (outside / "precious").read_bytes() == b"precious"


def test_it_is_still_ours_when_the_device_comes_back(folder: DeviceFolder, root: Path) -> None:
    folder.own_files.put(PAGE, b"one")
    folder.close()
    again = made(root)

    assert again.own_files.put(PAGE, b"two")
    again.close()
    assert (root / PAGE).read_bytes() == b"two"


@pytest.mark.parametrize("already_renamed", [True, False])
def test_a_crash_between_record_and_rename_leaves_it_ours(
    folder: DeviceFolder, root: Path, already_renamed: bool
) -> None:
    folder.own_files.put(PAGE, b"old")
    old, record = (root / PAGE).read_bytes(), (root / RECORD).read_text()
    folder.own_files.put(PAGE, b"newer")
    newer_record = (root / RECORD).read_text()
    folder.close()
    old_hash, newer_hash = (text.split('"')[-2] for text in (record, newer_record))
    (root / RECORD).write_text(newer_record.replace(newer_hash, f'{old_hash}", "{newer_hash}'))
    if not already_renamed:
        (root / PAGE).write_bytes(old)

    again = made(root)
    again.own_files.put(PAGE, b"newest of all")
    again.close()

    assert (root / PAGE).read_bytes() == b"newest of all"


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"a": 1}', b"\xff"])
def test_a_damaged_record_makes_all_files_strangers(
    folder: DeviceFolder, root: Path, damage: bytes
) -> None:
    folder.own_files.put(PAGE, b"one")
    folder.close()
    (root / RECORD).write_bytes(damage)

    again = made(root)
    with pytest.raises(DeviceError):
        again.own_files.put(PAGE, b"two")
    again.close()

    assert (root / PAGE).read_bytes() == b"one"


def test_without_the_marker_nothing_is_written(folder: DeviceFolder, root: Path) -> None:
    (root / ".sidecar" / "device.json").unlink()

    with pytest.raises(DeviceError):
        folder.own_files.put(PAGE, b"one")

    assert not (root / PAGE).exists()


LIST = "Playlists/Road trip.m3u8"


def test_a_folder_is_made_for_a_file_and_goes_with_it(folder: DeviceFolder, root: Path) -> None:
    assert folder.own_files.put(LIST, b"one")
    assert (root / LIST).read_bytes() == b"one"

    assert folder.own_files.remove(LIST)

    assert not (root / "Playlists").exists()


def test_a_folder_that_was_there_before_stays(folder: DeviceFolder, root: Path) -> None:
    (root / "Playlists").mkdir()
    folder.own_files.put(LIST, b"one")

    assert folder.own_files.remove(LIST)

    assert (root / "Playlists").is_dir()


def test_a_folder_with_something_of_a_strangers_stays(folder: DeviceFolder, root: Path) -> None:
    folder.own_files.put(LIST, b"one")
    (root / "Playlists" / "mine.m3u8").write_bytes(b"mine")

    assert folder.own_files.remove(LIST)

    assert [one.name for one in (root / "Playlists").iterdir()] == ["mine.m3u8"]


def test_what_went_with_its_folder_is_not_ours_any_more(folder: DeviceFolder, root: Path) -> None:
    folder.own_files.put(LIST, b"one")
    shutil.rmtree(root / "Playlists")

    assert not folder.own_files.remove(LIST)

    assert folder.own_files.names() == []


@pytest.mark.parametrize("is_link", [True, False])
def test_a_strangers_thing_with_the_name_of_the_folder_is_left_alone(
    folder: DeviceFolder, root: Path, tmp_path: Path, is_link: bool
) -> None:
    if is_link:
        (root / "Playlists").symlink_to(tmp_path)
    else:
        (root / "Playlists").write_text("mine")

    with pytest.raises(DeviceError) as told:
        folder.own_files.put(LIST, b"one")

    assert told.value.code == "name-taken"
    assert not (tmp_path / "Road trip.m3u8").exists()
    assert folder.own_files.strangers("Playlists") == []


def test_it_tells_what_else_lies_in_a_folder(folder: DeviceFolder, root: Path) -> None:
    folder.own_files.put(LIST, b"one")
    (root / "Playlists" / "mine.m3u8").write_bytes(b"mine")

    assert folder.own_files.strangers("Playlists") == ["Playlists/mine.m3u8"]
    assert folder.own_files.strangers("Nowhere") == []
    assert {".sidecar", "Playlists"} <= set(folder.own_files.strangers(""))


@pytest.mark.parametrize("told", TAMPERED.values(), ids=TAMPERED)
def test_of_a_record_that_was_tampered_with_only_what_can_be_ours_is_known(
    folder: DeviceFolder, root: Path, told: str
) -> None:
    (root / RECORD).write_text(told)

    assert folder.own_files.names() == []
    assert folder.own_files.count_bytes(4096) == 0
    assert not folder.own_files.remove("a/cover.jpg")
    assert folder.own_files.put(PAGE, b"one")
    assert folder.own_files.names() == [PAGE]


def test_a_record_that_is_a_link_or_a_folder_of_files_is_not_followed(
    folder: DeviceFolder, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere.json").write_text(json.dumps({PAGE: GOOD}))
    (root / RECORD).symlink_to(tmp_path / "elsewhere.json")

    assert folder.own_files.names() == []


@pytest.mark.parametrize(
    "draft", ["own.draft", "own.json.draft", "made.txt.draft", "player.draft", "trial"]
)
def test_a_draft_that_is_another_name_of_a_file_is_not_written_through(
    folder: DeviceFolder, root: Path, draft: str
) -> None:
    """Where no rename excludes others, a kill leaves the file with the name of its draft too."""
    (root / "theirs").write_bytes(b"theirs")
    (root / ".sidecar" / draft).hardlink_to(root / "theirs")

    folder.own_files.put("Lists/a.m3u8", b"a")
    folder.own_files.remove("Lists/a.m3u8")
    folder.player_files.replace("Book.bmark", None, b"b")
    folder.require_write_test()
    folder.check()

    assert (root / "theirs").read_bytes() == b"theirs"
    assert not (root / ".sidecar" / draft).exists()
