from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import peewee
import pytest

from sidecar.demo.state.core import StartupPhase
from sidecar.errors import JellyfinError, ServerAway
from sidecar.jellyfin.live.events import Connected, LibraryChanged
from sidecar.services.health.tasks import Tasks
from sidecar.services.identity.follower import (
    CONNECTED_REST_S,
    EVERY_S,
    LIBRARY_REST_S,
    RETRY_S,
    SETTLE_S,
    IdentityFollower,
)
from tests.services.identity.house import MovingHouse, moving_house, tracks
from tests.statements import broken

VANISHED = LibraryChanged(added=("a" * 32,), updated=(), removed=("b" * 32,))
ADDED = LibraryChanged(added=("c" * 32,), updated=(), removed=())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[MovingHouse]:
    with moving_house(tmp_path, tracks(4)) as built:
        built.fill(*built.items())
        yield built


@pytest.fixture
def follower(house: MovingHouse) -> IdentityFollower:
    told: list[JellyfinError] = []
    return IdentityFollower(
        house.services.rules.followers.looking,
        user_id=house.person("ann").user_id,
        name="ann",
        tell=told.append,
        is_server_there=lambda: True,
        clock=house.clock,
        tasks=Tasks(house.clock),
    )


def looked(house: MovingHouse, follower: IdentityFollower) -> bool:
    before = len(house.server.paths)
    follower.step()
    return len(house.server.paths) > before


def test_nothing_new_is_queued_before_it_was_looked(
    house: MovingHouse, follower: IdentityFollower
) -> None:
    assert not follower.is_settled
    assert looked(house, follower)
    assert follower.is_settled

    follower.deliver(VANISHED)

    assert not follower.is_settled
    house.clock.advance(LIBRARY_REST_S + SETTLE_S)
    assert looked(house, follower)
    assert follower.is_settled
    assert not looked(house, follower)


def test_what_came_is_no_reason_to_look_and_is_known_at_the_next_look(
    house: MovingHouse, follower: IdentityFollower
) -> None:
    follower.step()
    house.rescan(media_root="/mnt/other")
    follower.deliver(LibraryChanged(tuple(one.id for one in house.items()), (), ()))
    house.clock.advance(LIBRARY_REST_S)
    assert follower.is_settled
    assert not looked(house, follower)

    follower.deliver(LibraryChanged((), (), ("b" * 32,)))
    house.clock.advance(SETTLE_S)

    assert looked(house, follower)
    assert {one.item_id for one in house.rows()} == {one.id for one in house.items()}


def test_a_connection_that_comes_and_goes_is_no_reason_each_time(
    house: MovingHouse, follower: IdentityFollower
) -> None:
    follower.step()
    follower.deliver(Connected())
    assert not looked(house, follower)

    house.clock.advance(CONNECTED_REST_S)
    follower.deliver(Connected())

    assert looked(house, follower)


def test_a_look_that_fails_is_waited_for_by_nobody_and_done_again(
    house: MovingHouse, follower: IdentityFollower
) -> None:
    follower.step()
    house.rescan(media_root="/mnt/other")
    follower.deliver(LibraryChanged(tuple(one.id for one in house.items()), (), ("b" * 32,)))
    house.clock.advance(LIBRARY_REST_S + SETTLE_S)
    house.server.enter_phase(StartupPhase.STARTING)

    with pytest.raises(ServerAway):
        follower.step()

    assert follower.is_settled
    house.server.enter_phase(StartupPhase.READY)
    house.clock.advance(RETRY_S)
    assert looked(house, follower)
    assert {one.item_id for one in house.rows()} == {one.id for one in house.items()}


def test_what_came_is_known_also_after_a_look_that_failed_at_the_database(
    house: MovingHouse, follower: IdentityFollower
) -> None:
    follower.step()
    house.rescan(media_root="/mnt/other")
    follower.deliver(LibraryChanged(tuple(one.id for one in house.items()), (), ("b" * 32,)))
    house.clock.advance(LIBRARY_REST_S + SETTLE_S)

    with broken(house.store.db), pytest.raises(peewee.OperationalError):
        follower.step()

    house.clock.advance(EVERY_S)
    assert looked(house, follower)
    assert {one.item_id for one in house.rows()} == {one.id for one in house.items()}
