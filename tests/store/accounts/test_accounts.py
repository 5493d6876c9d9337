from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta

import peewee
import pytest

from sidecar.domain.items.item import ItemType
from sidecar.domain.rules.favourite_state import FavouriteState
from sidecar.store.accounts.accounts import Account, Accounts
from sidecar.store.accounts.api_keys import ApiKeys
from sidecar.store.accounts.sessions import Sessions
from sidecar.store.database import Database
from sidecar.store.rules.favourites import FavouriteStates
from tests.fakes.clock import FakeClock
from tests.store.examples import ANN, BEGIN, BEN, item_id

ANNS = Account(
    user_id=ANN,
    name="Ann",
    server_id="5" * 32,
    is_admin=False,
    may_download=True,
    jellyfin_device_id="sidecar-ann",
    token_encrypted=b"\x00sealed\xff",
    is_signed_in=True,
    signed_in_at=BEGIN,
)
BENS = replace(ANNS, user_id=BEN, name="ben", jellyfin_device_id="sidecar-ben", is_admin=True)


@pytest.fixture
def accounts(db: Database) -> Accounts:
    return Accounts(db)


def test_an_account_is_remembered_as_it_is(accounts: Accounts) -> None:
    accounts.save(BENS)
    accounts.save(ANNS)

    assert accounts.get(ANN) == ANNS
    assert accounts.all() == [ANNS, BENS]
    assert accounts.get("c" * 32) is None


def test_an_account_is_found_by_its_name_in_any_case(accounts: Accounts) -> None:
    accounts.save(ANNS)

    assert accounts.by_name("aNN") == ANNS
    assert accounts.by_name("anna") is None


def test_of_two_accounts_with_one_name_the_last_to_sign_in_is_meant(accounts: Accounts) -> None:
    accounts.save(ANNS)
    later = replace(BENS, name="ANN", signed_in_at=BEGIN + timedelta(days=1))
    accounts.save(later)

    assert accounts.by_name("ann") == later


def test_signing_in_again_keeps_the_sessions_of_the_page(
    db: Database, accounts: Accounts, clock: FakeClock
) -> None:
    accounts.save(ANNS)
    secret = Sessions(db, clock).begin(ANN, address_prefix="192.168.1.0/24")

    accounts.save(replace(ANNS, token_encrypted=b"another", name="Anna"))

    assert accounts.get(ANN) == replace(ANNS, token_encrypted=b"another", name="Anna")
    assert Sessions(db, clock).find(secret) is not None


def test_a_signed_out_account_has_no_token_left(accounts: Accounts) -> None:
    accounts.save(ANNS)
    accounts.save(BENS)

    accounts.mark_signed_out(ANN)

    assert accounts.get(ANN) == replace(ANNS, token_encrypted=None, is_signed_in=False)
    assert accounts.get(BEN) == BENS


def test_who_has_signed_in_anew_is_not_signed_out_for_the_token_before(
    accounts: Accounts, db: Database, clock: FakeClock
) -> None:
    accounts.save(ANNS)
    accounts.save(replace(ANNS, token_encrypted=b"anew"))
    secret = Sessions(db, clock).begin(ANN, address_prefix="10.0.0.0/24")

    assert not accounts.mark_signed_out(ANN, token=ANNS.token_encrypted)
    assert Sessions(db, clock).find(secret) is not None
    assert accounts.mark_signed_out(ANN, token=b"anew")

    assert Sessions(db, clock).find(secret) is None
    signed_out = accounts.get(ANN)
    assert signed_out is not None
    assert not signed_out.is_signed_in


def test_a_forgotten_account_takes_its_sessions_keys_and_hearts_along(
    db: Database, accounts: Accounts, clock: FakeClock
) -> None:
    accounts.save(ANNS)
    session = Sessions(db, clock).begin(ANN, address_prefix="")
    _, key = ApiKeys(db, clock).create(ANN, "script")
    FavouriteStates(db, clock).save(
        ANN, item_id(1), ItemType.AUDIO, FavouriteState(is_favorite=True)
    )

    accounts.forget(ANN)

    assert accounts.all() == []
    assert Sessions(db, clock).find(session) is None
    assert ApiKeys(db, clock).find(key) is None
    assert FavouriteStates(db, clock).favourites(ANN) == {}


@pytest.mark.sqlite
def test_two_accounts_never_share_a_device_id(accounts: Accounts) -> None:
    accounts.save(ANNS)

    with pytest.raises(peewee.IntegrityError) as caught:
        accounts.save(replace(BENS, jellyfin_device_id="sidecar-ann"))

    assert isinstance(caught.value.__context__, sqlite3.IntegrityError)


def test_an_account_in_a_log_shows_no_token() -> None:
    assert "sealed" not in repr(ANNS)
