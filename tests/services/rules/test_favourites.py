"""What the library tells of is wished for within a minute, and nothing else is asked about."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pydantic import SecretStr

from sidecar.demo.protocol.messages import Reply, Request
from sidecar.domain.items.item import ItemType
from sidecar.domain.rules.favourites import FavouritesSettings
from sidecar.errors import JellyfinError, ServerAway, TooSlow
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.http import wait_limit
from sidecar.jellyfin.listing import Listing
from sidecar.jellyfin.live.events import LibraryChanged, UserDataChanged, UserDataEntry
from sidecar.jellyfin.sign_in import SignIn
from sidecar.services.health.tasks import Tasks
from sidecar.services.playback.client_messages.acts import Acts
from sidecar.services.rules.favourites.favourites import FavouritesFollower
from sidecar.services.rules.favourites.states import AccountFavourites
from sidecar.services.rules.followed_account import FollowedAccount
from tests.fakes.libraries.tiny import track
from tests.patience import PATIENCE_S
from tests.services.conftest import STICK
from tests.services.identity.house import CountingServer, MovingHouse, moving_house, tracks

FOLDER = "Music/The Sine Waves/First Light (2019)"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[MovingHouse]:
    with moving_house(tmp_path, tracks(3)) as built:
        yield built


def follow(
    house: MovingHouse, *, client: Jellyfin | None = None, told: list[JellyfinError] | None = None
) -> FavouritesFollower:
    user_id = house.person("ann").user_id
    account = FollowedAccount(
        user_id=user_id,
        name="ann",
        devices=lambda _name: [STICK],
        tell=([] if told is None else told).append,
        is_server_there=lambda: True,
    )
    follower = FavouritesFollower(
        account,
        client or house.client(),
        hearts=AccountFavourites(user_id, house.store.hearts, house.clock),
        planning=house.services.rules.planning,
        settings=FavouritesSettings(),
        clock=house.clock,
        acts=Acts(house.clock),
        tasks=Tasks(house.clock),
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
    return list(house.server.paths)


@pytest.mark.parametrize("of", ["album_id", "artist_id"])
def test_a_new_track_of_what_has_a_heart_comes_within_a_minute(house: MovingHouse, of: str) -> None:
    heart = getattr(house.item("Tone 1"), of)
    house.client().set_favourite(heart, value=True)
    follower = follow(house)
    assert len(house.rows()) == 3

    asked = new_track(house, follower)

    assert [one.title for one in house.rows()] == ["Tone 1", "Tone 2", "Tone 3", "Tone 4"]
    # What is named is asked for by its own address: only that asks for the account's rights.
    assert set(asked) == {"/Items", f"/Items/{house.item('Tone 4').id}"}
    assert len(asked) <= 4


def test_a_new_track_of_a_playlist_with_a_heart_comes_as_soon(house: MovingHouse) -> None:
    first, second, _ = house.items()
    ann = house.person("ann").user_id
    lists = house.server.core.playlists
    playlist = lists.create("Road", ann, [first.id], is_public=False)
    house.client().set_favourite(playlist.id, value=True)
    follower = follow(house)
    assert [one.item_id for one in house.rows()] == [first.id]

    playlist.item_ids.append(second.id)
    follower.deliver(LibraryChanged((), (playlist.id,), ()))
    follower.step()
    house.clock.advance(60)
    follower.step()

    assert {one.item_id for one in house.rows()} == {first.id, second.id}


def test_a_new_track_of_nothing_that_has_a_heart_costs_one_request(house: MovingHouse) -> None:
    asked = new_track(house, follow(house))

    assert house.rows() == []
    assert asked == ["/Items"]


class SlowServer(CountingServer):
    """The demo server, which keeps the requests for one path waiting until it may answer."""

    slow: str = ""

    def answer(self, request: Request) -> Reply:
        if self.slow and request.path == self.slow:
            self.goes_on.wait(PATIENCE_S)
        return super().answer(request)

    @cached_property
    def goes_on(self) -> Event:
        return Event()


def client_of_ann(house: MovingHouse, kind: type[Jellyfin], *, read_within_s: float) -> Jellyfin:
    identity = DeviceIdentity(device_id="another", version="1.0.0")
    ann = SignIn(house.server.url, identity).with_password("ann", SecretStr("ann"))
    return kind(
        house.server.url,
        identity=identity,
        token=ann.token,
        user_id=ann.user_id,
        server_id=ann.server_id,
        read_within_s=read_within_s,
    )


def impatient(house: MovingHouse) -> Jellyfin:
    """Return a client of ann's that waits a moment only."""
    made = client_of_ann(house, Jellyfin, read_within_s=0.3)
    house.open.callback(made.close)
    return made


