"""What is done with a hundred downloads at once takes a few statements, as with one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

import pytest

from sidecar.domain.downloads.actions import Action
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.wishes import PIN_PRIORITY
from sidecar.services.downloads.commands import ActionResult, DownloadCommand
from tests.fakes.clock import FakeClock
from tests.services.conftest import STICK, track
from tests.services.rules.steered import library, row
from tests.statements import trace
from tests.web.house import ANN, WebHouse, web_house

WHOLE = "f" * 32
MOST = 10
# With who asks, and with what the answer of the API shows of each download.
MOST_OF_A_PAGE, MOST_OF_THE_API = 15, 20


@pytest.fixture
def house(quick_path: Path, clock: FakeClock) -> Iterator[WebHouse]:
    with web_house(quick_path, clock) as built:
        # Settings and the account's client are known from then on.
        built.library(row(999))
        ask_for(built, track(999).id)
        built.services.web.actions.act(
            ANN, built.row(999).id, DownloadCommand(action=Action.CANCEL)
        )
        yield built


def offer(house: WebHouse, kind: str, count: int) -> None:
    """Let Jellyfin have an album or a playlist of so many tracks."""
    whole = {"Id": WHOLE, "Name": "Long", "Type": kind}
    tracks = [row(one, ParentId=WHOLE, AlbumId=WHOLE) for one in range(1, count + 1)]
    house.library(whole, *tracks)
    listed = library(*[one | {"ParentId": None} for one in tracks])
    house.jellyfin.routes[f"GET /Playlists/{WHOLE}/Items"] = listed


def counted(house: WebHouse, act: Callable[[], object]) -> list[str]:
    """Return the statements of an act, without those that only begin and end transactions."""
    seen: list[str] = []
    trace(house.store.db, seen.append)
    try:
        with house.store.db.look():
            act()
    finally:
        trace(house.store.db, None)
    ends = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "PRAGMA", "--")
    # What a trigger does comes under the text of the statement that fired it.
    return [one for one, _ in groupby(seen) if not one.startswith(ends)]


def ask_for(house: WebHouse, *item_ids: str) -> list[str]:
    return counted(house, lambda: house.services.web.actions.add(ANN, item_ids))


def states(house: WebHouse, count: int) -> list[Status]:
    return [house.row(one).status for one in range(1, count + 1)]


@pytest.mark.parametrize(("kind", "count"), [("MusicAlbum", 100), ("Playlist", 300)])
def test_a_whole_album_is_asked_for_with_few_statements(
    house: WebHouse, kind: str, count: int
) -> None:
    offer(house, kind, count)

    assert len(ask_for(house, WHOLE)) <= MOST

    rows = [house.row(one) for one in range(1, count + 1)]
    assert {one.status for one in rows} == {Status.PENDING}
    assert len({one.file_path for one in rows}) == count
    turns = house.store.downloads.queries.turns(STICK, [one.item_id for one in rows])
    assert [turns[one.item_id].position for one in rows] == list(range(1, count + 1))
    # Again, as it is there already.
    assert len(ask_for(house, WHOLE)) <= MOST


def test_many_tracks_and_albums_that_are_chosen_together_take_no_more(house: WebHouse) -> None:
    albums = [
        {"Id": f"{9000 + one:032x}", "Name": f"Album {one}", "Type": "MusicAlbum"}
        for one in range(5)
    ]
    tracks = [row(one, ParentId=albums[one % 5]["Id"]) for one in range(1, 51)]
    house.library(*albums, *tracks, *(row(one) for one in range(51, 101)))
    alone = [track(one).id for one in range(51, 101)]

    assert len(ask_for(house, *alone, *(one["Id"] for one in albums))) <= MOST

    assert set(states(house, 100)) == {Status.PENDING}


def test_what_was_removed_or_waits_for_a_rule_is_asked_for_with_few_statements(
    house: WebHouse,
) -> None:
    offer(house, "MusicAlbum", 100)
    for one in range(1, 31):
        house.add(one, status=Status.COMPLETED)
        house.services.web.actions.act(
            ANN, house.row(one).id, DownloadCommand(action=Action.DELETE)
        )
    for one in range(31, 61):
        house.add(one)

    assert len(ask_for(house, WHOLE)) <= MOST + 4

    assert set(states(house, 100)) == {Status.PENDING}
    assert track(1).id not in house.store.tombstones.items(ANN.user_id, STICK)
    rows = [house.row(one) for one in range(1, 101)]
    assert {one.priority for one in rows} == {PIN_PRIORITY}
    turns = house.store.downloads.queries.turns(STICK, [one.item_id for one in rows])
    # What waited stays before what comes anew, and that is in the order of the album.
    order = [*range(31, 61), *range(1, 31), *range(61, 101)]
    assert [turns[track(one).id].position for one in order] == list(range(1, 101))


@pytest.mark.parametrize(
    ("action", "left"),
    [
        (Action.CANCEL, None),
        (Action.LET_GO, Status.PENDING),
        (Action.PAUSE, Status.PAUSED),
        (Action.PRIORITISE, Status.PENDING),
    ],
)
def test_a_hundred_are_stopped_or_moved_with_few_statements(
    house: WebHouse, action: Action, left: Status | None
) -> None:
    rows = an_album(house)

    assert len(counted(house, lambda: many(house, rows, action))) <= MOST

    assert {house.status(one) for one in rows} == {left}


def test_an_album_is_unpinned_with_few_statements(house: WebHouse) -> None:
    rows = an_album(house)

    unpin = partial(house.services.web.preferences.unpin, ANN, STICK, WHOLE)
    assert len(counted(house, unpin)) <= MOST

    assert {house.status(one) for one in rows} == {None}


def test_an_album_is_excluded_from_a_rule_with_few_statements(house: WebHouse) -> None:
    rows = [house.add(one, source=WHOLE) for one in range(1, 101)]

    def exclude() -> None:
        house.services.web.preferences.exclude(ANN, STICK, "favourites", WHOLE)

    assert len(counted(house, exclude)) <= MOST

    assert {house.status(one) for one in rows} == {None}


def test_pausing_a_hundred_is_undone_with_few_statements(house: WebHouse) -> None:
    rows = an_album(house)
    outcomes = many(house, rows, Action.PAUSE)
    record = house.services.web.undo.remember(ANN, Action.PAUSE, outcomes)

    assert len(counted(house, lambda: house.services.web.undo.undo(ANN, record.token))) <= MOST

    assert {house.status(one) for one in rows} == {Status.PENDING}


@pytest.mark.parametrize("by_page", [False, True])
def test_the_request_for_a_whole_album_takes_few_statements_with_its_answer(
    house: WebHouse, by_page: bool
) -> None:
    offer(house, "MusicAlbum", 100)
    browser = house.come_in(ANN)

    def press() -> None:
        if by_page:
            browser.press("/library/download", item=WHOLE).close()
        else:
            answer = browser.send("POST", "/api/v1/downloads", {"item_id": WHOLE})
            assert answer.status_code == 201, answer.text

    assert len(counted(house, press)) <= (MOST_OF_A_PAGE if by_page else MOST_OF_THE_API)

    assert set(states(house, 100)) == {Status.PENDING}


def an_album(house: WebHouse) -> list[Download]:
    """Let an album of a hundred tracks be in the queue."""
    offer(house, "MusicAlbum", 100)
    ask_for(house, WHOLE)
    return [house.row(one) for one in range(1, 101)]


def many(house: WebHouse, rows: Sequence[Download], action: Action) -> Sequence[ActionResult]:
    order = DownloadCommand(action=action, priority=7)
    return house.services.web.actions.act_on(ANN, [one.id for one in rows], order)


def test_that_a_file_came_is_written_down_with_one_statement(house: WebHouse) -> None:
    came = house.add(1, status=Status.DOWNLOADING)

    def arrive() -> None:
        assert house.store.downloads.transitions.mark_arrived(
            came, size=1000, content_hash="ab" * 16, mime_type=None
        )

    seen = dict.fromkeys(counted(house, arrive))

    assert [one.split()[:3] for one in seen] == [
        ["UPDATE", "downloads", "SET"],
        ["INSERT", "INTO", "activity"],
    ]
    assert house.store.db.sql("SELECT user_id FROM activity_of") == [(ANN.user_id,)]
