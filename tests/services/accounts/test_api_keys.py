from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.errors import NotVisible
from sidecar.services.accounts.api_keys import MOST_KEYS, ApiKeyService
from sidecar.store.accounts.accounts import Account
from sidecar.store.accounts.api_keys import ApiKeys
from tests.services.conftest import ANN, World
from tests.services.rules.steered import Ann, Ben


@pytest.fixture
def keys(world: World) -> ApiKeyService:
    return ApiKeyService(ApiKeys(world.db, world.clock), world.bus, world.clock)


def test_a_key_opens_the_door_until_it_is_revoked(world: World, keys: ApiKeyService) -> None:
    made = keys.make_key(Ann, "my script")
    assert made is not None
    key, secret = made
    api_keys = ApiKeys(world.db, world.clock)
    found = api_keys.find(secret)
    assert found is not None
    assert found.user_id == ANN
    assert [(one.id, one.label) for one in keys.keys(Ann)] == [(key.id, "my script")]
    assert [one.last_used_at for one in keys.keys(Ann)] == [world.clock.now()]

    keys.revoke_key(Ann, key.id)

    assert api_keys.find(secret) is None
    assert keys.keys(Ann) == []
    with pytest.raises(NotVisible):
        keys.revoke_key(Ann, key.id)


def test_a_key_ends_by_itself_and_is_listed_as_expired(world: World, keys: ApiKeyService) -> None:
    api_keys = ApiKeys(world.db, world.clock)
    made, ever = keys.make_key(Ann, "a week", days=7), keys.make_key(Ann, "ever", days=None)
    assert made is not None
    assert ever is not None
    assert made[0].expires_at == world.clock.now() + timedelta(days=7)

    world.clock.advance(7 * 24 * 3600 - 1)
    assert api_keys.find(made[1]) is not None
    world.clock.advance(1)

    assert api_keys.find(made[1]) is None
    assert api_keys.find(ever[1]) is not None
    assert [(one.label, one.is_expired) for one in keys.keys(Ann)] == [
        ("a week", True),
        ("ever", False),
    ]


def test_all_keys_of_an_account_are_revoked_and_no_others(
    world: World, keys: ApiKeyService
) -> None:
    world.accounts.save(replace(_account(world), user_id=Ben.user_id, jellyfin_device_id="his"))
    for person, label in ((Ann, "one"), (Ann, "two"), (Ben, "his")):
        keys.make_key(person, label)

    assert keys.revoke_all(Ann) == 2

    assert (len(keys.keys(Ann)), len(keys.keys(Ben))) == (0, 1)
    assert keys.revoke_all(Ann) == 0


def _account(world: World) -> Account:
    account = world.accounts.get(ANN)
    assert account is not None
    return account


def test_nobody_sees_or_revokes_the_key_of_somebody_else(keys: ApiKeyService) -> None:
    made = keys.make_key(Ann, "mine")
    assert made is not None

    assert keys.keys(Ben) == []
    with pytest.raises(NotVisible):
        keys.revoke_key(Ben, made[0].id)
    assert len(keys.keys(Ann)) == 1


def test_an_account_has_only_so_many_keys_that_work(keys: ApiKeyService) -> None:
    made = [keys.make_key(Ann, f"script {number}") for number in range(MOST_KEYS)]

    assert keys.make_key(Ann, "one too many") is None
    assert made[0] is not None
    keys.revoke_key(Ann, made[0][0].id)
    assert keys.make_key(Ann, "the next one") is not None