@pytest.fixture
def slow_house(tmp_path: Path) -> Iterator[MovingHouse]:
    with moving_house(tmp_path, tracks(3), kind=SlowServer) as built:
        yield built
        slow(built).goes_on.set()


def slow(house: MovingHouse) -> SlowServer:
    assert isinstance(house.server, SlowServer)
    return house.server


def test_a_list_that_is_slow_holds_up_no_other_and_is_asked_again_alone(
    slow_house: MovingHouse,
) -> None:
    first = slow_house.item("Tone 1")
    artist = slow_house.item("Tone 2").artist_id
    assert artist is not None
    for one in (first.id, artist):
        slow_house.client().set_favourite(one, value=True)
    slow_house.want(slow_house.item("Tone 3"), rule="favourites", of=artist)
    client, told = impatient(slow_house), list[JellyfinError]()
    slow(slow_house).slow = "/Artists"

    follower = follow(slow_house, client=client, told=told)

    assert {one.title for one in slow_house.rows()} == {"Tone 1", "Tone 3"}
    assert [type(one) for one in told] == [TooSlow]
    held = slow_house.store.holds.of_rule(client.user_id or "", STICK, "favourites")
    assert all(one.release_at is None for one in held)

    slow_house.server.paths.clear()
    slow_house.clock.advance(59)
    follower.step()
    assert "/Artists" not in slow_house.server.paths
    slow(slow_house).goes_on.set()
    slow_house.clock.advance(1)
    follower.step()

    assert {one.title for one in slow_house.rows()} == {"Tone 1", "Tone 2", "Tone 3"}
    assert "/Artists" in slow_house.server.paths
    assert len(told) == 1


def test_a_slow_list_is_asked_with_growing_patience_and_ever_later(
    slow_house: MovingHouse,
) -> None:
    waits: list[float] = []

    class Patient(Jellyfin):
        def favourites(self, types: Collection[ItemType], **more: Any) -> Listing:  # noqa: ANN401
            if types == {ItemType.ARTIST}:
                waits.append(wait_limit.more_s())
                raise TooSlow("not in time")
            return super().favourites(types, **more)

    follower = follow(
        slow_house, client=client_of_ann(slow_house, Patient, read_within_s=PATIENCE_S)
    )
    for pause in (60, 120, 240, 480):
        slow_house.clock.advance(pause - 1)
        follower.step()
        slow_house.clock.advance(1)
        follower.step()

    assert waits == [0, 60, 120, 240, 480]


