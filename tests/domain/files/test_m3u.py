from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.domain.files.m3u import ListName, PlaylistEntry, assign_paths, is_playlist, render
from sidecar.domain.files.naming import build_path, make_path_key
from sidecar.domain.files.presets import PRESETS, Preset, PresetName
from sidecar.domain.items.item import Item, ItemType
from tests.domain.files.test_naming import items, problems, words

GENERIC, CAR = PRESETS[PresetName.GENERIC], PRESETS[PresetName.CAR]
PATH = "Sigur Rós/Takk… (2005)/1-02 - Glósóli.flac"
SONG = PlaylistEntry(PATH, "Glósóli", "Sigur Rós", 375.6)
ONE, TWO, THREE = ("1" * 32, "2" * 32, "3" * 32)
presets = pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))


def read_back(content: bytes, preset: Preset) -> list[str]:
    """The paths below the root that a player finds in a list, as M3U is read everywhere."""
    text = content.decode("utf-8-sig" if preset.has_mark else "utf-8")
    lines = text.split(preset.line_end)
    assert lines.pop() == ""
    named = [line for line in lines if not line.startswith("#")]
    return [posixpath.normpath(posixpath.join(preset.folder, one)) for one in named]


def test_a_list_is_written_as_players_read_it() -> None:
    unknown = PlaylistEntry("#1 Hits/Hits/01.mp3", "What\nis\r\nthis?", None, None)

    assert render("Road\ntrip", [SONG, unknown], GENERIC).decode().split("\n") == [
        "#EXTM3U",
        "#PLAYLIST:Road trip",
        "#EXTINF:376,Sigur Rós - Glósóli",
        f"../{PATH}",
        "#EXTINF:-1,What is this?",
        "../#1 Hits/Hits/01.mp3",
        "",
    ]


def test_a_list_for_a_car_is_marked_bare_and_in_the_root() -> None:
    hits = replace(SONG, path="#1 Hits/01 Song.mp3")

    content = render("Road trip", [SONG, hits], CAR)

    assert content == f"\ufeff#EXTM3U\r\n{PATH}\r\n./#1 Hits/01 Song.mp3\r\n".encode()


@presets
def test_a_list_keeps_order_and_repeats(preset: Preset) -> None:
    entries = [replace(SONG, path=f"A/{one}.flac") for one in "3132"]

    content = render("x", entries, preset)

    assert read_back(content, preset) == ["A/3.flac", "A/1.flac", "A/3.flac", "A/2.flac"]


@pytest.mark.parametrize("name", ["a\nb.flac", "a\rb.flac", " a.flac", "a.flac ", "a\u2028.mp3"])
def test_a_path_that_no_line_can_hold_is_left_out(name: str) -> None:
    entries = [replace(SONG, path=name if name[0] == " " else f"A/{name}"), SONG]

    assert read_back(render("x", entries, GENERIC), GENERIC) == [PATH]


@presets
@given(st.lists(st.tuples(items, words), max_size=5), words)
def test_what_we_named_ourselves_is_always_found_again(
    preset: Preset, found: Sequence[tuple[Item, str]], name: str
) -> None:
    entries = [
        PlaylistEntry(build_path(item, preset.shape), title, item.artist, item.seconds)
        for item, title in found
    ]

    content = render(name, entries, preset)

    assert read_back(content, preset) == [one.path for one in entries]


@presets
@given(words)
@example("x" * 300)
def test_a_list_has_a_name_that_any_device_takes(preset: Preset, name: str) -> None:
    ((_, paths),) = assign_paths([ListName(ONE, name)], preset, strangers=(), ours=())

    assert len(paths) == 2
    for path in paths:
        folder, _, file = path.rpartition("/")
        assert folder == preset.folder
        assert is_playlist(path)
        longest = preset.shape.longest_name or 200
        assert len(file.encode("utf-16-le")) // 2 <= longest
        assert problems(file.rpartition(".")[0]) == []


def test_two_of_the_same_name_are_told_apart_always_in_the_same_way() -> None:
    lists = [ListName(ONE, "Road trip"), ListName(TWO, "ROAD TRIP"), ListName(THREE, "Slow")]

    for ours in ([], ["Playlists/Road trip.m3u8", "Playlists/ROAD TRIP [22222222].m3u8"]):
        found = {
            one.id: paths[0] for one, paths in assign_paths(lists, GENERIC, strangers=(), ours=ours)
        }

        assert found == {
            ONE: "Playlists/Road trip.m3u8",
            TWO: "Playlists/ROAD TRIP [22222222].m3u8",
            THREE: "Playlists/Slow.m3u8",
        }


def test_a_name_that_a_stranger_has_is_left_to_them() -> None:
    strangers = ["Playlists/road trip.M3U8"]

    ((_, paths),) = assign_paths(
        [ListName(ONE, "Road trip")], GENERIC, strangers=strangers, ours=()
    )

    assert paths == ("Playlists/Road trip [11111111].m3u8",)


def test_another_case_is_no_other_name() -> None:
    ours = ["Playlists/road trip.m3u8"]

    ((_, paths),) = assign_paths([ListName(ONE, "Road Trip")], GENERIC, strangers=(), ours=ours)

    assert paths[0] == "Playlists/road trip.m3u8"


@given(st.lists(words, max_size=6))
def test_no_two_lists_get_the_same_file(names: list[str]) -> None:
    lists = [ListName(f"{number:032x}"[::-1], name) for number, name in enumerate(names)]

    offered = [
        path for _, paths in assign_paths(lists, CAR, strangers=(), ours=()) for path in paths
    ]

    assert len({make_path_key(one) for one in offered}) == len(offered)


@pytest.mark.parametrize(
    ("path", "is_one"), [("a.m3u8", True), ("A.M3U", True), ("m3u8", False), ("a.mp3", False)]
)
def test_a_list_is_known_by_its_name(path: str, is_one: bool) -> None:
    assert is_playlist(path) is is_one


def test_a_film_on_a_playlist_is_found_too() -> None:
    film = Item(id=ONE, type=ItemType.MOVIE, title="Stalker", year=1979, extension="mkv")
    entry = PlaylistEntry(build_path(film, CAR.shape), "Stalker", None, 9720.0)

    assert read_back(render("x", [entry], CAR), CAR) == ["Stalker (1979)/Stalker (1979).mkv"]
