from __future__ import annotations

import pytest

from sidecar.domain.accounts.device_access import (
    Access,
    DeviceRoles,
    decide_access,
    explain_refusal,
    list_managers,
)
from sidecar.domain.downloads.shares import Share, count_shares

HOUSE = ("ann", "ben", "kid")
SHARED = DeviceRoles(users=("ann", "kid"))
NAMED = DeviceRoles(users=("ann", "kid"), managers=("Dad",))
EVERYBODY = DeviceRoles()
ANNS = DeviceRoles(users=("Ann",))
TABLE = [
    # who, admin, roles, what they may
    ("kid", False, SHARED, Access.USE),
    ("ann", False, SHARED, Access.USE),
    ("ben", False, SHARED, Access.NONE),
    ("eve", True, SHARED, Access.MANAGE),
    ("kid", False, NAMED, Access.USE),
    ("ann", False, NAMED, Access.USE),
    ("dad", False, NAMED, Access.MANAGE),
    ("ben", False, NAMED, Access.NONE),
    ("eve", True, NAMED, Access.MANAGE),
    ("ANN", False, ANNS, Access.MANAGE),
    ("ben", False, ANNS, Access.NONE),
    ("kid", False, EVERYBODY, Access.USE),
    ("eve", True, EVERYBODY, Access.MANAGE),
]


@pytest.mark.parametrize(("name", "is_admin", "roles", "may"), TABLE)
def test_who_may_do_what(name: str, is_admin: bool, roles: DeviceRoles, may: Access) -> None:
    assert decide_access(name, is_admin=is_admin, roles=roles, accounts=HOUSE) is may


def test_a_device_for_everybody_is_managed_by_who_is_alone_in_the_house() -> None:
    assert list_managers(EVERYBODY, ["kid"]) == ("kid",)
    assert list_managers(EVERYBODY, ["kid", "eve"]) == ()
    assert list_managers(EVERYBODY, []) == ()


def test_managers_are_called_as_their_accounts_are() -> None:
    assert list_managers(DeviceRoles(managers=("ANN", "Dad")), HOUSE) == ("ann", "Dad")


def test_whoever_is_refused_is_told_who_may() -> None:
    assert (
        explain_refusal("Car stick", ("ann", "ben")) == "Only ann, ben and admins manage Car stick"
    )
    assert explain_refusal("Car stick", ()) == "Only admins manage Car stick"


def test_files_of_others_only_count_for_who_may_not_see_them() -> None:
    owners = [{"a"}, {"a", "b"}, {"b"}, {"b", "k"}]
    names = {"a": "ann", "b": "ben", "k": "kid"}

    assert count_shares(owners, "a", None) == Share(total=4, yours=1, shared=1, hidden=2)
    assert count_shares(owners, "a", names) == Share(
        total=4, yours=1, shared=1, others=(("ben", 2), ("kid", 1))
    )
    assert not count_shares([{"a"}], "a", None).concerns_others
    assert count_shares(owners, "a", None).concerns_others
