from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from sidecar.domain.files.folders import LEFT_FREE_IN_ROOT, PlannedFolders, find_paths, owner_id
from sidecar.domain.files.naming import NameLimits, make_path_key
from sidecar.domain.files.presets import PRESETS, PresetName
from sidecar.domain.items.item import Item, ItemType
from tests.domain.examples import SONG as TRACK

EPISODE = Item(
    id="3" * 32,
    type=ItemType.EPISODE,
    title="Pilot",
    series="Echo",
    series_id="cccccccc" + "0" * 24,
    disc=1,
    number=1,
    extension="mkv",
)
FILM = Item(id="5" * 32, type=ItemType.MOVIE, title="Film", year=2001, extension="mkv")
ROCKBOX = PRESETS[PresetName.ROCKBOX].shape


def put(items: Sequence[Item], shape: NameLimits = ROCKBOX) -> list[str]:
    """Return the paths of items that come to an empty device one after the other."""
    there, taken = PlannedFolders(), set[str]()
    paths = []
    for one in items:
        path = next(it for it in find_paths(one, there, shape) if make_path_key(it) not in taken)
        taken.add(make_path_key(path))
        there.add(path, owner_id(one.type, one.id, one.album_id, one.series_id))
        paths.append(path)
    return paths


def folders(paths: Sequence[str]) -> list[str]:
    return [one.rpartition("/")[0] for one in paths]


@pytest.mark.parametrize("preset", PresetName)
def test_the_mark_of_a_remaster_stands_on_its_folder(preset: PresetName) -> None:
    remaster = replace(TRACK, id="2" * 32, album_id="11aff194" + "0" * 24)
    second = replace(remaster, id="4" * 32, title="Other", number=2)

    paths = put([TRACK, remaster, second, replace(TRACK, id="6" * 32)], PRESETS[preset].shape)

    plain = "Duo - Twin" if preset == "car" else "Duo/Twin (2001)"
    marked = f"{plain} [11aff194]"
    assert folders(paths) == [plain, marked, marked, plain]
    assert "[" not in "".join(one.rpartition("/")[2] for one in paths[:3])


def test_two_series_of_one_name_have_a_folder_each() -> None:
    other = replace(EPISODE, id="4" * 32, series_id="dddddddd" + "0" * 24)

    paths = put([EPISODE, other, replace(other, id="6" * 32, disc=2)])

    assert folders(paths) == [
        "Echo/Season 01",
        "Echo [dddddddd]/Season 01",
        "Echo [dddddddd]/Season 02",
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (replace(TRACK, artist="Duo"), replace(TRACK, artist="DUO", album="Next", album_id="b")),
        (replace(TRACK, album="Echo"), replace(TRACK, album="ECHO")),
        (replace(TRACK, album="Echo"), replace(TRACK, album="ECHO", album_id="b" * 32)),
        (replace(TRACK, album="Caf\u00e9"), replace(TRACK, album="CAFE\u0301")),
        (EPISODE, replace(EPISODE, series="ECHO", number=2)),
        (EPISODE, replace(EPISODE, series="ECHO", series_id="d" * 32)),
    ],
)
@pytest.mark.parametrize("preset", PresetName)
def test_no_two_folders_differ_in_spelling_only(
    first: Item, second: Item, preset: PresetName
) -> None:
    paths = put([first, replace(second, id="2" * 32)], PRESETS[preset].shape)

    parts = {"/".join(one.split("/")[:n]) for one in paths for n in range(1, one.count("/") + 1)}
    assert len(parts) == len(set(map(make_path_key, parts)))
    if first.album_id == second.album_id and first.series_id == second.series_id:
        assert len(set(folders(paths))) == (1 if first.artist == second.artist else 2)


def test_the_second_takes_the_spelling_that_is_there() -> None:
    loud = replace(TRACK, id="2" * 32, artist="DUO", album="TWIN", number=2)

    assert folders(put([TRACK, loud])) == ["Duo/Twin (2001)"] * 2
    other = replace(loud, album_id="b" * 32)
    assert folders(put([TRACK, other])) == ["Duo/Twin (2001)", "Duo/Twin (2001) [bbbbbbbb]"]


def test_what_the_server_puts_into_no_album_lies_together() -> None:
    loose = [replace(TRACK, id=f"{n:032x}", album=None, album_id=None, number=n) for n in (1, 2)]

    assert folders(put(loose)) == ["Duo/Unknown Album"] * 2


def test_a_full_folder_is_continued_in_another() -> None:
    tracks = [replace(TRACK, id=f"{n:032x}", number=n) for n in range(8)]

    assert folders(put(tracks, NameLimits(most_in_folder=3))) == [
        *["More/Duo/Twin (2001)"] * 3,
        *["More/Duo/Twin (2001) 2"] * 3,
        *["More/Duo/Twin (2001) 3"] * 2,
    ]


def test_lyrics_and_the_cover_are_counted_with_the_files() -> None:
    tracks = [replace(TRACK, id=f"{n:032x}", number=n) for n in range(401)]

    found = folders(put(tracks, replace(ROCKBOX, beside_each=1)))

    # 199 files with as many lyrics and one cover.
    assert [found.count(one) for one in dict.fromkeys(found)] == [199, 199, 3]


def test_folders_are_counted_too_also_in_the_root() -> None:
    most = LEFT_FREE_IN_ROOT + 2
    shape = NameLimits(most_in_folder=most)
    artists = [
        replace(TRACK, id=f"{n:032x}", album_id=f"{n:032x}", artist=f"Duo {n}") for n in range(25)
    ]

    found = put(artists, shape)

    assert [one.split("/")[0] for one in found] == [
        "Duo 0",
        "Duo 1",
        *["More"] * 18,
        *["More 2"] * 5,
    ]
    albums = [
        replace(TRACK, id=f"{n:032x}", album_id=f"{n:032x}", album=f"Album {n}")
        for n in range(most + 1)
    ]
    assert [one.split("/")[0] for one in put(albums, shape)] == [*["Duo"] * most, "Duo 2"]


def test_an_album_stays_together_when_the_root_has_room_again() -> None:
    shape = NameLimits(most_in_folder=LEFT_FREE_IN_ROOT + 5)
    there = PlannedFolders()
    there.add("More/Duo/Twin (2001)/01 - Song.flac", TRACK.album_id)

    (first, *_) = find_paths(replace(TRACK, number=2), there, shape)

    assert first == "More/Duo/Twin (2001)/02 - Song.flac"


@pytest.mark.parametrize("other", [TRACK, replace(FILM, id="6" * 32)])
def test_a_film_shares_its_folder_with_nothing(other: Item) -> None:
    there = PlannedFolders()
    there.add("Film (2001)/x.mkv", owner_id(other.type, other.id, other.album_id, None))

    assert list(find_paths(FILM, there)) == ["Film (2001) [55555555]/Film (2001) [55555555].mkv"]


def test_the_folder_of_another_albums_number_is_passed_over() -> None:
    shape = NameLimits(most_in_folder=LEFT_FREE_IN_ROOT + 1)
    there = PlannedFolders()
    for number in range(LEFT_FREE_IN_ROOT + 1):
        there.add(f"Duo/Twin (2001)/{number}.flac", TRACK.album_id)
    there.add("Duo/Twin (2001) 2/1.flac", "another")

    assert next(find_paths(TRACK, there, shape)).startswith("Duo/Twin (2001) 3/")
