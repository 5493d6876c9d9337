from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.downloads.download import Download, Move, Status
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.wishes import Reason, Wish
from sidecar.events import Bus
from sidecar.store.database import Database
from sidecar.store.downloads.filter import DownloadFilter, search_key
from sidecar.store.downloads.insert import FilePlace, NewDownload
from sidecar.store.downloads.queue import Downloads
from sidecar.store.files import search
from sidecar.store.files.search import FileIndex, fold_text, select_files
from sidecar.store.rules.holds import Holds
from tests.statements import hook
from tests.store.examples import ANN, BEGIN, BEN, CARD, HASH, STICK, item_id, wanted


@pytest.fixture
def shelf(db: Database) -> FileIndex:
    return FileIndex(db)


def arrived(downloads: Downloads, number: int, *, user: str = ANN, **facts: object) -> Download:
    values: dict[str, object] = {"title": f"Track {number}", "type": ItemType.AUDIO}
    item = Item(id=item_id(number), **{**values, **facts})  # type: ignore[arg-type]
    place = FilePlace(f"{number}.flac", f"{number}.flac")
    downloads.queue.add_all([NewDownload(item=item, device_id=STICK, user_id=user, places=[place])])
    (running,) = downloads.queue.claim_together(BEGIN, at_most=1)
    downloads.transitions.mark_arrived(running, size=900, content_hash=HASH, mime_type=None)
    there = downloads.queries.get(running.id)
    assert there is not None
    return there


def titles(shelf: FileIndex, text: str, **which: object) -> list[str]:
    asked = DownloadFilter(text=text, **which)  # type: ignore[arg-type]
    found, total = shelf.page(asked, 1, 100)
    assert total == len(found)
    return [one.title for one in found]


def test_it_is_found_by_the_beginnings_of_words_in_any_case_and_without_accents(
    downloads: Downloads, shelf: FileIndex
) -> None:
    arrived(downloads, 1, title="Jóga", artist="Björk", album="Homogenic")
    arrived(downloads, 2, title="Sordid Affair", artist="Röyksopp", album="The Inevitable End")
    arrived(downloads, 3, title="Skål på Færøyene", artist="Łódź Straße", album="Þrír")
    arrived(downloads, 4, title="Pilot", series="The Signal", type=ItemType.EPISODE)

    assert titles(shelf, "jog") == titles(shelf, "BJÖ homo") == ["Jóga"]
    assert titles(shelf, "royk inev") == titles(shelf, "ROYKSOPP") == ["Sordid Affair"]
    for text in ("faeroy", "færøy", "lodz strasse", "thrir", "Þrír skal"):
        assert titles(shelf, text) == ["Skål på Færøyene"], text
    assert titles(shelf, "signal pil") == ["Pilot"]
    assert titles(shelf, "oga") == titles(shelf, "jog royk") == []


@pytest.mark.parametrize(
    "text", ['"', "*", "AND", "a OR b", "text:x", "NEAR(", "^", "\0", "a\0b", "-", "'", "( )"]
)
def test_no_text_is_taken_for_a_command(downloads: Downloads, shelf: FileIndex, text: str) -> None:
    arrived(downloads, 1, title="Nothing of the kind")

    assert titles(shelf, text) in ([], ["Nothing of the kind"])


def test_a_name_without_a_letter_is_found_as_well(downloads: Downloads, shelf: FileIndex) -> None:
    arrived(downloads, 1, title="Me and Giuliani", artist="!!!")
    arrived(downloads, 2, title="Can't Stop", artist="Somebody")

    assert titles(shelf, "!!!") == titles(shelf, "!!! giul") == ["Me and Giuliani"]
    assert titles(shelf, "can't st") == ["Can't Stop"]


def test_only_files_that_are_there_are_listed_newest_first(
    downloads: Downloads, shelf: FileIndex
) -> None:
    first, second = arrived(downloads, 1), arrived(downloads, 2)
    third = arrived(downloads, 3, type=ItemType.MOVIE)
    downloads.queue.add_all([wanted(4)])
    assert titles(shelf, "") == titles(shelf, "track") == ["Track 3", "Track 2", "Track 1"]
    assert titles(shelf, "", item_types=frozenset({"Movie"})) == ["Track 3"]
    assert titles(shelf, "trac", device_id=CARD) == []

    downloads.transitions.evict(second)
    downloads.transitions.delete(third)

    assert titles(shelf, "") == titles(shelf, "track") == ["Track 1"]
    gone = downloads.queries.get(second.id)
    assert gone is not None
    downloads.transitions.want_again(gone, user_id=ANN, priority=9)
    (back,) = downloads.queue.claim_together(BEGIN, at_most=1)
    assert titles(shelf, "track") == ["Track 1"]
    downloads.transitions.mark_arrived(back, size=900, content_hash=HASH, mime_type=None)
    assert titles(shelf, "track") == ["Track 2", "Track 1"]
    assert first.status is Status.COMPLETED


