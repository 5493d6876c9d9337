from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from sidecar.domain.files.groups import Container, fit_into_group, make_groups
from sidecar.domain.files.naming import build_path
from sidecar.domain.files.presets import PRESETS, PresetName
from sidecar.domain.items.item import Item, ItemType

ALBUM, BOOK, SEASON = "a" * 32, "b" * 32, "c" * 32
TRACK = Item(
    id="1" * 32,
    type=ItemType.AUDIO,
    title="Song",
    artist="Anna",
    album_artist="Anna",
    album="Mix",
    album_id=ALBUM,
    number=2,
    extension="flac",
)
PART = Item(
    id="2" * 32,
    type=ItemType.AUDIO_BOOK,
    title="part1",
    album_id=BOOK,
    extension="mp3",
    source_path="/books/Some Author/Some Book/part1.mp3",
)
EPISODE = Item(
    id="3" * 32,
    type=ItemType.EPISODE,
    title="Long Run",
    series="Daily",
    season_id=SEASON,
    disc=1,
    number=98,
    extension="mkv",
)


def named(item: Item, *fellows: Item, within: Container | None = None, preset: str = "") -> str:
    """Return the path of an item among its fellows."""
    containers = {} if within is None else {item.album_id or "": within}
    group = make_groups([item], fellows, containers)[item.id]
    return build_path(item, PRESETS[PresetName(preset or "generic")].shape, group)


def numbered(
    item: Item, *numbers: int, disc: int | None = None, number_end: int | None = None
) -> Sequence[Item]:
    """Return fellows of an item with these numbers."""
    disc = item.disc if disc is None else disc
    return [
        replace(item, id=f"{index:032x}", number=number, disc=disc, number_end=number_end)
        for index, number in enumerate(numbers, 100)
    ]


@pytest.mark.parametrize("preset", PresetName)
def test_a_compilation_is_one_folder_with_the_artist_and_year_of_the_album(preset: str) -> None:
    tracks = [
        replace(TRACK, id=f"{n:032x}", number=n, artist=name, album_artist=name, year=1990 + n)
        for n, name in enumerate(("Anna", "Bert", "Cleo"), 1)
    ]
    album = Container(title="Mix", artist="Various", year=2004)

    paths = [named(one, *tracks, within=album, preset=preset) for one in tracks]

    (folder,) = {one.rpartition("/")[0] for one in paths}
    assert folder == ("Various - Mix" if preset == "car" else "Various/Mix (2004)")


@pytest.mark.parametrize(
    ("artists", "folder"),
    [
        (("Anna", "Bert"), "Various Artists/Mix"),
        (("Anna", "Anna"), "Anna/Mix"),
        ((None, None), "Unknown Artist/Mix"),
    ],
)
def test_an_album_without_an_artist_is_one_folder_too(
    artists: Sequence[str | None], folder: str
) -> None:
    tracks = [
        replace(TRACK, id=f"{n:032x}", number=n, artist=name, album_artist=name, year=1999 + n)
        for n, name in enumerate(artists)
    ]

    paths = [named(one, *tracks, within=Container(title="Mix")) for one in tracks]

    assert {one.rpartition("/")[0] for one in paths} == {folder}


def test_without_the_album_item_the_tags_of_the_file_are_used() -> None:
    assert named(replace(TRACK, year=1999)) == "Anna/Mix (1999)/02 - Song.flac"
    assert make_groups([replace(TRACK, album_id=None)]) == {}


