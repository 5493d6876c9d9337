"""The roles that routes need: each route of the API and of the pages declares its own.

A route without a declared role is refused. Whether a person may see a *particular* download is
decided by its service, whether they manage a *particular* device by `services.devices.access`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import TypeVar

from flask import Flask

from sidecar.services.accounts.person import Person


class Role(IntEnum):
    """The role that is needed at least.

    `MANAGER` is for routes of a device and means a manager of that device. Any signed-in person
    passes here; the service then asks `services.devices.access` and raises `NotAManager`.
    `OWNER` is an admin. On the demo, whose passwords everybody knows, what is `decided_here` is
    only for browsers on this machine.
    """

    ANYBODY = 0
    SIGNED_IN = 1
    MANAGER = 2
    ADMIN = 3
    OWNER = 4


# Methods that change nothing.
SAFE = frozenset({"GET", "HEAD"})
# The live connection takes no commands: sockets can only connect and disconnect.
SOCKET_EVENTS = MappingProxyType({"connect": Role.SIGNED_IN, "disconnect": Role.SIGNED_IN})


DECLARED = "sidecar_roles"
V = TypeVar("V", bound=Callable[..., object])


def declare(view: V, role: Role, verbs: Iterable[str]) -> V:
    """Attach to a view the role that its methods need."""
    setattr(view, DECLARED, dict.fromkeys(verbs, role))
    return view


def role_needed(app: Flask, endpoint: str, verb: str) -> Role | None:
    """Return the declared role; None if there is none, then nobody may call it."""
    declared: Mapping[str, Role] | None = getattr(app.view_functions.get(endpoint), DECLARED, None)
    return declared.get(verb) if declared else None


def take_only_declared(app: Flask) -> None:
    """Let each route take the verbs that are declared for it: Flask adds HEAD wherever GET is."""
    for rule in app.url_map.iter_rules():
        if rule.methods and role_needed(app, rule.endpoint, "HEAD") is None:
            rule.methods.discard("HEAD")


def may_try(person: Person | None, needed: Role) -> bool:
    """Return whether a person's role is enough to call the view."""
    match needed:
        case Role.MANAGER:
            # Whether they manage the device is checked by the service.
            least = Role.SIGNED_IN
        case Role.OWNER:
            # Where they are is checked by `auth`, see `decided_here`.
            least = Role.ADMIN
        case _:
            least = needed
    return role_of(person) >= least


def decided_here(needed: Role, verb: str) -> bool:
    """Whether the demo takes this request only from its own machine.

    That is whatever concerns the machine, and every change that concerns more than one person.
    """
    return needed is Role.OWNER or (needed >= Role.MANAGER and verb not in SAFE)


def role_of(person: Person | None) -> Role:
    """Return the role of a person; never `MANAGER` or `OWNER`, which depend on more."""
    if person is None:
        return Role.ANYBODY
    return Role.ADMIN if person.is_admin else Role.SIGNED_IN