def test_what_goes_on_failing_alike_is_said_once(
    house: MovingHouse, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [""]

    class Broken(Jellyfin):
        def favourites(self, types: Collection[ItemType], **more: Any) -> Listing:  # noqa: ANN401
            if answers[-1]:
                raise ServerAway(answers[-1])
            return super().favourites(types, **more)

    follower = follow(house, client=client_of_ann(house, Broken, read_within_s=PATIENCE_S))
    caplog.set_level(logging.INFO)
    for words in ("away", "away", "starting", "away", "", "away"):
        answers.append(words)
        follower.look_through_soon()
        assert follower._go_on()

    said = [one.getMessage().rpartition(" ")[2] for one in caplog.records if "cannot be" in one.msg]
    assert said == ["away", "starting", "away", "away"]


class AskedServer(CountingServer):
    """The demo server, which remembers what the lists that it was asked for are of."""

    def answer(self, request: Request) -> Reply:
        of = next((one for one in ASKED_BY if request.value(one) is not None), "")
        with self.core.lock:
            self.lists[f"{request.path} {of}".strip()] += 1
            self.fields.append(request.value("fields") or "")
        return super().answer(request)

    @cached_property
    def lists(self) -> Counter[str]:
        return Counter()

    @cached_property
    def fields(self) -> list[str]:
        return []


ASKED_BY = ("isFavorite", "albumArtistIds", "ids", "parentId")
MEDIA_SOURCES = "MediaSources"


@pytest.fixture
def many_artists(tmp_path: Path) -> Iterator[MovingHouse]:
    """Three hundred tracks of thirty artists, each of whom has a heart."""
    found = [
        track(f"Music/Band {artist}/First (2001)", number, f"Tone {artist}.{number}")
        for artist in range(30)
        for number in range(1, 11)
    ]
    with moving_house(tmp_path, found, kind=AskedServer) as built:
        for artist in {one.artist_id for one in built.items()}:
            assert artist is not None
            built.client().set_favourite(artist, value=True)
        yield built


def count(house: MovingHouse) -> tuple[Counter[str], list[str]]:
    """Return what was asked since this was last called, and the fields that were asked for."""
    assert isinstance(house.server, AskedServer)
    asked, fields = Counter(house.server.lists), list(house.server.fields)
    house.server.lists.clear()
    house.server.fields.clear()
    return asked, fields


def test_many_artists_with_hearts_take_few_requests_and_later_looks_fewer(
    many_artists: MovingHouse,
) -> None:
    many_artists.client()
    count(many_artists)

    follower = follow(many_artists)

    assert len(many_artists.rows()) == 300
    asked, fields = count(many_artists)
    # The last one tells whether anything has come or gone since the last look.
    lists = {"/Items isFavorite": 1, "/Artists isFavorite": 1, "/UserViews": 1, "/Items": 1}
    # Their tracks with sizes, twenty artists at a time, and the albums that name the folders.
    assert asked == lists | {"/Items albumArtistIds": 2, "/Items ids": 1}
    assert sum(MEDIA_SOURCES in one for one in fields) == 2

    # A device came, or events may have been missed.
    follower.look_through_soon()
    follower.step()
    asked, fields = count(many_artists)
    assert asked == lists | {"/Items albumArtistIds": 2}
    assert not any(MEDIA_SOURCES in one for one in fields)

    many_artists.clock.advance(3600)
    follower.step()
    asked, fields = count(many_artists)
    assert asked == lists
    assert not any(MEDIA_SOURCES in one for one in fields)
    held = many_artists.store.holds.of_rule(many_artists.person("ann").user_id, STICK, "favourites")
    assert all(one.release_at is None for one in held)
    assert len({(one.item_id, one.reason.source_id) for one in held}) == 300


def test_a_heart_that_is_taken_away_while_its_tracks_are_written_keeps_none_of_them(
    many_artists: MovingHouse,
) -> None:
    artist = next(one.artist_id for one in many_artists.items() if one.artist_id)
    user_id = many_artists.person("ann").user_id
    planning = many_artists.services.rules.planning
    follower = follow(many_artists)
    follower.deliver(UserDataChanged(user_id, (pressed(artist, value=False),)))
    follower.step()
    follower.deliver(UserDataChanged(user_id, (pressed(artist, value=True),)))
    # It comes while the first step is at work on the other.
    follower.deliver(UserDataChanged(user_id, (pressed(artist, value=False),)))
    follower.step()

    held = many_artists.store.holds.of_source(user_id, "favourites", artist)
    assert held
    assert all(one.release_at is not None for one in held)
    assert planning.sources(user_id, "favourites")


def pressed(item_id: str, *, value: bool) -> UserDataEntry:
    return UserDataEntry(
        item_id=item_id,
        is_favorite=value,
        played=False,
        play_count=0,
        last_played=None,
        position_s=0.0,
    )