@pytest.mark.parametrize(
    ("fellows", "name"),
    [
        (numbered(TRACK, 1, 99), "02 - Song.flac"),
        (numbered(TRACK, 1, 100), "002 - Song.flac"),
        (numbered(TRACK, 1200), "0002 - Song.flac"),
        # A date, not a number.
        (numbered(TRACK, 20231105), "02 - Song.flac"),
        (numbered(TRACK, 1, disc=1), "1-02 - Song.flac"),
        (numbered(TRACK, 1, disc=0), "02 - Song.flac"),
        (numbered(TRACK, 1, disc=9), "1-02 - Song.flac"),
        (numbered(TRACK, 1, disc=10), "01-02 - Song.flac"),
        ([replace(TRACK, id="9" * 32, album_id="d" * 32, disc=2)], "02 - Song.flac"),
        ([replace(TRACK, id="9" * 32, album_id=None, disc=2)], "02 - Song.flac"),
    ],
)
@pytest.mark.parametrize("disc", [None, 0])
def test_numbers_have_as_many_digits_as_the_album_needs_and_a_missing_disc_is_the_first(
    fellows: Sequence[Item], name: str, disc: int | None
) -> None:
    assert named(replace(TRACK, disc=disc), *fellows) == f"Anna/Mix/{name}"


def test_the_order_of_names_is_that_of_the_album() -> None:
    tracks = [
        replace(TRACK, id=f"{disc * 200 + n:032x}", disc=disc, number=n)
        for disc in (1, 2, 10, 11)
        for n in (1, 2, 99, 100, 101)
    ]

    paths = [named(one, *tracks) for one in tracks]

    assert paths == sorted(paths)


@pytest.mark.parametrize(
    ("fellows", "code"),
    [
        (numbered(EPISODE, 1, 99), "S01E98"),
        (numbered(EPISODE, 1, 100), "S01E098"),
        (numbered(EPISODE, 99, number_end=100), "S01E098"),
        ([replace(EPISODE, id="9" * 32, season_id="d" * 32, number=100)], "S01E98"),
    ],
)
def test_episodes_have_as_many_digits_as_their_season_needs(
    fellows: Sequence[Item], code: str
) -> None:
    assert named(EPISODE, *fellows) == f"Daily/Season 01/Daily - {code} - Long Run.mkv"
    assert named(EPISODE, *fellows, preset="car") == f"Daily - Season 01/{code} Long Run.mkv"
    double = replace(EPISODE, number_end=99)
    assert f"{code}-E{code.partition('E')[2].replace('98', '99')}" in named(double, *fellows)


@pytest.mark.parametrize(
    ("folder", "author", "part", "path"),
    [
        ("Some Book", "Some Author", {}, "Some Author/Some Book/part1.mp3"),
        ("Some Book", None, {}, "Unknown Artist/Some Book/part1.mp3"),
        ("Some Book", "Some Author", {"album": "Told"}, "Some Author/Told/part1.mp3"),
        ("Some Book", "Some Author", {"artist": "Reader"}, "Reader/Some Book/part1.mp3"),
        ("Some Book", "Some Author", {"number": 3}, "Some Author/Some Book/03 - part1.mp3"),
    ],
)
def test_the_author_and_the_book_of_an_audiobook_are_its_folders_where_the_tags_say_nothing(
    folder: str, author: str | None, part: dict[str, str | int], path: str
) -> None:
    within = Container(title=folder, artist=author, path="/books/Some Author/Some Book")

    assert named(replace(PART, **part), within=within) == path  # type: ignore[arg-type]


def test_the_only_file_of_a_books_folder_is_the_book_itself() -> None:
    within = Container(title="Some Author", path="/books/Some Author")
    other = replace(
        PART, id="9" * 32, album="Other", source_path="/books/Some Author/Other/other.mp3"
    )

    assert named(PART, other, within=within) == "Some Author/part1/part1.mp3"


def test_the_parts_of_a_book_are_together_whatever_their_tags_say() -> None:
    parts = [
        replace(PART, id=f"{n:032x}", album=f"Chapter {n}", artist=f"Voice {n}", year=2000 + n)
        for n in (1, 2)
    ]
    within = Container(title="Some Book", artist="Some Author", path="/books/Some Author/Some Book")

    folders = {named(one, *parts, within=within).rpartition("/")[0] for one in parts}

    assert folders == {"Some Author/Some Book"}


def test_a_film_has_no_group() -> None:
    film = Item(id="4" * 32, type=ItemType.MOVIE, title="Film", album_id=ALBUM)

    assert make_groups([film]) == {}
    assert fit_into_group(film, make_groups([TRACK])[TRACK.id]) == film
