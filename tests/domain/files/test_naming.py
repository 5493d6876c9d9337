from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sidecar.domain.files.naming import (
    ANY,
    WITH_OWN_FOLDER,
    build_distinct_path,
    build_path,
    build_separate_path,
    clean_name,
    get_extension,
    is_part,
    make_path_key,
)
from sidecar.domain.files.presets import PRESETS, PresetName
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.items.media_types import EXTENSIONS, PLAIN
from tests.domain.files.titles import NASTY

ID = "0123456789abcdef0123456789abcdef"
TRACK = Item(
    id=ID,
    type=ItemType.AUDIO,
    title="Glósóli",
    artist="Sigur Rós",
    album="Takk…",
    album_artist="Sigur Rós",
    number=2,
    disc=1,
    year=2005,
    extension="flac",
)
EPISODE = Item(
    id=ID,
    type=ItemType.EPISODE,
    title="The Hub",
    series="The Line",
    number=2,
    disc=1,
    extension="mkv",
)
DAILY = Item(
    id=ID,
    type=ItemType.EPISODE,
    title="Daily Show 2024-05-06",
    series="Daily Show",
    aired=date(2024, 5, 6),
    extension="mkv",
)
VIDEO = Item(id=ID, type=ItemType.MUSIC_VIDEO, title="Hit", artist="Band A", extension="mp4")
FILM = Item(id=ID, type=ItemType.MOVIE, title="Stalker", year=1979, extension="mkv")

DEVICE_NAMES = {"CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$"} | {
    f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"
}
words = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_categories=[]), max_size=300),
    st.lists(st.sampled_from(NASTY), min_size=2, max_size=4).map("".join),
)
numbers = st.one_of(st.none(), st.integers(-3, 100_000))
items = st.builds(
    Item,
    id=st.text("0123456789abcdef", min_size=32, max_size=32),
    type=st.sampled_from(ItemType),
    title=words,
    artist=st.one_of(st.none(), words),
    album=st.one_of(st.none(), words),
    album_artist=st.one_of(st.none(), words),
    series=st.one_of(st.none(), words),
    number=numbers,
    disc=numbers,
    number_end=numbers,
    aired=st.one_of(st.none(), st.dates()),
    year=numbers,
    extension=st.one_of(st.none(), words, st.sampled_from(["flac", "mkv", "m4b"])),
)


BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
OBJECTIONS: dict[str, Callable[[str], bool]] = {
    "no name at all": lambda name: name in {"", ".", ".."},
    "FAT and Windows drop its end": lambda name: name != name.strip() or name.endswith("."),
    "FAT forbids a character": lambda name: bool(set(name) & set('<>:"/\\|?*')),
    "a control character": lambda name: any(ord(one) < 32 or ord(one) == 127 for one in name),
    "Windows has a device of this name": lambda name: (
        name.partition(".")[0].rstrip().upper() in DEVICE_NAMES
    ),
    "half a character": lambda name: any("\ud800" <= one <= "\udfff" for one in name),
    "longer than agreed": lambda name: len(name.encode("utf-8", "replace")) > 180,
    "turns the text round": lambda name: any(
        unicodedata.bidirectional(one) in BIDI for one in name
    ),
    "stored in other characters": lambda name: not unicodedata.is_normalized("NFC", name),
    "ours or Syncthing's": lambda name: (
        name.startswith((".", "~syncthing~")) or ".sync-conflict-" in name
    ),
}


def problems(name: str) -> list[str]:
    """What ext4, FAT32, exFAT, NTFS (as Windows guards it) and Android have against a name.

    Unlike those systems it also refuses what only misleads people or their sync program.
    """
    return [text for text, objects in OBJECTIONS.items() if objects(name)]


