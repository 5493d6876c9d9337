from __future__ import annotations

import json
import os
from pathlib import Path
from shutil import rmtree

import pytest

from sidecar.demo.library.items import BaseItemKind, DemoItem, DemoLibrary
from sidecar.demo.library.scan import differences, scan
from tests.fakes.libraries.tiny import DOUBLE, FIRST_LIGHT, TONE_1, listing, tiny_library, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_library(tmp_path)


def named(library: DemoLibrary, name: str) -> DemoItem:
    return next(item for item in library if item.name == name)


def names(items: list[DemoItem]) -> list[str]:
    return sorted(item.name for item in items)


def test_ids_are_the_same_after_every_scan(folder: Path) -> None:
    assert list(scan(folder).library.by_id) == list(scan(folder).library.by_id)


def test_ids_do_not_depend_on_where_the_folder_is(tmp_path: Path) -> None:
    one, two = tiny_library(tmp_path / "one"), tiny_library(tmp_path / "two")

    assert list(scan(one).library.by_id) == list(scan(two).library.by_id)


def test_no_path_of_this_machine_is_told(folder: Path) -> None:
    assert not [item for item in scan(folder).library if str(folder) in item.path]


def test_a_track_is_in_its_album(folder: Path) -> None:
    library = scan(folder).library

    tone, album = named(library, "Tone 1"), named(library, "First Light")
    assert tone.parent_id == album.id
    assert tone.music is not None
    assert tone.music.album_id == album.id
    assert album.seconds == 3 * tone.seconds


def test_discs_are_folders_of_one_album(folder: Path) -> None:
    library = scan(folder).library

    album = named(library, "Double")
    assert names(list(library.songs_of(album))) == ["Side 1", "Side 2"]
    assert named(library, "Side 1").parent_id == named(library, "Disc 1").id
    assert named(library, "Disc 1").parent_id == album.id
    assert album.path == f"/media/{DOUBLE}"


def test_two_albums_of_one_name_stay_two(folder: Path) -> None:
    albums = [one for one in scan(folder).library if one.kind is BaseItemKind.ALBUM]

    assert len([one for one in albums if one.name == "Greatest Hits"]) == 2


def test_a_track_without_tags_has_no_album_and_no_artist(folder: Path) -> None:
    library = scan(folder).library

    nameless = named(library, "Nameless")
    assert nameless.music is not None
    assert (nameless.music.album, nameless.music.album_id) == (None, None)
    assert library.by_id[nameless.parent_id or ""].kind is BaseItemKind.FOLDER


def test_a_moved_track_has_another_id_and_the_same_key(folder: Path) -> None:
    before = scan(folder).library
    (folder / TONE_1).rename(folder / FIRST_LIGHT / "01 - First.flac")

    after = scan(folder, before).library

    old, moved = named(before, "Tone 1"), named(after, "Tone 1")
    assert moved.id != old.id
    assert moved.key == old.key
    assert old.id not in after.by_id
    assert named(scan(folder, after).library, "Tone 1") == moved


def test_a_deleted_file_is_gone_after_the_scan(folder: Path) -> None:
    before = scan(folder).library
    (folder / TONE_1).unlink()

    added, _, removed = differences(before, scan(folder, before).library)

    assert (names(added), names(removed)) == ([], ["Tone 1"])


def test_a_replaced_file_keeps_its_id(folder: Path) -> None:
    before = scan(folder).library
    (folder / TONE_1).write_bytes(b"longer than before" * 100)

    added, changed, removed = differences(before, scan(folder, before).library)

    assert "Tone 1" in names(changed)
    assert (added, removed) == ([], [])


@pytest.mark.parametrize("is_there", [True, False], ids=["empty", "missing"])
def test_a_library_whose_folder_is_away_keeps_everything(folder: Path, is_there: bool) -> None:
    before = scan(folder).library
    rmtree(folder / "Music")
    if is_there:
        (folder / "Music").mkdir()

    after = scan(folder, before).library

    assert differences(before, after) == ([], [], [])
    assert after.artist_ids == before.artist_ids


def test_what_is_added_to_the_listing_is_found(folder: Path) -> None:
    before = scan(folder).library
    listed = listing()
    listed["films"] = [*listed["films"], {**listed["films"][0], "path": "Movies/New/New.mkv"}]
    write(folder, listed)

    added, _, _ = differences(before, scan(folder, before).library)

    assert [one.path for one in added] == ["/media/Movies/New/New.mkv"]


def test_size_and_date_are_those_of_the_scan(folder: Path) -> None:
    os.utime(folder / TONE_1, ns=(0, 123_456_789_000))
    size = (folder / TONE_1).stat().st_size

    media = named(scan(folder).library, "Tone 1").media

    assert media is not None
    assert (media.size, media.modified_ns) == (size, 123_456_789_000)


def test_playlists_have_the_tracks_that_are_there(folder: Path) -> None:
    catalogue = scan(folder)

    [(name, owner, ids)] = catalogue.playlists
    assert (name, owner) == ("Road trip", "ann")
    assert [catalogue.library.by_id[one].name for one in ids] == ["Tone 2", "Tone 1"]


def test_without_a_listing_there_is_nothing_to_serve(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        scan(tmp_path)


def test_a_listing_that_is_no_json_is_refused(folder: Path) -> None:
    (folder / "library.json").write_text("{", encoding="utf-8")

    with pytest.raises(json.JSONDecodeError):
        scan(folder)
