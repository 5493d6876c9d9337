from __future__ import annotations

from dataclasses import replace

from sidecar.domain.files.groups import Group
from sidecar.domain.files.naming import ANY
from sidecar.domain.files.renames import NamedFile, make_plan_id, plan_renames
from tests.domain.examples import SONG

TRACK = replace(SONG, album_id="a" * 32)
REMASTER = replace(TRACK, id="2" * 32, album_id="b" * 32)


def test_what_has_its_name_keeps_it_and_its_format() -> None:
    files = [
        NamedFile(id=1, path="Duo/Twin (2001)/01 - Song.opus", item=TRACK),
        NamedFile(id=2, path="My own/place.flac", owner="x"),
    ]

    assert plan_renames(files, ANY) == {}
    assert plan_renames([replace(files[0], path="old/1.opus")], ANY) == {
        1: "Duo/Twin (2001)/01 - Song.opus"
    }


def test_files_of_two_albums_in_one_folder_are_set_apart() -> None:
    files = [
        NamedFile(id=1, path="Duo/Twin (2001)/01 - Song [11111111].flac", item=TRACK),
        NamedFile(id=2, path="Duo/Twin (2001)/01 - Song.flac", item=REMASTER),
    ]

    assert plan_renames(files, ANY) == {
        1: "Duo/Twin (2001)/01 - Song.flac",
        2: "Duo/Twin (2001) [bbbbbbbb]/01 - Song.flac",
    }


def test_a_spelling_is_another_name_too() -> None:
    loud = replace(TRACK, id="2" * 32, artist="DUO", number=2)
    files = [
        NamedFile(id=1, path="Duo/Twin (2001)/01 - Song.flac", item=TRACK),
        NamedFile(id=2, path="DUO/Twin (2001)/02 - Song.flac", item=loud),
    ]

    assert plan_renames(files, ANY) == {2: "Duo/Twin (2001)/02 - Song.flac"}


def test_what_keeps_its_path_keeps_its_place() -> None:
    files = [
        NamedFile(id=1, path="x.flac", item=TRACK, group=Group(digits=3)),
        NamedFile(id=2, path="Duo/Twin (2001)/001 - Song.flac", owner="a" * 32),
        NamedFile(id=3, path="y.flac", item=replace(TRACK, id="3" * 32), group=Group(digits=3)),
    ]

    assert plan_renames(files, ANY) == {
        1: "Duo/Twin (2001)/001 - Song [11111111].flac",
        3: "Duo/Twin (2001)/001 - Song [33333333].flac",
    }


def test_another_plan_has_another_id() -> None:
    plans = [{}, {1: "a"}, {1: "b"}, {2: "a"}, {1: "a", 2: "a"}]

    assert len({make_plan_id(one) for one in plans}) == len(plans)
    assert make_plan_id({1: "a", 2: "b"}) == make_plan_id({2: "b", 1: "a"})
