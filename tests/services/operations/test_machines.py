from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.config import ServerSettings, Settings
from sidecar.config.settings import DatabaseSettings, JellyfinSettings, RedisSettings
from sidecar.domain.processes.machines import OF_MACHINE
from sidecar.errors import TooManyTries
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.operations.machine_keys import Addresses, MachineKeys
from sidecar.services.operations.machines import (
    LASTS,
    MOST_TRIES,
    WITHIN_S,
    Joining,
    JoinRefused,
    MachineService,
)
from tests.services.conftest import World

REMOTE = "postgresql://sidecar:s3cret@db.home/sidecar"


def machines(world: World, folder: Path, database: str | None = REMOTE) -> MachineService:
    url = None if database is None else SecretStr(database)
    settings = Settings(
        server=ServerSettings(data_dir=folder),
        jellyfin=JellyfinSettings(url="http://nas:8096"),
        database=DatabaseSettings(url=url),
        redis=RedisSettings(url=SecretStr("rediss://:pw@redis.home")),
    )
    box = TokenBox(folder / "token.key")
    return MachineService(
        lambda: settings,
        world.stores.meta,
        box,
        world.clock,
        give=lambda _machine: Addresses(url or SecretStr(""), settings.redis.url),
        may_give=MachineKeys(lambda: settings).may_give,
    )


def redeem(one: MachineService, code: str) -> Joining:
    return one.redeem(code, "pi", is_local=False)


def test_a_machine_gets_what_it_needs_with_a_code_once(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    one = machines(world, tmp_path)
    made = one.make_code()
    assert made.code not in str(world.db.sql("SELECT value FROM meta"))
    typed = made.code.lower().replace("-", " ")
    # Another process takes it.
    found = redeem(machines(world, tmp_path), typed)
    assert found.database_url.get_secret_value() == REMOTE
    assert found.redis_url is not None
    assert found.token_key.get_secret_value() == (tmp_path / "token.key").read_text()
    assert found.jellyfin_url == "http://nas:8096"
    with pytest.raises(JoinRefused, match="used"):
        redeem(one, made.code)
    assert "joined" in caplog.text
    for secret in (made.code, "s3cret", found.token_key.get_secret_value()):
        assert secret not in caplog.text
        assert secret not in repr(found)


def test_a_code_is_void_after_a_quarter_of_an_hour_and_after_a_newer_one(
    world: World, tmp_path: Path
) -> None:
    one = machines(world, tmp_path)
    first, second = one.make_code(), one.make_code()
    with pytest.raises(JoinRefused):
        redeem(one, first.code)
    world.clock.advance((LASTS + timedelta(seconds=1)).total_seconds())
    with pytest.raises(JoinRefused):
        redeem(one, second.code)
    assert redeem(one, one.make_code().code)


def test_nobody_guesses_many_codes(world: World, tmp_path: Path) -> None:
    one = machines(world, tmp_path)
    made = one.make_code()
    for _ in range(MOST_TRIES):
        with pytest.raises(JoinRefused):
            redeem(one, "AAAAA-AAAAA")
    with pytest.raises(TooManyTries):
        redeem(one, made.code)
    world.clock.advance(WITHIN_S + 1)
    assert redeem(one, made.code)


@pytest.mark.parametrize(
    "local",
    [
        "postgresql://u:p@localhost/sidecar",
        "postgresql://u:p@127.0.0.1:5432/sidecar",
        "postgresql://u:p@[::1]/sidecar",
        "postgresql:///sidecar?host=/run/postgresql",
    ],
)
def test_an_address_of_this_machine_alone_is_not_given_away_and_keeps_the_code(
    world: World, tmp_path: Path, local: str
) -> None:
    made = machines(world, tmp_path, local).make_code()
    with pytest.raises(JoinRefused, match="others know it by"):
        redeem(machines(world, tmp_path, local), made.code)
    assert machines(world, tmp_path, local).redeem(made.code, "here", is_local=True)


def test_a_machine_that_has_joined_hands_out_nothing(world: World, tmp_path: Path) -> None:
    own = f"postgresql://{OF_MACHINE}0123456789abcdef:pw@db.home/sidecar"
    made = machines(world, tmp_path).make_code()
    joined = machines(world, tmp_path, own)
    for ask in (joined.make_code, partial(redeem, joined, made.code)):
        with pytest.raises(JoinRefused):
            ask()
    assert redeem(machines(world, tmp_path), made.code)


def test_a_file_cannot_be_shared(world: World, tmp_path: Path) -> None:
    one = machines(world, tmp_path, None)
    assert not one.is_possible
    with pytest.raises(JoinRefused, match="PostgreSQL"):
        one.make_code()
