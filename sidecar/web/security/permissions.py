"""Who may do what: each route of the API and of the pages declares it, for each of its verbs.

What does not is refused. Whether a *particular* download may be seen is the service's to say,
and who manages a *particular* device is `services.devices.access`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import TypeVar

from flask import Flask

from sidecar.services.accounts.person import Person


class Role(IntEnum):
    """What a person must at least be.

    `MANAGER` is said of a route with a device: who manages that device may, which the service that
    does it asks `services.devices.access`; whoever only uses it is refused with a sentence.
    """

    ANYBODY = 0
    SIGNED_IN = 1
    MANAGER = 2
    ADMIN = 3


# The live connection takes no commands: nothing but coming and going.
SOCKET_EVENTS = MappingProxyType({"connect": Role.SIGNED_IN, "disconnect": Role.SIGNED_IN})


DECLARED = "sidecar_roles"
V = TypeVar("V", bound=Callable[..., object])


def declare(view: V, role: Role, verbs: Iterable[str]) -> V:
    """Declare what a person must at least be to ask this of a view."""
    setattr(view, DECLARED, dict.fromkeys(verbs, role))
    return view


def role_needed(app: Flask, endpoint: str, verb: str) -> Role | None:
    """Return what a person must at least be; None if it was never said: nobody may."""
    declared: Mapping[str, Role] | None = getattr(app.view_functions.get(endpoint), DECLARED, None)
    return declared.get(verb) if declared else None


def may_try(person: Person | None, needed: Role) -> bool:
    """Return whether a person may ask this at all; of a device they may still be refused."""
    # Nobody is a manager of everything: the service looks at the device.
    least = Role.SIGNED_IN if needed is Role.MANAGER else needed
    return role_of(person) >= least


def role_of(person: Person | None) -> Role:
    """Return what this person is."""
    if person is None:
        return Role.ANYBODY
    return Role.ADMIN if person.is_admin else Role.SIGNED_IN
