from __future__ import annotations

from dataclasses import replace

import pytest

from sidecar.domain.downloads.download import Download, Move
from sidecar.domain.files.tiles import tile_key
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.wishes import Reason, Wish
from sidecar.events import Bus
from sidecar.store.database import Database
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.downloads.insert import FilePlace, NewDownload
from sidecar.store.downloads.queue import Downloads
from sidecar.store.files.albums import (
    AlbumIndex,
    Numbers,
    Tile,
    select_facts,
    select_newest,
    select_page,
    select_tiles,
)
from sidecar.store.files.search import FileIndex
from sidecar.store.rules.holds import Holds
from tests.store.examples import ANN, BEGIN, BEN, CARD, HASH, STICK, item_id

ALBUM, OTHER = item_id(900), item_id(901)
EVERYTHING = DownloadFilter()


@pytest.fixture
def albums(db: Database) -> AlbumIndex:
    return AlbumIndex(db)


def arrived(
    downloads: Downloads,
    number: int,
    *,
    path: str | None = None,
    device: str = STICK,
    user: str = ANN,
    **facts: object,
) -> Download:
    values: dict[str, object] = {"title": f"Track {number}", "type": ItemType.AUDIO}
    item = Item(id=item_id(number), **{**values, **facts})  # type: ignore[arg-type]  # by name
    place = FilePlace(path or f"{number}.flac", path or f"{number}.flac")
    downloads.queue.add_all(
        [NewDownload(item=item, device_id=device, user_id=user, places=[place])]
    )
    (running,) = downloads.queue.claim_together(BEGIN, at_most=1)
    downloads.transitions.mark_arrived(running, size=900, content_hash=HASH, mime_type=None)
    there = downloads.queries.get(running.id)
    assert there is not None
    return there


def told(found: tuple[object, Numbers]) -> list[tuple[str, str | None, int, int]]:
    tiles, _ = found
    return [(one.key, one.artist, one.files, one.bytes) for one in tiles]  # type: ignore[attr-defined]  # tiles


def test_albums_series_and_films_are_one_tile_each_the_newest_first(
    downloads: Downloads, albums: AlbumIndex
) -> None:
    arrived(downloads, 1, album_id=ALBUM, album="First Light", artist="The Sine Waves")
    arrived(downloads, 2, type=ItemType.EPISODE, series="The Signal")
    arrived(downloads, 3, type=ItemType.MOVIE, title="Noon")
    arrived(downloads, 4, type=ItemType.EPISODE, series="The Signal")
    arrived(downloads, 5, album_id=ALBUM, album="First Light", artist="The Sine Waves")
    arrived(downloads, 6, album_id=ALBUM, artist="The Sine Waves", device=CARD)

    found = albums.page(EVERYTHING, 1, 10)

    assert told(found) == [
        (ALBUM, "The Sine Waves", 3, 2700),
        ("series:The Signal", "The Signal", 2, 1800),
        (item_id(3), None, 1, 900),
    ]
    assert found[1] == albums.numbers(EVERYTHING) == Numbers(3, 6)
    assert {one.key for one in found[0]} == {tile_key(one.newest) for one in found[0]}
    assert [(one.items, one.devices) for one in found[0]] == [(3, 2), (2, 1), (1, 1)]
    of_card = DownloadFilter(device_id=CARD)
    assert told(albums.page(of_card, 1, 10)) == [(ALBUM, "The Sine Waves", 1, 900)]
    for which in (EVERYTHING, of_card):
        for most in (2, 10):
            assert albums.newest(which, most) == list(albums.page(which, 1, most)[0])


def test_an_album_of_many_artists_is_nobody_s(downloads: Downloads, albums: AlbumIndex) -> None:
    for number, artist in enumerate(("Ann", "Ben"), 1):
        arrived(downloads, number, album_id=ALBUM, artist=artist)

    assert told(albums.page(EVERYTHING, 1, 10)) == [(ALBUM, None, 2, 1800)]


