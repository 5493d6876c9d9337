"""What the library tells of is wished for within a minute, and nothing else is asked about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.domain.rules.favourites import FavouritesSettings
from sidecar.jellyfin.live.events import LibraryChanged
from sidecar.services.rules.favourite_states import AccountFavourites
from sidecar.services.rules.favourites import FavouritesFollower
from sidecar.services.rules.followed_account import FollowedAccount
from tests.fakes.tiny_library import track
from tests.services.conftest import STICK
from tests.services.identity.house import MovingHouse, moving_house, tracks

FOLDER = "Music/The Sine Waves/First Light (2019)"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[MovingHouse]:
    with moving_house(tmp_path, tracks(3)) as built:
        yield built


def follow(house: MovingHouse) -> FavouritesFollower:
    user_id = house.person("ann").user_id
    account = FollowedAccount(
        user_id=user_id,
        name="ann",
        devices=lambda _name: [STICK],
        tell=lambda _trouble: None,
        is_server_there=lambda: True,
    )
    follower = FavouritesFollower(
        account,
        house.client(),
        hearts=AccountFavourites(user_id, house.store.hearts, house.clock),
        planning=house.services.rules.planning,
        settings=FavouritesSettings(),
        clock=house.clock,
    )
    follower.step()
    return follower


def new_track(house: MovingHouse, follower: FavouritesFollower) -> list[str]:
    """Let a fourth track come, which the server tells of; return what was asked for that."""
    entry = track(FOLDER, 4, "Tone 4")
    (house.library / entry["path"]).write_bytes(b"four")
    house.rescan(tracks=[*house.listing["tracks"], entry])
    added = house.item("Tone 4").id
    house.server.paths.clear()
    follower.deliver(LibraryChanged((added,), (), ()))
    follower.step()
    house.clock.advance(60)
    follower.step()
    return house.server.paths


@pytest.mark.parametrize("of", ["album_id", "artist_id"])
def test_a_new_track_of_what_has_a_heart_comes_within_a_minute(house: MovingHouse, of: str) -> None:
    heart = getattr(house.item("Tone 1"), of)
    house.client().set_favourite(heart, value=True)
    follower = follow(house)
    assert len(house.rows()) == 3

    asked = new_track(house, follower)

    assert [one.title for one in house.rows()] == ["Tone 1", "Tone 2", "Tone 3", "Tone 4"]
    assert set(asked) == {"/Items"}
    assert len(asked) <= 3


def test_a_new_track_of_nothing_that_has_a_heart_costs_one_request(house: MovingHouse) -> None:
    asked = new_track(house, follow(house))

    assert house.rows() == []
    assert asked == ["/Items"]
