from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from sidecar.domain.downloads.download import Status
from sidecar.domain.transfers.failures import Failure, FailureClass
from tests.fakes.libraries.tiny import Entry, track
from tests.services.conftest import STICK
from tests.services.identity.house import MovingHouse, moving_house, tracks

REFUSED = Failure(FailureClass.REFUSED, "refused", "Jellyfin refuses the file")
OLD, NEW = "Music/The Sine Waves/First Light (2019)", "Music/The Sine Waves/Light (2019)"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[MovingHouse]:
    with moving_house(tmp_path, tracks(8, OLD)) as built:
        yield built


def test_what_was_scanned_again_under_new_ids_is_fetched_by_nobody(house: MovingHouse) -> None:
    house.fill(*house.items())
    before, files = house.rows(), house.files()
    house.rescan(media_root="/mnt/other")
    items = house.items()
    assert {one.id for one in items}.isdisjoint({one.item_id for one in before})

    house.look()

    after = house.rows()
    assert [(one.id, one.status, one.file_path) for one in after] == [
        (one.id, one.status, one.file_path) for one in before
    ]
    assert {one.item_id for one in after} == {one.id for one in items}
    assert house.want(*items) == 0
    assert house.files() == files
    assert house.server.fetched == 0


def test_a_wish_for_a_new_id_finds_the_old_row(house: MovingHouse) -> None:
    house.fill(*house.items())
    house.rescan(media_root="/mnt/other")

    assert house.want(*house.items(), rule="favourites") == 0

    assert len(house.rows()) == 8
    assert {one.item_id for one in house.rows()} == {one.id for one in house.items()}


def test_a_folder_renamed_and_renamed_back_leaves_as_many_rows_and_files(
    house: MovingHouse,
) -> None:
    house.fill(*house.items())
    rows, files = house.rows(), house.files()
    for was, now in ((OLD, NEW), (NEW, OLD)):
        house.rename_folder(was, now)
        house.want(*house.items(), rule="favourites")
        house.look()

        assert len(house.rows()) == len(rows)
    assert house.rows() == rows
    assert house.files() == files


def test_what_people_said_follows(house: MovingHouse) -> None:
    one, two, *_ = house.items()
    ann = house.person("ann").user_id
    house.fill(one, two, of=one.album_id or "")
    store = house.store
    store.tombstones.put(ann, STICK, two.id)
    store.exclusions.put(ann, "favourites", one.album_id or "", device_id=STICK)
    store.rests.put(STICK, two.id, house.clock.now())
    store.playlist_orders.learn(ann, "f" * 32, [two.id, one.id, two.id])
    house.rescan(media_root="/mnt/other")
    now_one, now_two = house.item(one.title), house.item(two.title)

    house.look()

    assert store.tombstones.items(ann, STICK) == {now_two.id}
    assert store.rests.find_end(STICK, now_two.id) is not None
    assert store.exclusions.of(ann, STICK) == {("favourites", now_one.album_id)}
    (held,) = store.holds.of_item(STICK, now_one.id)
    assert (held.reason.source_id, held.reason.rule) == (now_one.album_id, "pin")
    assert now_one.album_id != one.album_id
    assert store.holds.of_item(STICK, one.id) == []
    ((order,),) = store.db.sql("SELECT items FROM playlist_orders")
    assert order == f'["{now_two.id}", "{now_one.id}", "{now_two.id}"]'


def test_what_is_still_there_is_never_taken_for_another(house: MovingHouse) -> None:
    """A copy of the same bytes, with the same tags, in another folder is another item."""
    item = house.item("Tone 1")
    house.fill(item)
    entry = dict(
        house.listing["tracks"][0], path="Music/Copies/First Light (2019)/01 - Tone 1.flac"
    )
    copy = house.library / entry["path"]
    copy.parent.mkdir(parents=True)
    original = house.library / house.listing["tracks"][0]["path"]
    copy.hardlink_to(original)
    house.rescan(tracks=[*house.listing["tracks"], entry])
    (other,) = [one for one in house.items() if one.title == "Tone 1" and one.id != item.id]
    assert (other.size, other.source_etag) == (item.size, item.source_etag)

    assert house.want(other) == 1

    assert {one.item_id for one in house.rows()} == {item.id, other.id}


def test_what_failed_because_its_item_was_gone_is_tried_again(house: MovingHouse) -> None:
    house.want(*house.items())
    rows = house.rows()
    queue, transitions = house.store.downloads.queue, house.store.downloads.transitions
    gone = Failure(FailureClass.GONE, "gone", "It is no longer on the server")
    for failure in (gone, REFUSED):
        (claimed,) = queue.claim_together(house.clock.now(), at_most=1)
        assert transitions.give_up(claimed, until=None, failure=failure, retry_count=1)
    house.rescan(media_root="/mnt/other")

    house.look()

    assert {one.item_id for one in house.rows()} == {one.id for one in house.items()}
    assert [one.id for one in house.rows()] == [one.id for one in rows]
    assert [one.status for one in house.rows()] == [
        Status.PENDING,
        Status.FAILED,
        *[Status.PENDING] * 6,
    ]


