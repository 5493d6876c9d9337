"""Who lives in the house, over the real store and the demo server in both voices."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from pydantic import SecretStr

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.errors import NotPossible, NotVisible
from sidecar.events import AccountChanged
from sidecar.jellyfin.tokens import TokenBox
from sidecar.process.logs import LineFormatter
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.accounts.auto_sign_in import AutoSignIn
from sidecar.services.accounts.permissions import PermissionRefresh
from sidecar.services.accounts.person import Person
from sidecar.services.accounts.usage import KeptUsage
from sidecar.services.accounts.users import UserService
from sidecar.services.health.jellyfin_status import JellyfinStatus
from sidecar.services.health.problems import Problems
from sidecar.services.health.system_status import RecentLog
from sidecar.store.accounts.api_keys import ApiKeys
from sidecar.store.accounts.sessions import Sessions
from sidecar.store.accounts.usage import UsageByAccount
from tests.fakes.libraries.tiny import tiny_library
from tests.fakes.servers.slow_line import SlowLine
from tests.patience import PATIENCE_S
from tests.services.conftest import ANN, World


class House:
    """Ann, and an admin, signed in at a demo server that a line leads to."""

    def __init__(self, world: World, line: SlowLine, folder: Path) -> None:
        self.world, problems = world, Problems(world.bus)
        world.accounts.forget(ANN)
        self.accounts = AccountService(
            f"http://127.0.0.1:{line.port}",
            ca_file=None,
            stores=world.stores,
            box=TokenBox(folder / "key"),
            problems=problems,
            bus=world.bus,
            clock=world.clock,
        )
        self.sessions = Sessions(world.db, world.clock)
        self.keys = ApiKeys(world.db, world.clock)
        server = JellyfinStatus(self.accounts.anonymous, problems, world.clock)
        self.look = PermissionRefresh(self.accounts, server, world.clock)
        self.unattended = AutoSignIn(
            "admin",
            SecretStr("admin"),
            accounts=self.accounts,
            server=server,
            problems=problems,
            clock=world.clock,
        )
        self.people = UserService(
            accounts=self.accounts,
            sessions=self.sessions,
            api_keys=self.keys,
            belongings=KeptUsage(UsageByAccount(world.db), world.bus, world.clock),
            bus=world.bus,
            permissions=self.look,
            unattended=self.unattended,
            problems=problems,
        )
        self.ann = self._signed_in("ann")
        self.admin = self._signed_in("admin")
        world.news.clear()

    def _signed_in(self, name: str) -> Person:
        account = self.accounts.with_password(name, SecretStr(name))
        return Person(account.user_id, account.name, account.is_admin)

    def is_signed_in(self, person: Person) -> bool:
        account = self.accounts.get(person.user_id)
        assert account is not None
        return account.is_signed_in


@pytest.fixture(params=[Version.V12_0, Version.V10_11])
def jellyfin(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DemoServer]:
    with DemoServer(tiny_library(tmp_path / "library"), speaks=request.param) as server:
        yield server


@pytest.fixture
def line(jellyfin: DemoServer) -> Iterator[SlowLine]:
    with SlowLine(int(jellyfin.url.rpartition(":")[2])) as line:
        yield line


@pytest.fixture
def house(world: World, line: SlowLine, tmp_path: Path) -> House:
    return House(world, line, tmp_path)


def test_a_session_is_listed_ended_and_the_pages_are_told(house: House) -> None:
    mine = house.sessions.begin(house.ann.user_id, address_prefix="192.168.1")
    house.sessions.begin(house.admin.user_id, address_prefix="10.0.0")

    (seen,) = house.people.sessions(house.ann, mine)
    assert (seen.account, seen.address, seen.is_this) == ("ann", "192.168.1", True)
    assert mine not in seen.id
    assert len(house.people.sessions(house.admin, None)) == 2

    house.people.end_session(house.admin, seen.id)
    assert house.sessions.find(mine) is None
    assert house.world.news == [AccountChanged(house.ann.user_id)]


def test_nobody_ends_the_session_of_somebody_else(house: House) -> None:
    secret = house.sessions.begin(house.admin.user_id, address_prefix="")
    (theirs,) = house.people.sessions(house.admin, secret)

    with pytest.raises(NotVisible):
        house.people.end_session(house.ann, theirs.id)
    assert house.people.end_sessions(house.ann) == 0
    assert house.sessions.find(secret) is not None


def test_who_is_forgotten_has_no_token_no_key_and_no_session(
    house: House, jellyfin: DemoServer
) -> None:
    token = house.accounts.client(house.ann.user_id).authorization_header()
    secret = house.sessions.begin(house.ann.user_id, address_prefix="")
    _, key = house.keys.create(house.ann.user_id, "radio")

    house.people.forget(house.ann, house.ann.user_id)
    with pytest.raises(NotVisible):
        house.people.forget(house.ann, house.admin.user_id)

    assert not house.is_signed_in(house.ann)
    assert house.sessions.find(secret) is None
    assert house.keys.find(key) is None
    assert house.is_signed_in(house.admin)
    assert token["Authorization"].count("Token=") == 1
    (view,) = house.people.accounts(house.ann)
    assert (view.is_signed_in, view.files, view.bytes) == (False, 0, 0)


def test_who_is_no_admin_any_more_is_none_here_either(house: House, jellyfin: DemoServer) -> None:
    headers = house.accounts.client(house.admin.user_id).authorization_header()
    me = requests.get(f"{jellyfin.url}/Users/Me", headers=headers, timeout=PATIENCE_S).json()
    policy = me["Policy"] | {"IsAdministrator": False}
    url = f"{jellyfin.url}/Users/{house.admin.user_id}/Policy"
    requests.post(url, headers=headers, json=policy, timeout=PATIENCE_S).raise_for_status()

    house.look.step()

    account = house.accounts.get(house.admin.user_id)
    assert account is not None
    assert not account.is_admin
    assert house.world.news == [AccountChanged(house.admin.user_id)]
    house.look.step()
    assert len(house.world.news) == 1


def test_a_token_that_was_taken_back_ends_the_sessions(house: House, jellyfin: DemoServer) -> None:
    secret = house.sessions.begin(house.ann.user_id, address_prefix="")
    house.accounts.client(house.ann.user_id).logout()

    house.look.step()

    assert not house.is_signed_in(house.ann)
    assert house.sessions.find(secret) is None


def test_a_server_that_is_away_ends_nothing(house: House, line: SlowLine) -> None:
    secret = house.sessions.begin(house.ann.user_id, address_prefix="")
    line.lead_to(1)
    line.cut()

    house.look.step()

    assert house.is_signed_in(house.ann)
    assert house.sessions.find(secret) is not None


def test_the_recent_log_is_masked_and_newest_first() -> None:
    recent = RecentLog(LineFormatter())
    for text in ("first", "token=0123456789abcdef"):
        recent.handle(logging.LogRecord("sidecar.x", logging.INFO, "", 0, text, None, None))

    assert [one.text for one in recent.lines()] == ["token=********", "first"]


def can_try(house: House) -> list[str]:
    return [one.name for one in house.people.accounts(house.admin) if one.can_try_again]


def test_an_admin_has_an_account_that_waits_tried_again_at_once(
    house: House, jellyfin: DemoServer
) -> None:
    ann = jellyfin.core.users.find("ann")
    assert ann is not None
    house.accounts.outside_hours(house.ann.user_id)
    assert can_try(house) == ["ann"]
    with pytest.raises(NotVisible):
        house.people.try_again(house.ann, house.ann.user_id)

    house.people.try_again(house.admin, house.ann.user_id)

    assert can_try(house) == []
    house.people.try_again(house.admin, house.ann.user_id)  # it waits for nothing: no request


def test_who_has_no_password_in_the_settings_must_sign_in_themselves(house: House) -> None:
    for one in (house.ann, house.admin):
        house.people.forget(house.admin, one.user_id)
    assert can_try(house) == ["admin"]

    with pytest.raises(NotPossible, match="ann must sign in here"):
        house.people.try_again(house.admin, house.ann.user_id)
    house.people.try_again(house.admin, house.admin.user_id)

    assert [house.is_signed_in(one) for one in (house.ann, house.admin)] == [False, True]
