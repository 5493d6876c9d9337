from __future__ import annotations

from collections.abc import Iterable

import pytest

from sidecar.domain.items.item import Item
from sidecar.jellyfin.live.events import UserDataEntry
from sidecar.services.rules.favourites.states import AccountFavourites
from tests.services.conftest import ANN, World, track

TRACK = track(1).id


class Server:
    """The part of a Jellyfin client that heals hearts: unlike the real one it only remembers."""

    def __init__(self, *, is_favorite: bool) -> None:
        self.is_favorite = is_favorite
        self.pressed: list[bool] = []

    def items(self, ids: Iterable[str]) -> dict[str, Item]:
        return {one: track(1, is_favorite=self.is_favorite) for one in ids}

    def set_favourite(self, item_id: str, *, value: bool) -> bool:
        self.pressed.append(value)
        self.is_favorite = value
        return value


def nothing() -> None:
    """Have no news."""


@pytest.fixture
def hearts(world: World) -> AccountFavourites:
    return AccountFavourites(ANN, world.hearts, world.clock)


def entry(is_favorite: bool) -> UserDataEntry:
    return UserDataEntry(
        item_id=TRACK,
        is_favorite=is_favorite,
        played=True,
        play_count=1,
        last_played=None,
        position_s=0.0,
    )


def test_a_heart_is_news_once(hearts: AccountFavourites) -> None:
    assert hearts.hear(entry(True)) is True
    assert hearts.hear(entry(True)) is None
    assert hearts.hear(entry(False)) is False


def test_a_track_that_plays_without_a_heart_leaves_no_trace(
    hearts: AccountFavourites, world: World
) -> None:
    hearts.plays([TRACK])

    assert hearts.hear(entry(False)) is None
    assert world.hearts.get(ANN, TRACK) is None


def test_the_stop_that_forgets_a_heart_is_not_the_persons_word(
    hearts: AccountFavourites, world: World
) -> None:
    hearts.plays([TRACK])
    hearts.hear(entry(False))
    world.clock.advance(20)
    assert hearts.hear(entry(True)) is True
    world.clock.advance(20)
    hearts.plays([])
    world.clock.advance(0.5)

    assert hearts.hear(entry(False)) is None

    assert TRACK in hearts.favourites()


def test_the_forgotten_heart_is_set_again_only_once_the_track_is_over(
    hearts: AccountFavourites, world: World
) -> None:
    server = Server(is_favorite=False)
    hearts.plays([TRACK])
    hearts.hear(entry(False))
    world.clock.advance(20)
    hearts.hear(entry(True))

    hearts.heal(server, nothing)
    assert server.pressed == []

    world.clock.advance(20)
    hearts.plays([])
    hearts.heal(server, nothing)
    assert server.pressed == []

    world.clock.advance(3)
    hearts.heal(server, nothing)
    assert server.pressed == [True]

    hearts.heal(server, nothing)
    assert world.hearts.list_in_doubt(ANN) == []


def test_a_heart_taken_away_after_the_stop_is_the_persons_word(
    hearts: AccountFavourites, world: World
) -> None:
    server = Server(is_favorite=False)
    hearts.plays([TRACK])
    world.clock.advance(20)
    hearts.hear(entry(True))
    world.clock.advance(20)
    hearts.plays([])
    world.clock.advance(0.5)
    hearts.hear(entry(True))
    world.clock.advance(0.3)

    assert hearts.hear(entry(False)) is False

    world.clock.advance(10)
    hearts.heal(server, nothing)
    assert server.pressed == []
    assert TRACK not in hearts.favourites()


def test_a_heart_found_gone_without_having_been_at_risk_is_believed(
    hearts: AccountFavourites,
) -> None:
    hearts.look_up(track(1))

    assert hearts.look_up(track(1, is_favorite=False)) is False


def test_what_the_server_does_not_say_is_not_believed(hearts: AccountFavourites) -> None:
    hearts.look_up(track(1))

    assert hearts.look_up(track(1, is_favorite=None)) is None
    assert TRACK in hearts.favourites()


@pytest.mark.parametrize("how", ["told", "looked up", "listed"])
def test_a_heart_that_came_before_the_news_of_the_start_is_kept_too(
    hearts: AccountFavourites, world: World, how: str
) -> None:
    server = Server(is_favorite=False)
    if how == "told":
        hearts.hear(entry(True))
    elif how == "looked up":
        hearts.look_up(track(1))
    else:
        hearts.look_up_all([track(1)])
    world.clock.advance(1.5)
    hearts.plays([TRACK])
    world.clock.advance(20)
    hearts.plays([])
    world.clock.advance(0.5)

    assert hearts.hear(entry(False)) is None

    world.clock.advance(3)
    hearts.heal(server, nothing)
    assert server.pressed == [True]


def test_a_heart_taken_away_before_the_news_of_the_start_stays_away(
    hearts: AccountFavourites, world: World
) -> None:
    server = Server(is_favorite=True)
    hearts.look_up(track(1))
    assert hearts.hear(entry(False)) is False
    world.clock.advance(1.5)
    hearts.plays([TRACK])
    world.clock.advance(20)
    hearts.plays([])
    world.clock.advance(0.5)

    assert hearts.hear(entry(True)) is None

    world.clock.advance(3)
    hearts.heal(server, nothing)
    assert server.pressed == [False]


def test_a_heart_set_long_before_the_start_is_not_doubted(
    hearts: AccountFavourites, world: World
) -> None:
    hearts.hear(entry(True))
    world.clock.advance(6)

    hearts.plays([TRACK])

    assert world.hearts.list_in_doubt(ANN) == []


def test_when_a_message_came_counts_and_not_when_it_is_handled(
    hearts: AccountFavourites, world: World
) -> None:
    began = world.clock.monotonic()
    world.clock.advance(60)
    hearts.plays([TRACK], began)
    hearts.hear(entry(True), began + 5)
    hearts.plays([], began + 20)

    assert hearts.hear(entry(False), began + 20.5) is None
    assert TRACK in hearts.favourites()


def test_a_heart_taken_away_while_it_is_looked_up_is_not_set_again(
    hearts: AccountFavourites, world: World
) -> None:
    server = Server(is_favorite=False)
    hearts.plays([TRACK])
    world.clock.advance(20)
    hearts.hear(entry(True))
    hearts.plays([])
    world.clock.advance(10)

    hearts.heal(server, lambda: hearts.hear(entry(False)))

    assert server.pressed == []
    assert TRACK not in hearts.favourites()


def test_a_heart_of_what_began_to_play_while_it_is_looked_up_waits_for_its_end(
    hearts: AccountFavourites, world: World
) -> None:
    server = Server(is_favorite=False)
    hearts.plays([TRACK])
    world.clock.advance(20)
    hearts.hear(entry(True))
    hearts.plays([])
    world.clock.advance(10)

    hearts.heal(server, lambda: hearts.plays([TRACK]))
    assert server.pressed == []

    hearts.plays([])
    world.clock.advance(10)
    hearts.heal(server, nothing)
    assert server.pressed == [True]
