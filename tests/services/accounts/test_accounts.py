from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest
from pydantic import SecretStr

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.errors import SidecarError, SignedOut
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.health.problems import Problems
from tests.fakes.libraries.tiny import tiny_library
from tests.services.conftest import World


@pytest.fixture
def jellyfin(tmp_path: Path) -> Iterator[DemoServer]:
    with DemoServer(tiny_library(tmp_path / "library"), speaks=Version.V12_0) as server:
        yield server


@pytest.fixture
def accounts(world: World, jellyfin: DemoServer, tmp_path: Path) -> AccountService:
    return AccountService(
        jellyfin.url,
        ca_file=None,
        stores=world.stores,
        box=TokenBox(tmp_path / "key"),
        problems=Problems(world.bus),
        bus=world.bus,
        clock=world.clock,
    )


def test_the_end_of_an_old_token_is_not_taken_for_the_accounts(
    world: World, accounts: AccountService
) -> None:
    account = accounts.with_password("admin", SecretStr("admin"))
    over = Event()

    def work() -> None:
        while not over.is_set():
            with suppress(SidecarError):
                client = accounts.client(account.user_id)
                try:
                    client.me()
                except SignedOut:
                    accounts.signed_out(client)

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(15):
        accounts.with_password("admin", SecretStr("admin"))
    over.set()
    for thread in threads:
        thread.join(10)

    assert [one.name for one in accounts.signed_in()] == ["admin"]
    assert accounts.client(account.user_id).me().name == "admin"


def test_an_account_that_got_the_name_of_another_signs_in_beside_it(
    world: World, accounts: AccountService
) -> None:
    admin = accounts.with_password("admin", SecretStr("admin"))
    # Its name in Jellyfin was given to a new account; here it is not known yet.
    before = replace(admin, user_id="9" * 32)
    world.accounts.forget(admin.user_id)
    world.accounts.save(before)

    now = accounts.with_password("admin", SecretStr("admin"))

    other = accounts.get(before.user_id)
    assert other is not None
    assert now.user_id == admin.user_id
    assert other.jellyfin_device_id != now.jellyfin_device_id
