"""Players report to the demo server in both voices; accounts look at it and watch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.domain.playback.plays import Play
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.sign_in import SignIn
from sidecar.services.playback.tracker import PlaybackTracker
from sidecar.store.accounts.accounts import Account
from sidecar.store.playback.plays import Plays
from tests.contract.client import Client
from tests.fakes.libraries.tiny import tiny_library
from tests.fakes.servers.demo import House, device_of
from tests.services.conftest import World

TICKS = 10_000_000


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tiny_library(tmp_path / "library"))
    with house.open:
        yield house


@pytest.fixture(params=Version, ids=lambda one: one.value)
def server(house: House, request: pytest.FixtureRequest) -> DemoServer:
    return house.server(request.param)


class Household:
    """Ann and an admin have signed in to the sidecar; time passes when it is told to."""

    def __init__(self, world: World, server: DemoServer) -> None:
        self.clock = world.clock
        self.said: list[Play] = []
        self.accounts = [self._sign_in(world, server, name) for name in ("ann", "admin")]
        self.watching = PlaybackTracker(
            Plays(world.db), world.downloads, on_play=self.said.append, clock=world.clock
        )

    def look(self) -> None:
        """Every account looks, and tells all it sees."""
        for one in self.accounts:
            self.watching.tell(one.user_id or "", one.sessions())
        self.watching.tick()

    def play(self, player: Client, item_id: str, seconds: int, *, entry: str) -> None:
        """Play for so long, as the real web client reports it: stopped twice."""
        more = {"PlaylistItemId": entry}
        player.report("", item_id, **more)
        self.look()
        for second in range(1, seconds + 1):
            self.clock.advance(1)
            player.report("/Progress", item_id, PositionTicks=second * TICKS, **more)
            self.look()
        for position in (seconds, 0):
            player.report("/Stopped", item_id, PositionTicks=position * TICKS, **more)
            self.look()

    def _sign_in(self, world: World, server: DemoServer, name: str) -> Jellyfin:
        identity = DeviceIdentity(device_id=f"watching-{name}", version="1.0.0")
        found = SignIn(server.url, identity).with_password(name, SecretStr(name))
        world.accounts.save(
            Account(
                user_id=found.user_id,
                name=name,
                server_id=found.server_id,
                is_admin=name == "admin",
                may_download=True,
                jellyfin_device_id=identity.device_id,
                token_encrypted=None,
                is_signed_in=True,
                signed_in_at=world.clock.now(),
            )
        )
        return Jellyfin(
            server.url,
            identity=identity,
            token=found.token,
            user_id=found.user_id,
            server_id=found.server_id,
        )


def test_two_devices_of_one_person_are_heard_once_each_and_by_that_person_alone(
    world: World, server: DemoServer
) -> None:
    household = Household(world, server)
    phone, tv = device_of(server, "ann", "phone"), device_of(server, "ann", "tv")
    ben = device_of(server, "ben")
    first, second, *_ = [str(one["Id"]) for one in phone.songs()]
    length = int(length_of(phone, first))

    household.play(phone, first, length, entry="playlistItem0")
    household.play(phone, second, 1, entry="playlistItem1")
    household.play(tv, first, length, entry="playlistItem0")
    household.play(ben, first, length, entry="playlistItem0")

    ann = household.accounts[0].user_id
    assert [(one.user_id, one.item_id) for one in household.said] == [
        (ann, first),
        (ann, second),
        (ann, first),
    ]
    assert [one.seconds_heard for one in household.said] == pytest.approx([length, 1, length])
    assert household.said[0].counts


def length_of(player: Client, item_id: str) -> float:
    found = next(one for one in player.songs() if one["Id"] == item_id)
    return float(found["RunTimeTicks"]) / TICKS
