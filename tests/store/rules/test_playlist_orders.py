from __future__ import annotations

from datetime import timedelta

import pytest

from sidecar.domain.files.m3u import PlaylistEntry
from sidecar.domain.items.item import ItemType
from sidecar.domain.rules.context import Chosen
from sidecar.domain.rules.favourite_state import FavouriteState
from sidecar.events import Bus, Event, PlaylistChanged
from sidecar.store.accounts.accounts import Accounts
from sidecar.store.database import Database
from sidecar.store.downloads.queue import Downloads
from sidecar.store.rules import playlist_orders
from sidecar.store.rules.favourites import FavouriteStates
from sidecar.store.rules.playlist_orders import ChosenList, PlaylistOrders
from sidecar.store.rules.playlists import ChosenPlaylists
from tests.fakes.clock import START, FakeClock
from tests.store.accounts.test_accounts import ANNS, BENS
from tests.store.examples import ANN, BEN, CARD, HASH, STICK, item_id, wanted

ROAD = Chosen(playlist_id="1" * 32, title="Road trip")
SLOW = Chosen(playlist_id="2" * 32, title="Slow")
HOUR = timedelta(hours=1)


@pytest.fixture
def orders(db: Database, bus: Bus) -> PlaylistOrders:
    Accounts(db).save(ANNS)
    Accounts(db).save(BENS)
    ChosenPlaylists(db).choose(ANN, STICK, ROAD)
    return PlaylistOrders(db, bus)


def arrives(downloads: Downloads, number: int, device: str = STICK) -> None:
    """Let a track be complete on a device."""
    downloads.queue.add_all([wanted(number, device=device)])
    (running,) = downloads.queue.claim_together(START, at_most=1)
    assert downloads.transitions.mark_arrived(running, size=1, content_hash=HASH, mime_type=None)


def titles(entries: tuple[PlaylistEntry, ...] | list[PlaylistEntry]) -> list[str]:
    return [one.title for one in entries]


def road(orders: PlaylistOrders, device: str = STICK) -> list[str]:
    return titles(list(orders.entries(ANN, ROAD.playlist_id, device)))


def test_a_list_has_what_is_complete_on_the_device_in_its_order_with_repeats(
    orders: PlaylistOrders, downloads: Downloads
) -> None:
    for number in (1, 2, 3):
        arrives(downloads, number)
    arrives(downloads, 4, CARD)
    downloads.queue.add_all([wanted(5)])

    orders.learn(ANN, ROAD.playlist_id, [item_id(one) for one in (3, 5, 1, 4, 3, 9, 2)])

    assert road(orders) == ["Track 3", "Track 1", "Track 3", "Track 2"]
    assert road(orders, CARD) == ["Track 4"]
    assert orders.entries(BEN, ROAD.playlist_id, STICK) == []


def test_only_another_order_is_news(orders: PlaylistOrders, news: list[Event]) -> None:
    assert orders.learn(ANN, ROAD.playlist_id, ["a", "b"])
    assert not orders.learn(ANN, ROAD.playlist_id, ["a", "b"])
    assert orders.learn(ANN, ROAD.playlist_id, ["b", "a"])

    assert news == [PlaylistChanged(ANN, ROAD.playlist_id)] * 2


def test_a_name_that_was_changed_is_that_of_the_choice(
    db: Database, orders: PlaylistOrders, news: list[Event]
) -> None:
    ChosenPlaylists(db).choose(BEN, STICK, ROAD)
    assert not orders.record_seen(ANN, ROAD.playlist_id, "Road trip")

    assert orders.record_seen(ANN, ROAD.playlist_id, "Long way")

    assert [one.title for one in ChosenPlaylists(db).of(ANN, STICK)] == ["Long way"]
    assert [one.title for one in ChosenPlaylists(db).of(BEN, STICK)] == ["Road trip"]
    assert news == [PlaylistChanged(ANN, ROAD.playlist_id)]


def test_the_chosen_ones_are_told_first_chosen_first(db: Database, orders: PlaylistOrders) -> None:
    ChosenPlaylists(db).choose(BEN, STICK, SLOW)
    ChosenPlaylists(db).choose(BEN, CARD, ROAD)
    orders.learn(BEN, SLOW.playlist_id, ["a"])

    assert orders.chosen_on(STICK) == [
        ChosenList(ANN, "Ann", ROAD.playlist_id, "Road trip", is_known=False, is_gone=False),
        ChosenList(BEN, "ben", SLOW.playlist_id, "Slow", is_known=True, is_gone=False),
    ]