@pytest.mark.parametrize(
    ("item", "path"),
    [
        (TRACK, "Sigur Rós/Takk… (2005)/1-02 - Glósóli.flac"),
        (replace(TRACK, disc=2, number=11), "Sigur Rós/Takk… (2005)/2-11 - Glósóli.flac"),
        (replace(TRACK, disc=None), "Sigur Rós/Takk… (2005)/02 - Glósóli.flac"),
        (replace(TRACK, number=None), "Sigur Rós/Takk… (2005)/Glósóli.flac"),
        (replace(TRACK, year=None), "Sigur Rós/Takk…/1-02 - Glósóli.flac"),
        (replace(TRACK, album=None), "Sigur Rós/Unknown Album/1-02 - Glósóli.flac"),
        (
            replace(TRACK, artist=None, album_artist=None, album=None),
            "Unknown Artist/Unknown Album/1-02 - Glósóli.flac",
        ),
        (replace(TRACK, extension=None), "Sigur Rós/Takk… (2005)/1-02 - Glósóli.bin"),
        (replace(TRACK, extension="../sh"), "Sigur Rós/Takk… (2005)/1-02 - Glósóli.bin"),
        (replace(TRACK, extension="html"), "Sigur Rós/Takk… (2005)/1-02 - Glósóli.bin"),
        (
            replace(TRACK, extension="lnk", title="a.exe"),
            "Sigur Rós/Takk… (2005)/1-02 - a.exe.bin",
        ),
        (EPISODE, "The Line/Season 01/The Line - S01E02 - The Hub.mkv"),
        (replace(EPISODE, disc=0), "The Line/Specials/The Line - S00E02 - The Hub.mkv"),
        (replace(EPISODE, number=None), "The Line/Season 01/The Line - The Hub.mkv"),
        (replace(EPISODE, disc=None), "The Line/Season Unknown/The Line - The Hub.mkv"),
        (FILM, "Stalker (1979)/Stalker (1979).mkv"),
        (replace(FILM, year=None), "Stalker/Stalker.mkv"),
        (
            Item(id=ID, type=ItemType.AUDIO_BOOK, title="Emma", artist="Jane Austen"),
            "Jane Austen/Emma/Emma.bin",
        ),
        (replace(FILM, title="Plain (2005)", year=2005), "Plain (2005)/Plain (2005).mkv"),
        (replace(EPISODE, number_end=3), "The Line/Season 01/The Line - S01E02-E03 - The Hub.mkv"),
        (
            replace(EPISODE, title="The Line S01E02"),
            "The Line/Season 01/The Line - S01E02.mkv",
        ),
        (DAILY, "Daily Show/2024/Daily Show - 2024-05-06.mkv"),
        (
            replace(DAILY, title="Guest", disc=29),
            "Daily Show/Season 29/Daily Show - 2024-05-06 - Guest.mkv",
        ),
        (
            replace(DAILY, title="Daily Show", aired=None),
            "Daily Show/Season Unknown/Daily Show.mkv",
        ),
        (VIDEO, "Band A - Hit/Band A - Hit.mp4"),
        (replace(VIDEO, year=1984), "Band A - Hit (1984)/Band A - Hit (1984).mp4"),
        (replace(VIDEO, title="band a - Hit"), "band a - Hit/band a - Hit.mp4"),
        (replace(VIDEO, title="Band Aid"), "Band A - Band Aid/Band A - Band Aid.mp4"),
        (replace(VIDEO, artist=None), "Hit/Hit.mp4"),
        (replace(VIDEO, type=ItemType.VIDEO), "Hit/Hit.mp4"),
        (
            replace(TRACK, album_artist="AC/DC", album="What?", title="CON", number=None),
            "AC_DC/What_ (2005)/CON_.flac",
        ),
        (
            replace(TRACK, album_artist="../..", album="..", title="/etc/passwd", year=None),
            "__/_/1-02 - _etc_passwd.flac",
        ),
    ],
)
def test_a_file_is_where_people_look_for_it(item: Item, path: str) -> None:
    assert build_path(item) == path


@given(items)
def test_every_part_of_a_path_is_a_name_on_every_file_system(item: Item) -> None:
    wanted = build_path(item)
    for path in (
        wanted,
        build_distinct_path(wanted, item.id),
        *([build_separate_path(wanted, item.id)] if item.type in WITH_OWN_FOLDER else []),
    ):
        parts = path.split("/")

        assert [problems(part) for part in parts] == [[]] * len(parts), path
        assert len(parts) in {2, 3}
        assert len(path.encode("utf-16-le")) // 2 <= 240


@given(words)
@example("a\u0327\u200b\u0301")
@example("\u200d. \u200d.")
def test_a_name_once_clean_stays_as_it_is(text: str) -> None:
    assert clean_name(clean_name(text)) == clean_name(text)


@given(words, st.sampled_from(["flac", "mkv"]))
def test_a_long_title_never_loses_its_extension(title: str, extension: str) -> None:
    path = build_path(replace(TRACK, title=title, extension=extension))

    assert path.endswith(f".{extension}")


@given(words, words)
def test_tracks_of_one_album_share_its_folder_however_long_their_titles(
    one: str, other: str
) -> None:
    long = replace(TRACK, album_artist="A" * 100, album="B" * 200)

    paths = [build_path(replace(long, title=title)).rpartition("/") for title in (one, other)]

    assert paths[0][0] == paths[1][0]


@given(items, items)
def test_two_items_with_one_path_get_two(one: Item, other: Item) -> None:
    other = replace(one, id=other.id)
    assume(one.id[:8] != other.id[:8])

    path = build_path(one)

    keys = {
        make_path_key(path),
        make_path_key(build_distinct_path(path, one.id)),
        make_path_key(build_distinct_path(path, other.id)),
    }
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("A/b.flac", "A/b [01234567].flac"),
        ("b", "b [01234567]"),
        ("A/Vol. 2 - x", "A/Vol. 2 - x [01234567]"),
        ("A/" + "x" * 175 + ".flac", "A/" + "x" * 164 + " [01234567].flac"),
    ],
)
def test_another_name_keeps_the_extension_and_is_the_same_each_time(path: str, other: str) -> None:
    assert build_distinct_path(path, ID) == other


