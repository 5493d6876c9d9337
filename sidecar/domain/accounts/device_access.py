"""Decides who may use a device and who may manage it.

uses      their own wishes, pins and exclusions there, and their part of the plan
manages   limit, reserve, format and rules for all; pauses, ejects, adopts, answers for all
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import IntEnum

from sidecar.messages import msg


class Access(IntEnum):
    """What a person may do with a device; each level includes those before it.

    `NONE`: they do not see the device.
    """

    NONE = 0
    USE = 1
    MANAGE = 2


@dataclass(frozen=True, slots=True)
class DeviceRoles:
    """The users and managers of a device, by account name, as in the settings.

    Attributes:
        users: Whose files go there; empty means everybody's.
        managers: Who manages it; empty means its only user, or the admins if there are several.
    """

    users: tuple[str, ...] = ()
    managers: tuple[str, ...] = ()


def is_named(name: str, names: Iterable[str]) -> bool:
    """Return whether an account name is one of these, ignoring case."""
    return name.casefold() in {one.casefold() for one in names}


def list_managers(roles: DeviceRoles, accounts: Collection[str]) -> tuple[str, ...]:
    """Return the names of those who manage a device beside the admins.

    Args:
        roles: The device's, from the settings.
        accounts: The names of all accounts; they are the users if `roles` names none.
    """
    if roles.managers:
        known = {one.casefold(): one for one in accounts}
        return tuple(known.get(one.casefold(), one) for one in roles.managers)
    users = {one.casefold(): one for one in roles.users or accounts}
    return tuple(users.values()) if len(users) == 1 else ()


def decide_access(
    name: str, *, is_admin: bool, roles: DeviceRoles, accounts: Collection[str] = ()
) -> Access:
    """Return what a person may do with a device; an admin may do everything."""
    if is_admin or is_named(name, list_managers(roles, accounts)):
        return Access.MANAGE
    if not roles.users or is_named(name, roles.users):
        return Access.USE
    return Access.NONE


def explain_refusal(device: str, names: Iterable[str]) -> str:
    """Return the message for somebody who may use a device but not manage it."""
    listed = ", ".join(names)
    return (
        msg("Only {listed} and admins manage {device}", listed=listed, device=device)
        if listed
        else msg("Only admins manage {device}", device=device)
    )