def test_words_choose_the_tiles_and_each_tells_all_that_it_has(
    downloads: Downloads, albums: AlbumIndex
) -> None:
    for number in range(1, 4):
        arrived(downloads, number, album_id=ALBUM, album="First Light")
    arrived(downloads, 4, album_id=OTHER, album="Evenings")

    found = albums.page(DownloadFilter(text="track 2"), 1, 10)

    assert [(one.key, one.newest.title, one.files) for one in found[0]] == [(ALBUM, "Track 2", 3)]
    assert found[1] == Numbers(tiles=1, files=1)


def test_pages_are_parts_of_the_whole(downloads: Downloads, albums: AlbumIndex) -> None:
    for number in range(1, 6):
        arrived(downloads, number)

    pages = [albums.page(EVERYTHING, page, 2) for page in (1, 2, 3, 4)]

    assert [number for _, number in pages] == [Numbers(5, 5)] * 4
    titles = [one.newest.title for tiles, _ in pages for one in tiles]
    assert titles == [f"Track {number}" for number in (5, 4, 3, 2, 1)]


def test_the_files_of_an_album_are_in_the_order_of_their_discs_and_numbers(
    downloads: Downloads, albums: AlbumIndex
) -> None:
    names = ("2-01 - a", "1-10 - b", "1-2 - c", "1-100 - d")
    for number, name in enumerate(names, 1):
        arrived(downloads, number, path=f"x/{name}.flac", title=name, album_id=ALBUM)
    arrived(downloads, 9, album_id=OTHER)

    found, total = albums.files(ALBUM, EVERYTHING, 1, 3)
    rest, _ = albums.files(ALBUM, EVERYTHING, 2, 3)

    assert total == 4
    assert [one.title[:5] for one in (*found, *rest)] == ["1-2 -", "1-10 ", "1-100", "2-01 "]
    tile = albums.tile(ALBUM, EVERYTHING)
    assert isinstance(tile, Tile)
    assert tile.files == 4


def test_what_went_is_in_no_tile(downloads: Downloads, albums: AlbumIndex) -> None:
    there = arrived(downloads, 1, album_id=ALBUM)

    downloads.transitions.move(there, Move.EVICT)

    assert albums.page(EVERYTHING, 1, 10) == ((), Numbers(0, 0))
    assert albums.tile(ALBUM, EVERYTHING) is None
    assert albums.files(ALBUM, EVERYTHING, 1, 10) == ([], 0)


def test_everybody_sees_tiles_of_their_own_files_only(
    db: Database, bus: Bus, downloads: Downloads, albums: AlbumIndex
) -> None:
    for number in (1, 2):
        arrived(downloads, number, album_id=ALBUM)
    arrived(downloads, 3, user=BEN, album_id=ALBUM)
    taken = Item(id=item_id(2), type=ItemType.AUDIO, title="Track 2")
    Holds(db, bus).keep(Wish(BEN, STICK, taken, Reason("pin", "2", "")))

    def files(**which: object) -> tuple[list[int], int, list[str]]:
        asked = DownloadFilter(**which)  # type: ignore[arg-type]  # by name
        tiles, numbers = albums.page(asked, 1, 10)
        listed, total = albums.files(ALBUM, asked, 1, 10)
        assert total == len(listed) == numbers.files == sum(one.files for one in tiles)
        assert albums.newest(asked, 10) == list(tiles)
        assert FileIndex(db).page(asked, 1, 10)[1] == total
        return [one.files for one in tiles], total, [one.title for one in listed]

    assert files(viewer=ANN) == ([1], 1, ["Track 1"])
    assert files(viewer=BEN) == ([2], 2, ["Track 2", "Track 3"])
    assert files(owners=frozenset({BEN})) == files(viewer=BEN)
    assert files(owners=frozenset({ANN, BEN})) == ([3], 3, ["Track 1", "Track 2", "Track 3"])
    # Nobody can see by a filter what is not theirs.
    assert files(viewer=ANN, owners=frozenset({BEN})) == ([], 0, [])
    assert albums.tile(ALBUM, DownloadFilter(viewer="c" * 32)) is None


