"""Who may do what: the API's routes declare it, pages have a row here, one for route and verb.

What has neither is refused. Whether a *particular* download may be seen is the service's to say,
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


PAGES = MappingProxyType(
    {
        ("static", "GET"): Role.ANYBODY,
        ("pages.home", "GET"): Role.ANYBODY,
        ("sign_in.show", "GET"): Role.ANYBODY,
        ("languages.choose", "POST"): Role.ANYBODY,
        ("sign_in.with_password", "POST"): Role.ANYBODY,
        ("sign_in.start_quick_connect", "POST"): Role.ANYBODY,
        ("sign_in.show_quick_connect", "GET"): Role.ANYBODY,
        ("sign_in.finish_quick_connect", "POST"): Role.ANYBODY,
        ("sign_in.sign_out", "POST"): Role.SIGNED_IN,
        ("pages.downloads", "GET"): Role.SIGNED_IN,
        ("pages.download", "GET"): Role.SIGNED_IN,
        ("library.start", "GET"): Role.SIGNED_IN,
        ("library.thing", "GET"): Role.SIGNED_IN,
        ("library.buttons", "GET"): Role.SIGNED_IN,
        ("library.download", "POST"): Role.SIGNED_IN,
        ("library.heart", "POST"): Role.SIGNED_IN,
        ("questions.show", "GET"): Role.SIGNED_IN,
        ("plans.devices", "GET"): Role.SIGNED_IN,
        ("plans.confirm_on_page", "POST"): Role.MANAGER,
        ("plans.reformat_on_page", "POST"): Role.MANAGER,
        ("device.show", "GET"): Role.SIGNED_IN,
        ("device.settings", "POST"): Role.MANAGER,
        ("device.change_rule", "POST"): Role.MANAGER,
        ("device.take_back", "POST"): Role.SIGNED_IN,
        ("identity.matches", "GET"): Role.SIGNED_IN,
        ("identity.answer", "POST"): Role.MANAGER,
        ("identity.server", "GET"): Role.ADMIN,
        ("identity.take", "POST"): Role.ADMIN,
        ("device.answer_removals", "POST"): Role.MANAGER,
        ("device.unplug", "POST"): Role.MANAGER,
        ("device.ignore", "POST"): Role.MANAGER,
        ("returns.found", "GET"): Role.SIGNED_IN,
        ("returns.adopt", "POST"): Role.MANAGER,
        ("returns.heard", "GET"): Role.SIGNED_IN,
        ("returns.take", "POST"): Role.SIGNED_IN,
        ("plays.now_page", "GET"): Role.SIGNED_IN,
        ("offline_page.show", "GET"): Role.SIGNED_IN,
        ("offline_page.album", "GET"): Role.SIGNED_IN,
        ("offline_page.series", "GET"): Role.SIGNED_IN,
        ("offline_page.leaving", "GET"): Role.SIGNED_IN,
        ("offline_page.ask", "GET"): Role.SIGNED_IN,
        ("offline_page.act", "POST"): Role.SIGNED_IN,
        ("profile.show", "GET"): Role.SIGNED_IN,
        ("profile.end_session", "POST"): Role.SIGNED_IN,
        ("profile.end_sessions", "POST"): Role.SIGNED_IN,
        ("profile.forget", "POST"): Role.SIGNED_IN,
        ("admin.show", "GET"): Role.ADMIN,
        ("admin.change", "POST"): Role.ADMIN,
        ("profile.make_key", "POST"): Role.SIGNED_IN,
        ("profile.revoke_key", "POST"): Role.SIGNED_IN,
        ("buttons.act", "POST"): Role.SIGNED_IN,
        ("buttons.ask", "GET"): Role.SIGNED_IN,
        ("buttons.act_on_all", "POST"): Role.SIGNED_IN,
        ("buttons.act_on_chosen", "POST"): Role.SIGNED_IN,
        ("undo.undo_on_page", "POST"): Role.SIGNED_IN,
    }
)
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
    return PAGES.get((endpoint, verb)) if declared is None else declared.get(verb)


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
