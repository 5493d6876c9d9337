from __future__ import annotations

import pytest

from sidecar.store.accounts.accounts import Accounts
from sidecar.store.accounts.api_keys import ApiKeys
from sidecar.store.database import Database
from tests.fakes.clock import FakeClock
from tests.store.accounts.test_accounts import ANNS
from tests.store.examples import ANN, BEN


@pytest.fixture
def keys(db: Database, clock: FakeClock) -> ApiKeys:
    Accounts(db).save(ANNS)
    return ApiKeys(db, clock)


def test_a_key_acts_for_its_account(keys: ApiKeys, clock: FakeClock) -> None:
    key, secret = keys.create(ANN, "backup script")

    found = keys.find(secret)

    assert found == key
    assert (key.user_id, key.label, key.created_at) == (ANN, "backup script", clock.now())
    assert keys.find(secret[:-1]) is None


@pytest.mark.sqlite
def test_the_key_is_in_no_file(db: Database, keys: ApiKeys) -> None:
    _, secret = keys.create(ANN, "script")

    for file in db.path.parent.glob("sidecar.db*"):
        assert secret.encode() not in file.read_bytes()


def test_a_revoked_key_is_refused_and_still_listed(keys: ApiKeys, clock: FakeClock) -> None:
    key, secret = keys.create(ANN, "old")
    other, other_secret = keys.create(ANN, "other")

    assert keys.revoke(key.id)
    assert not keys.revoke(key.id)

    assert keys.find(secret) is None
    assert keys.find(other_secret) is not None
    listed = keys.of_account(ANN)
    assert [(one.id, one.revoked_at) for one in listed] == [
        (key.id, clock.now()),
        (other.id, None),
    ]
    assert keys.of_account(BEN) == []


def test_the_last_use_is_known_to_the_minute(keys: ApiKeys, clock: FakeClock) -> None:
    _, secret = keys.create(ANN, "script")
    keys.find(secret)
    first = clock.now()
    clock.advance(30)
    keys.find(secret)
    assert keys.of_account(ANN)[0].last_used_at == first

    clock.advance(30)
    keys.find(secret)

    assert keys.of_account(ANN)[0].last_used_at == clock.now()