@pytest.mark.parametrize("viewer", [None, ANN, BEN, "c" * 32])
@pytest.mark.parametrize("text", ["", "track", "track 1", "light", "light !!!", "nothing"])
def test_what_triggers_keep_tells_the_same_as_the_files(
    db: Database, downloads: Downloads, albums: AlbumIndex, text: str, viewer: str | None
) -> None:
    first, light = arrived(downloads, 1, album_id=ALBUM), "Light!!!"
    arrived(downloads, 2, album_id=OTHER, album=light)
    arrived(downloads, 11, type=ItemType.EPISODE, series="The Signal", title=light)
    arrived(downloads, 12, type=ItemType.MOVIE, user=BEN)
    arrived(downloads, 1, album_id=ALBUM, device=CARD, user=BEN)
    gone = arrived(downloads, 13, album_id=ALBUM, album=light)
    seen = [one for one in downloads.queries.files_on(STICK) if one.id in {first.id, gone.id}]
    downloads.sightings.note_look(STICK, missing=seen, present=())
    kept, offline = DownloadFilter(text=text, viewer=viewer), FileIndex(db)
    # With a condition that all fulfil the files themselves are asked.
    asked = replace(kept, left_out=frozenset({"no device"}))

    assert albums.numbers(kept) == albums.numbers(asked)
    for page in (1, 2, 3):
        assert albums.page(kept, page, 2) == albums.page(asked, page, 2)
        assert offline.page(kept, page, 2) == offline.page(asked, page, 2)


@pytest.mark.sqlite
def test_all_tiles_are_read_from_the_newest_on_and_words_by_number(db: Database) -> None:
    everything, words = (
        select_tiles(DownloadFilter(text=text), db.dialect.words) for text in ("", "track")
    )

    steps = plan(db, select_page(everything), (24, 0))
    assert "SCAN tiles USING COVERING INDEX tiles_by_newest" in steps
    assert not any("TEMP B-TREE" in one for one in steps)
    steps = plan(db, select_page(words), (*words.values, 24, 0))
    assert "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)" in steps
    assert not any("downloads" in one for one in steps)


def plan(db: Database, sql: str, values: tuple[object, ...]) -> list[str]:
    return [row[3] for row in db.sql(f"EXPLAIN QUERY PLAN {sql}", values)]


@pytest.mark.sqlite
@pytest.mark.parametrize("viewer", [None, ANN])
@pytest.mark.parametrize("text", ["", "track"])
def test_nothing_is_walked_through_but_what_fits(
    db: Database, text: str, viewer: str | None
) -> None:
    which = DownloadFilter(text=text, viewer=viewer, owners=frozenset({BEN}))
    found, told = select_tiles(which, db.dialect.words), select_facts([ALBUM], which)
    steps = plan(db, select_page(found), (*found.values, 24, 0)) + plan(db, told.text, told.values)

    scans = [one for one in steps if one.startswith("SCAN") and "VIRTUAL TABLE" not in one]
    # The index of the tiles has finished files alone.
    assert set(scans) <= {"SCAN found", "SCAN d USING INDEX downloads_by_tile"}
    assert any("downloads_by_tile (tile=?)" in one for one in steps)


@pytest.mark.sqlite
def test_the_newest_tiles_are_found_from_the_newest_file_on(db: Database) -> None:
    asked = select_newest(DownloadFilter(viewer=ANN))

    steps = plan(db, asked.text, (*asked.values, 12))

    assert steps[0] == "SEARCH d USING INDEX downloads_by_status (status=?)"
    assert "SEARCH later USING INDEX downloads_by_tile (tile=? AND id>?)" in steps
    # Nothing is sorted, so it ends with the last tile that is shown.
    assert not any("TEMP B-TREE" in one for one in steps)