def test_a_row_whose_item_is_gone_says_since_when_and_no_longer_if_it_is_back(
    house: MovingHouse,
) -> None:
    house.fill(*house.items())
    every = list(house.listing["tracks"])
    house.rescan(tracks=every[1:])

    house.look([])

    gone = house.row("Tone 1")
    assert (gone.status, gone.gone_since) == (Status.COMPLETED, house.clock.now())
    assert [one.title for one in house.rows() if one.gone_since] == ["Tone 1"]
    since = gone.gone_since
    house.clock.advance(60)
    house.look([])
    assert house.row("Tone 1").gone_since == since

    house.rescan(tracks=every)
    house.look([])

    assert house.row("Tone 1").gone_since is None


def test_two_copies_are_asked_about_and_neither_is_fetched(house: MovingHouse) -> None:
    item = house.item("Tone 1")
    house.fill(item)
    folder = "Music/The Sine Waves"
    paths = [
        f"{folder}/{name} (2019)/01 - Tone 1.flac" for name in ("First Light A", "First Light B")
    ]
    first = house.listing["tracks"][0]
    source = house.library / first["path"]
    for path in paths:
        (house.library / path).parent.mkdir(parents=True)
        (house.library / path).hardlink_to(source)
    source.unlink()
    rest = house.listing["tracks"][1:]
    house.rescan(tracks=[*rest, *(dict(first, path=path) for path in paths)])
    copies = [one for one in house.items() if one.title == "Tone 1"]
    assert len(copies) == 2

    assert house.want(*copies) == 0

    (question,) = house.services.rules.questions.all()
    assert {one.id for one in question.candidates} == {one.id for one in copies}
    assert [one.item_id for one in house.rows()] == [item.id]


def change_names(house: MovingHouse, *names: tuple[str, str], new: tuple[Entry, ...] = ()) -> None:
    """Let files on the server be renamed, each to what another one was called, or a new name."""
    folder = house.library / OLD
    for number, (was, _) in enumerate(names):
        (folder / was).rename(folder / f"{number}.moving")
    for number, (_, now) in enumerate(names):
        (folder / f"{number}.moving").rename(folder / now)
    for one in new:
        (house.library / one["path"]).write_bytes(b"another one")
    by_name = {one["path"].rpartition("/")[2]: one for one in house.listing["tracks"]}
    moved = [dict(by_name.pop(was), path=f"{OLD}/{now}") for was, now in names]
    house.rescan(tracks=[*by_name.values(), *moved, *new])


def test_files_that_were_given_each_others_names_are_followed(house: MovingHouse) -> None:
    """Each id is there as before, and is another file."""
    house.fill(*house.items())
    held = {one.title: one.content_hash for one in house.rows()}
    names = [f"{number:02} - Tone {number}.flac" for number in range(1, 4)]
    before = {one.title: one.id for one in house.items()}
    # Three in a circle.
    change_names(house, (names[0], names[1]), (names[1], names[2]), (names[2], names[0]))
    now = {one.title: one.id for one in house.items()}
    assert now["Tone 1"] == before["Tone 2"]

    house.look([])

    rows = {one.title: one for one in house.rows()}
    assert {title: one.item_id for title, one in rows.items()} == now
    assert {title: one.content_hash for title, one in rows.items()} == held
    assert all(house.store.holds.of_item(STICK, one.item_id) for one in rows.values())
    assert house.want(*house.items()) == 0
    assert house.server.fetched == 0


@pytest.mark.parametrize("by", ["a change", "a wish", "a look"])
def test_files_that_were_numbered_anew_are_followed(house: MovingHouse, by: str) -> None:
    """A new one comes first: every id but the last is there, and is the file before it."""
    house.fill(*house.items())
    names = [f"{number:02} - Tone {number}.flac" for number in range(1, 9)]
    last = "09 - Tone 9.flac"
    first = track(OLD, 0, "Tone 0") | {"path": f"{OLD}/{names[0]}"}
    change_names(house, *pairwise([*names, last]), new=(first,))
    items = {one.title: one for one in house.items()}

    changed = [one.id for one in items.values()]
    looking = house.services.rules.followers.looking
    if by == "a change":
        looking.look_at_names(house.person("ann").user_id, changed, [items["Tone 8"].id])
    elif by == "a look":
        house.look([items["Tone 8"].id])
    else:
        for number in range(8, 0, -1):
            assert house.want(items[f"Tone {number}"]) == 0

    assert {one.title: one.item_id for one in house.rows()} == {
        title: one.id for title, one in items.items() if title != "Tone 0"
    }
    assert house.want(*items.values()) == 1


def test_a_file_that_was_only_tagged_anew_stays_what_it_was(house: MovingHouse) -> None:
    house.fill(*house.items())
    path = house.library / house.listing["tracks"][0]["path"]
    path.write_bytes(path.read_bytes() + b"more")
    before = house.row("Tone 1").item_id
    first, *rest = house.listing["tracks"]
    house.rescan(tracks=[dict(first, title="Tone I"), *rest])

    house.services.rules.followers.looking.look_at_names(house.person("ann").user_id, [before])

    assert house.row("Tone I").item_id == before