def test_pages_are_parts_of_the_whole(downloads: Downloads, shelf: FileIndex) -> None:
    for number in range(7):
        arrived(downloads, number)

    pages = [shelf.page(DownloadFilter(text="track"), page, 3) for page in (1, 2, 3, 4)]

    assert [total for _, total in pages] == [7] * 4
    assert [one.title[-1] for found, _ in pages for one in found] == list("6543210")


def test_a_person_finds_what_they_hold_or_asked_for_when_nobody_holds_it(
    db: Database, bus: Bus, downloads: Downloads, shelf: FileIndex
) -> None:
    arrived(downloads, 1, album_id=item_id(100))
    arrived(downloads, 2, album_id=item_id(100))
    arrived(downloads, 3, user=BEN, album_id=item_id(100))
    taken = Item(id=item_id(2), type=ItemType.AUDIO, title="Track 2")
    Holds(db, bus).keep(Wish(BEN, STICK, taken, Reason("pin", "2", "")))
    ids = [item_id(number) for number in (1, 2, 3, 4)]

    for text in ("", "track"):
        assert titles(shelf, text, viewer=ANN) == ["Track 1"]
        assert titles(shelf, text, viewer=BEN) == ["Track 3", "Track 2"]
    assert [one.title for one in shelf.of_items(ids, ANN)] == ["Track 1"]
    assert len(shelf.of_items(ids, None)) == 3
    album = item_id(100)
    (two,) = shelf.of_albums([album, item_id(9)], BEN)[album, STICK]
    (all_three,) = shelf.of_albums([album], None)[album, STICK]
    assert (two.status, two.number, all_three.number) == (Status.COMPLETED, 2, 3)


@pytest.mark.sqlite
def test_the_index_and_the_rows_never_part(db: Database, downloads: Downloads) -> None:
    for number in range(20):
        there = arrived(downloads, number, title=f"Trøck {number}")
        if number % 3 == 0:
            downloads.transitions.move(there, Move.EVICT)
        if number % 5 == 0:
            downloads.transitions.move(there, Move.VANISH) if number % 3 else None

    with db.write():
        # Raises if a word of a row is missing in the index, or one too many is there.
        db.sql("INSERT INTO offline (offline, rank) VALUES ('integrity-check', 1)")
        db.sql("DELETE FROM downloads WHERE id % 2 = 0")
        db.sql("INSERT INTO offline (offline, rank) VALUES ('integrity-check', 1)")


@given(st.text())
def test_the_migration_and_the_search_write_letters_alike(text: str) -> None:
    letters = search_key(text)

    assert fold_text(text) == fold_text(letters) == fold_text(fold_text(text))


def plan(db: Database, sql: str, values: tuple[object, ...]) -> list[str]:
    return [row[3] for row in db.sql(f"EXPLAIN QUERY PLAN {sql}", values)]


@pytest.mark.sqlite
@pytest.mark.parametrize("viewer", [None, ANN])
@pytest.mark.parametrize("text", ["", "track"])
def test_no_list_sorts_or_walks_through_what_is_not_there(
    db: Database, text: str, viewer: str | None
) -> None:
    which = DownloadFilter(text=text, viewer=viewer, device_id=STICK)
    asked = select_files(which, db.dialect.words)
    order = "offline.rowid" if text else "d.id"
    steps = plan(db, f"SELECT d.title {asked.text} ORDER BY {order} DESC", asked.values)

    assert not any("TEMP B-TREE" in one for one in steps)
    assert [one for one in steps if one.startswith("SCAN") and "VIRTUAL TABLE" not in one] == []


@pytest.mark.sqlite
def test_items_and_albums_are_looked_up_and_not_searched_for(db: Database) -> None:
    for sql in (search.OF_ITEMS, f"{search.OF_ALBUMS} GROUP BY d.album_id, d.device_id"):
        steps = plan(db, sql, (json.dumps(["x"]),))
        walked = [one for one in steps if one.startswith("SCAN d") and "devices" not in one]
        assert walked == []


def test_few_files_with_some_words_are_not_looked_for_among_all_on_a_server(
    on_server: Database,
) -> None:
    db, asked = on_server, list[tuple[str, Sequence[object]]]()
    end = hook(db, lambda sql, values: asked.append((sql, values)))
    FileIndex(db).page(DownloadFilter(text="tone"), 1, 10)
    end()
    [(listed, values)] = [one for one in asked if "ORDER BY" in one[0]]

    with db.write():
        # As if there were many: of few rows all are read, and sorted.
        db.sql("SET LOCAL enable_seqscan = off")
        db.sql("SET LOCAL enable_sort = off")
        plan = "\n".join(step for (step,) in db.sql(f"EXPLAIN {listed}", values))

    assert "Backward" not in plan, plan
