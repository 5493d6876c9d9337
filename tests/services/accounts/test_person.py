from __future__ import annotations

from datetime import UTC, datetime

from sidecar.services.accounts.person import Person, ids_of, viewer
from sidecar.store.accounts.accounts import Account

ANN = Person("a" * 32, "Ann", is_admin=False)
ROOT = Person("c" * 32, "root", is_admin=True)


def account(person: Person) -> Account:
    return Account(
        user_id=person.user_id,
        name=person.name,
        server_id="s" * 32,
        is_admin=person.is_admin,
        may_download=True,
        jellyfin_device_id="sidecar",
        token_encrypted=None,
        is_signed_in=True,
        signed_in_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


def test_people_are_named_by_name_in_any_case_or_by_id_and_nobody_else_is_found() -> None:
    accounts = [account(ANN), account(ROOT)]

    assert ids_of(["ANN"], accounts) == {ANN.user_id}
    assert ids_of([ANN.user_id, "Root"], accounts) == {ANN.user_id, ROOT.user_id}
    assert ids_of(["nobody"], accounts) == ids_of([], accounts) == frozenset()


def test_an_admin_sees_what_is_anybodys_and_others_what_is_their_own() -> None:
    assert (viewer(ROOT), viewer(ANN)) == (None, ANN.user_id)
    assert ROOT.may_see(ANN.user_id)
    assert ANN.may_see(ANN.user_id)
    assert not ANN.may_see(ROOT.user_id)