def test_it_is_gone_when_the_server_says_so_again_much_later(
    orders: PlaylistOrders, clock: FakeClock, news: list[Event]
) -> None:
    orders.learn(ANN, ROAD.playlist_id, ["a"])
    del news[:]

    assert not orders.record_missing(ANN, ROAD.playlist_id, clock.now(), sure_after=HOUR)
    clock.advance(3599)
    assert not orders.record_missing(ANN, ROAD.playlist_id, clock.now(), sure_after=HOUR)
    assert not orders.chosen_on(STICK)[0].is_gone
    clock.advance(1)

    assert orders.record_missing(ANN, ROAD.playlist_id, clock.now(), sure_after=HOUR)
    assert not orders.record_missing(ANN, ROAD.playlist_id, clock.now(), sure_after=HOUR)

    assert orders.chosen_on(STICK)[0].is_gone
    assert news == [PlaylistChanged(ANN, ROAD.playlist_id)]


@pytest.mark.parametrize("how", ["listed", "seen"])
def test_one_that_is_back_was_never_away(
    orders: PlaylistOrders, clock: FakeClock, how: str
) -> None:
    orders.learn(ANN, ROAD.playlist_id, ["a"])
    orders.record_missing(ANN, ROAD.playlist_id, clock.now(), sure_after=HOUR)
    clock.advance(3600)
    if how == "listed":
        assert orders.learn(ANN, ROAD.playlist_id, ["a"])
    else:
        assert orders.record_seen(ANN, ROAD.playlist_id, "Road trip")

    assert not orders.record_missing(ANN, ROAD.playlist_id, clock.now(), sure_after=HOUR)


def test_one_that_was_never_listed_can_be_missing_too(
    orders: PlaylistOrders, clock: FakeClock
) -> None:
    assert not orders.record_missing(ANN, ROAD.playlist_id, clock.now(), sure_after=HOUR)

    (chosen,) = orders.chosen_on(STICK)
    assert not chosen.is_known
    assert not chosen.is_gone


def test_the_hearts_of_each_person_are_told_with_what_is_there(
    db: Database, orders: PlaylistOrders, downloads: Downloads, clock: FakeClock
) -> None:
    for number in (1, 2):
        arrives(downloads, number)
    hearts = FavouriteStates(db, clock)
    for number in (2, 1, 7):
        hearts.save(ANN, item_id(number), ItemType.AUDIO, FavouriteState(is_favorite=True))
    hearts.save(BEN, item_id(1), ItemType.AUDIO, FavouriteState(is_favorite=False))
    hearts.save(BEN, item_id(2), ItemType.AUDIO, FavouriteState(is_favorite=True))

    found = {one.user_name: titles(one.entries) for one in orders.hearts_on(STICK)}

    assert found == {"Ann": ["Track 1", "Track 2"], "ben": ["Track 2"]}
    assert orders.hearts_on(CARD) == []


def test_an_order_goes_with_the_last_choice(db: Database, orders: PlaylistOrders) -> None:
    chosen = ChosenPlaylists(db)
    chosen.choose(ANN, CARD, ROAD)
    orders.learn(ANN, ROAD.playlist_id, ["a"])
    orders.learn(BEN, ROAD.playlist_id, ["b"])
    chosen.choose(BEN, CARD, ROAD)

    chosen.drop(ANN, STICK, ROAD.playlist_id)
    assert orders.chosen_on(CARD)[0].is_known
    chosen.drop(ANN, CARD, ROAD.playlist_id)

    assert db.sql("SELECT user_id FROM playlist_orders") == [(BEN,)]


def test_what_an_account_knew_goes_with_it(db: Database, orders: PlaylistOrders) -> None:
    orders.learn(ANN, ROAD.playlist_id, ["a"])

    Accounts(db).forget(ANN)

    assert orders.chosen_on(STICK) == []
    assert db.sql("SELECT * FROM playlist_orders") == []


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "text", [playlist_orders.ENTRIES, playlist_orders.HEARTS, playlist_orders.CHOSEN]
)
def test_no_question_reads_all_downloads(db: Database, orders: PlaylistOrders, text: str) -> None:
    values = [ANN] * text.count("?")
    steps = [row[3] for row in db.sql(f"EXPLAIN QUERY PLAN {text}", values)]

    assert not [one for one in steps if one.startswith("SCAN downloads")], steps
    assert not [one for one in steps if "downloads" in one and "item_id=?" not in one], steps
