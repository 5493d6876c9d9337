from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.demo.protocol.version import Version
from sidecar.demo.state.users import DemoUser
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.accounts.auto_sign_in import AutoSignIn
from sidecar.services.health.jellyfin_status import JellyfinStatus
from sidecar.services.health.problems import ProblemKind, Problems
from tests.fakes.libraries.tiny import tiny_library
from tests.services.conftest import World
from tests.services.identity.house import CountingServer


@dataclass
class House:
    """Eve, whose password is in the settings, and the server that she has an account at."""

    world: World
    jellyfin: CountingServer
    accounts: AccountService
    elsewhere: AccountService
    problems: Problems

    @property
    def eve(self) -> DemoUser:
        found = self.jellyfin.core.users.find("admin")
        assert found is not None
        return found

    @property
    def tries(self) -> int:
        return self.jellyfin.paths.count("/Users/AuthenticateByName")

    @property
    def is_in(self) -> bool:
        return [one.name for one in self.accounts.signed_in()] == ["admin"]

    def unattended(self, password: str = "admin") -> AutoSignIn:
        return AutoSignIn(
            "admin",
            SecretStr(password),
            accounts=self.accounts,
            server=JellyfinStatus(self.accounts.anonymous, self.problems, self.world.clock),
            problems=self.problems,
            clock=self.world.clock,
        )

    def let_go(self, user_id: str) -> None:
        """Let a person sign the account out, on the page of another process."""
        self.elsewhere.let_go(user_id)
        self.elsewhere.signed_out(self.elsewhere.client(user_id))

    def lose_token(self) -> None:
        """Let Jellyfin delete the account's tokens, as it does when somebody disables it."""
        account = self.accounts.by_name("admin")
        assert account is not None
        client = self.accounts.client(account.user_id)
        for one in self.jellyfin.core.devices.of_user(self.eve.id):
            self.jellyfin.core.sign_out(one.token)
        self.accounts.signed_out(client)


@pytest.fixture
def house(world: World, tmp_path: Path) -> Iterator[House]:
    with CountingServer(tiny_library(tmp_path / "library"), speaks=Version.V12_0) as server:
        problems = Problems(world.bus)
        accounts, elsewhere = (
            AccountService(
                server.url,
                ca_file=None,
                stores=world.stores,
                box=TokenBox(tmp_path / "key"),
                problems=problems,
                bus=world.bus,
                clock=world.clock,
            )
            for _ in range(2)
        )
        yield House(world, server, accounts, elsewhere, problems)


def test_an_account_whose_tokens_were_deleted_comes_back_by_itself(house: House) -> None:
    unattended = house.unattended()
    unattended.step()
    assert house.is_in
    house.eve.policy["IsDisabled"] = True
    house.lose_token()

    unattended.step()
    for pause in (60, 120, 240, 480, 900, 900):
        before = house.tries
        house.world.clock.advance(pause - 1)
        unattended.step()
        assert house.tries == before
        house.world.clock.advance(1)
        unattended.step()
        assert house.tries == before + 1

    assert not house.is_in
    house.eve.policy["IsDisabled"] = False
    house.world.clock.advance(900)
    unattended.step()
    assert house.is_in
    assert house.problems.all_of(ProblemKind.ACCOUNT) == {}


def test_a_wrong_password_is_never_sent_again(house: House) -> None:
    unattended = house.unattended("wrong")
    unattended.step()
    before = house.tries

    house.world.clock.advance(100_000)
    unattended.step()

    assert house.tries == before == 1
    (trouble,) = house.problems.all_of(ProblemKind.ACCOUNT).values()
    assert trouble.code == "refused"


def test_an_account_that_a_person_let_go_stays_out(house: House) -> None:
    unattended = house.unattended()
    unattended.step()
    account = house.accounts.by_name("admin")
    assert account is not None
    house.let_go(account.user_id)

    house.world.clock.advance(100_000)
    unattended.step()

    assert not house.is_in

    again = house.unattended()  # after the next start
    again.step()
    assert not house.is_in

    again.try_now()
    assert house.is_in


def test_an_admin_has_it_tried_at_once_whatever_was_before(house: House) -> None:
    unattended = house.unattended()
    unattended.step()
    house.eve.policy["IsDisabled"] = True
    house.lose_token()
    unattended.step()
    house.eve.policy["IsDisabled"] = False
    unattended.step()
    assert not house.is_in  # a minute is not over

    unattended.try_now()

    assert house.is_in
    account = house.accounts.by_name("admin")
    assert account is not None
    house.let_go(account.user_id)
    unattended.step()
    assert not house.is_in
    unattended.try_now()
    assert house.is_in