@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("Plain (2005)/Plain (2005).mkv", "Plain (2005) [01234567]/Plain (2005) [01234567].mkv"),
        ("x" * 160 + "/y.mkv", "x" * 149 + " [01234567]/y [01234567].mkv"),
    ],
)
def test_a_film_can_have_a_folder_of_its_own(path: str, other: str) -> None:
    assert build_separate_path(path, ID) == other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Artist/Intro.flac", "artist/INTRO.flac"),
        ("Beyonc\u00e9", "Beyonce\u0301"),
        ("Stra\u00dfe", "STRASSE"),
        ("I", "\u0131"),
        ("\u03c3", "\u03c2"),
        ("A/dot.", "A/dot"),
        ("A./b", "A/b"),
        ("a\u200db", "ab"),
    ],
)
def test_names_that_some_device_takes_for_one_have_one_key(one: str, other: str) -> None:
    assert make_path_key(one) == make_path_key(other)


@pytest.mark.parametrize(("one", "other"), [("A/b", "A/c"), ("A/b", "A b"), ("a-b", "a_b")])
def test_names_that_differ_have_two_keys(one: str, other: str) -> None:
    assert make_path_key(one) != make_path_key(other)


@given(words)
def test_the_key_of_a_name_is_that_of_all_its_spellings(text: str) -> None:
    name = clean_name(text)

    spellings = {name, unicodedata.normalize("NFD", name), name.upper(), name.casefold()}

    assert {make_path_key(spelling) for spelling in spellings} == {make_path_key(name)}


def test_long_names_that_differ_only_at_their_end_stay_two() -> None:
    one, other = (build_path(replace(TRACK, title="x" * 300 + end)) for end in "ab")

    assert make_path_key(one) != make_path_key(other)


@pytest.mark.parametrize(
    "sign",
    ["👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "e\u0323\u0307", "ü", "🏳️‍🌈"],
)
def test_a_long_name_is_cut_between_the_signs_that_people_see(sign: str) -> None:
    sign = unicodedata.normalize("NFC", sign)

    for before in range(8):
        kept = clean_name("x" * before + sign * 100).rpartition(" ")[0]

        assert kept == "x" * before + sign * kept.count(sign)
        assert kept.count(sign) > 5


def test_a_heap_of_accents_is_cut_rather_than_lost() -> None:
    assert clean_name("a" + "\u0301" * 400).startswith("\u00e1\u0301\u0301")


def test_a_cut_leaves_no_gap_before_its_mark() -> None:
    assert "  " not in clean_name("x" * 170 + " " + "y" * 170)


def test_another_name_fits_even_where_the_first_took_all_the_room() -> None:
    path = build_path(replace(TRACK, album_artist="A" * 200, album="B" * 200, title="C" * 200))

    assert len(path) == 240
    assert len(build_distinct_path(path, ID)) == 240


@given(items)
def test_a_file_ends_in_what_only_players_open(item: Item) -> None:
    assert get_extension(build_path(item)) in EXTENSIONS | {PLAIN}


def test_the_number_of_a_part_is_never_cut_off_with_a_long_title() -> None:
    car = PRESETS[PresetName.CAR].shape
    for title in (
        "Stalker Part 1",
        "A very long title of a film that goes on",
        "x" * 300,
        "ü" * 90,
    ):
        for shape in (ANY, car):
            for part in (1, 2):
                path = build_path(replace(FILM, title=title, part=part, part_of="f" * 32), shape)
                distinct = build_distinct_path(path, ID)

                assert path.endswith(f"-part{part}.mkv")
                assert distinct.endswith(f"-part{part} [01234567].mkv")
                names = (*path.split("/"), *distinct.split("/"))
                assert max(len(one.encode()) for one in names) <= 180
                if shape is car:
                    assert max(map(len, names)) <= 64
                assert is_part(path, ItemType.MOVIE)
                assert is_part(distinct, ItemType.MOVIE)


@pytest.mark.parametrize(
    ("path", "item_type"),
    [
        ("A/B/1-01 - Song-part2.flac", ItemType.AUDIO),
        ("Line/Season 01/Line - S01E01 - Fall-part1.mkv", ItemType.EPISODE),
        ("Fall-part1/Fall-part1.mkv", ItemType.MOVIE),
        ("Fall (2001)/Fall (2001).mkv", ItemType.MOVIE),
    ],
)
def test_what_is_only_called_a_part_is_none(path: str, item_type: ItemType) -> None:
    assert not is_part(path, item_type)


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_names_have_the_same_key_as_beside_other_letters(name: str) -> None:
    assert make_path_key(f"é{name}") == f"é{make_path_key(name)}"
