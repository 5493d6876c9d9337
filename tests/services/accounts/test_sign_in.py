from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.errors import ServerAway, SignInRefused, TooManyTries
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.accounts.person import ClientInfo
from sidecar.services.accounts.sign_in import SignInService
from sidecar.services.problems import Problems
from sidecar.store.accounts.api_keys import ApiKeys
from sidecar.store.accounts.sessions import Sessions
from tests.fakes.tiny_library import tiny_library
from tests.services.conftest import World

HOME = ClientInfo("192.168.1.7", "a browser")


@pytest.fixture
def jellyfin(tmp_path: Path) -> Iterator[DemoServer]:
    with DemoServer(tiny_library(tmp_path / "library"), speaks=Version.V12_0) as server:
        yield server


@pytest.fixture
def visiting(world: World, jellyfin: DemoServer, tmp_path: Path) -> SignInService:
    accounts = AccountService(
        jellyfin.url,
        ca_file=None,
        accounts=world.accounts,
        meta=world.meta,
        box=TokenBox(tmp_path / "key"),
        problems=Problems(world.bus),
        bus=world.bus,
        clock=world.clock,
    )
    return SignInService(
        accounts=accounts,
        sessions=Sessions(world.db, world.clock),
        api_keys=ApiKeys(world.db, world.clock),
        clock=world.clock,
    )


def asked(jellyfin: DemoServer) -> int:
    return jellyfin.core.activity_log.written


def test_the_third_try_does_not_reach_jellyfin_even_with_the_right_password(
    visiting: SignInService, jellyfin: DemoServer, world: World
) -> None:
    for _ in range(2):
        with pytest.raises(SignInRefused):
            visiting.sign_in("admin", "wrong", HOME)
    before = asked(jellyfin)

    with pytest.raises(TooManyTries, match="try again in 15 minutes") as refusal:
        visiting.sign_in("Admin", "admin", HOME)

    assert asked(jellyfin) == before
    world.clock.advance(refusal.value.wait_s)
    assert visiting.sign_in("admin", "admin", HOME).person.name == "admin"


def test_a_server_that_is_away_uses_up_no_try(
    visiting: SignInService, jellyfin: DemoServer
) -> None:
    jellyfin.stop()

    for _ in range(5):
        with pytest.raises(ServerAway):
            visiting.sign_in("ann", "ann", HOME)
