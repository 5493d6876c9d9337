"""What is learned of playlists, and how little is asked for it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.rules.context import Chosen
from sidecar.domain.rules.library import ListedItems
from sidecar.errors import JellyfinError, NotFound, ServerAway
from sidecar.services.rules.playlist_orders import PlaylistOrderTracker
from sidecar.store.rules.playlist_orders import PlaylistOrders
from sidecar.store.rules.playlists import ChosenPlaylists
from tests.fakes.libraries.rule_library import full
from tests.services.conftest import ANN, STICK, World, track

ROAD = Chosen(playlist_id="1" * 32, title="Road trip")
HOUR_S = 3600.0


@dataclass
class Server:
    """What the server says of a playlist itself, and how often it was asked."""

    title: str = "Road trip"
    trouble: JellyfinError | None = None
    asked: list[str] = field(default_factory=list)

    def item(self, item_id: str) -> Item:
        self.asked.append(item_id)
        if self.trouble is not None:
            raise self.trouble
        return Item(id=item_id, type=ItemType.PLAYLIST, title=self.title)


@dataclass
class Learning:
    """Ann's learner, the server, and what is remembered."""

    world: World
    server: Server
    orders: PlaylistOrders
    chosen: ChosenPlaylists
    learner: PlaylistOrderTracker

    def lists(self, *numbers: int, is_fresh: bool = True) -> None:
        """The rule lists the playlist again, whole."""
        self.learner.listed(ROAD.playlist_id, full(*map(track, numbers)), is_fresh=is_fresh)

    def fails(self, after: float = 0.0) -> None:
        """Some time later the list is empty, as it is of one that is not there."""
        self.world.clock.advance(after)
        self.learner.listed(ROAD.playlist_id, ListedItems(), is_fresh=True)

    def order(self) -> list[tuple[str]]:
        return self.world.db.sql("SELECT items FROM playlist_orders")

    def is_gone(self) -> bool:
        return self.orders.chosen_on(STICK)[0].is_gone


@pytest.fixture
def learning(world: World) -> Learning:
    orders, chosen, server = (
        PlaylistOrders(world.db, world.bus),
        ChosenPlaylists(world.db),
        Server(),
    )
    chosen.choose(ANN, STICK, ROAD)
    learner = PlaylistOrderTracker(server.item, orders, ANN, world.clock)
    return Learning(world, server, orders, chosen, learner)


def test_another_order_costs_no_further_request(learning: Learning) -> None:
    learning.lists(1, 2)
    learning.lists(2, 1)

    assert learning.server.asked == []


def test_one_that_was_renamed_is_told_by_its_new_name(learning: Learning) -> None:
    learning.lists(1)
    learning.server.title = "Long way"

    learning.lists(1)

    assert learning.server.asked == [ROAD.playlist_id]
    assert learning.chosen.of(ANN, STICK)[0].title == "Long way"


def test_what_was_listed_before_is_learned_and_costs_nothing(learning: Learning) -> None:
    learning.lists(1, is_fresh=False)
    learning.lists(1, is_fresh=False)

    assert learning.order() == [(f'["{track(1).id}"]',)]
    assert learning.server.asked == []


def test_an_empty_or_partial_list_changes_no_order(learning: Learning) -> None:
    learning.lists(1, 2)
    before = learning.order()

    learning.fails()
    learning.learner.listed(
        ROAD.playlist_id, ListedItems((track(1),), complete=False), is_fresh=True
    )

    assert learning.order() == before
    assert not learning.is_gone()


def test_what_cannot_be_played_is_not_in_the_order(learning: Learning) -> None:
    folder = Item(id="f" * 32, type=ItemType.ALBUM, title="An album")

    learning.learner.listed(ROAD.playlist_id, full(track(1), folder), is_fresh=True)

    assert learning.order() == [(f'["{track(1).id}"]',)]


def test_one_that_the_server_denies_twice_is_gone(learning: Learning) -> None:
    learning.lists(1)
    learning.server.trouble = NotFound("there is no such item")

    learning.fails()
    assert not learning.is_gone()
    learning.fails(HOUR_S)

    assert learning.is_gone()
    learning.server.trouble = None
    learning.lists(1)
    assert not learning.is_gone()


@pytest.mark.parametrize("trouble", [ServerAway("it is away"), JellyfinError("odd")])
def test_no_other_answer_says_that_it_is_gone(learning: Learning, trouble: JellyfinError) -> None:
    learning.lists(1)
    learning.server.trouble = trouble

    learning.fails()
    learning.fails(HOUR_S)

    assert not learning.is_gone()


def test_of_a_playlist_that_nobody_chose_nothing_is_kept(learning: Learning) -> None:
    learning.learner.listed("2" * 32, full(track(1)), is_fresh=True)
    learning.learner.listed("2" * 32, ListedItems(), is_fresh=True)

    assert learning.order() == []
    assert learning.server.asked == []
