"""Who may do what: one row for each route and verb and for each event of the live connection.

What has no row is refused. Whether a *particular* download may be seen is the desk's to say, and
who manages a *particular* device is `services.devices.access`'s.
"""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType

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


ROUTES = MappingProxyType(
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
        ("session.begin", "POST"): Role.ANYBODY,
        ("session.show", "GET"): Role.SIGNED_IN,
        ("session.end", "DELETE"): Role.SIGNED_IN,
        ("api.downloads", "GET"): Role.SIGNED_IN,
        ("api.download", "GET"): Role.SIGNED_IN,
        ("api.cover", "GET"): Role.SIGNED_IN,
        ("api.devices", "GET"): Role.SIGNED_IN,
        ("api.notices", "GET"): Role.SIGNED_IN,
        ("questions.show", "GET"): Role.SIGNED_IN,
        ("steering.settings", "GET"): Role.SIGNED_IN,
        ("steering.change", "PATCH"): Role.MANAGER,
        ("steering.pins", "GET"): Role.SIGNED_IN,
        ("steering.pin", "PUT"): Role.SIGNED_IN,
        ("steering.unpin", "DELETE"): Role.SIGNED_IN,
        ("steering.exclusions", "GET"): Role.SIGNED_IN,
        ("steering.exclude", "PUT"): Role.SIGNED_IN,
        ("steering.include", "DELETE"): Role.SIGNED_IN,
        ("steering.playlists", "GET"): Role.SIGNED_IN,
        ("steering.choose", "PUT"): Role.SIGNED_IN,
        ("steering.drop", "DELETE"): Role.SIGNED_IN,
        ("steering.removed", "GET"): Role.SIGNED_IN,
        ("steering.want_again", "DELETE"): Role.SIGNED_IN,
        ("steering.why", "GET"): Role.SIGNED_IN,
        ("removals.show", "GET"): Role.SIGNED_IN,
        ("removals.answer", "POST"): Role.MANAGER,
        ("peers.show", "GET"): Role.SIGNED_IN,
        ("peers.of_file", "GET"): Role.SIGNED_IN,
        ("peers.ignoring", "GET"): Role.SIGNED_IN,
        ("peers.ignore", "POST"): Role.MANAGER,
        ("adoption.show", "GET"): Role.SIGNED_IN,
        ("adoption.adopt", "POST"): Role.MANAGER,
        ("device_logs.show", "GET"): Role.SIGNED_IN,
        ("device_logs.take", "POST"): Role.SIGNED_IN,
        ("plans.devices", "GET"): Role.SIGNED_IN,
        ("plans.confirm_on_page", "POST"): Role.MANAGER,
        ("plans.reformat_on_page", "POST"): Role.MANAGER,
        ("plans.show", "GET"): Role.SIGNED_IN,
        ("device.show", "GET"): Role.SIGNED_IN,
        ("device.settings", "POST"): Role.MANAGER,
        ("device.change_rule", "POST"): Role.MANAGER,
        ("device.take_back", "POST"): Role.SIGNED_IN,
        ("device.answer_removals", "POST"): Role.MANAGER,
        ("device.unplug", "POST"): Role.MANAGER,
        ("device.ignore", "POST"): Role.MANAGER,
        ("returns.found", "GET"): Role.SIGNED_IN,
        ("returns.adopt", "POST"): Role.MANAGER,
        ("returns.heard", "GET"): Role.SIGNED_IN,
        ("returns.take", "POST"): Role.SIGNED_IN,
        ("plans.confirm", "POST"): Role.MANAGER,
        ("plans.reformat", "POST"): Role.MANAGER,
        ("plays.listed", "GET"): Role.SIGNED_IN,
        ("plays.now", "GET"): Role.SIGNED_IN,
        ("plays.now_page", "GET"): Role.SIGNED_IN,
        ("transfers.show", "GET"): Role.SIGNED_IN,
        ("transfers.change", "PATCH"): Role.ADMIN,
        ("offline_page.show", "GET"): Role.SIGNED_IN,
        ("offline_page.album", "GET"): Role.SIGNED_IN,
        ("offline_page.series", "GET"): Role.SIGNED_IN,
        ("offline_page.leaving", "GET"): Role.SIGNED_IN,
        ("offline_page.ask", "GET"): Role.SIGNED_IN,
        ("offline_page.act", "POST"): Role.SIGNED_IN,
        ("offline.files", "GET"): Role.SIGNED_IN,
        ("offline.item", "GET"): Role.SIGNED_IN,
        ("items.listed", "GET"): Role.SIGNED_IN,
        ("items.show", "GET"): Role.SIGNED_IN,
        ("items.cover", "GET"): Role.SIGNED_IN,
        ("items.source", "GET"): Role.SIGNED_IN,
        ("items.heart", "PUT"): Role.SIGNED_IN,
        ("items.no_heart", "DELETE"): Role.SIGNED_IN,
        ("media.file", "GET"): Role.SIGNED_IN,
        ("media.item", "GET"): Role.SIGNED_IN,
        ("openapi.show", "GET"): Role.SIGNED_IN,
        ("health.show", "GET"): Role.ANYBODY,
        ("actions.add", "POST"): Role.SIGNED_IN,
        ("actions.pause", "POST"): Role.SIGNED_IN,
        ("actions.resume", "POST"): Role.SIGNED_IN,
        ("actions.retry", "POST"): Role.SIGNED_IN,
        ("actions.accept", "POST"): Role.SIGNED_IN,
        ("actions.cancel", "POST"): Role.SIGNED_IN,
        ("actions.delete", "DELETE"): Role.SIGNED_IN,
        ("actions.prioritise", "POST"): Role.SIGNED_IN,
        ("actions.top", "POST"): Role.SIGNED_IN,
        ("actions.move", "POST"): Role.SIGNED_IN,
        ("actions.bulk", "POST"): Role.SIGNED_IN,
        ("people.accounts", "GET"): Role.SIGNED_IN,
        ("people.forget", "POST"): Role.SIGNED_IN,
        ("people.sessions", "GET"): Role.SIGNED_IN,
        ("people.end", "DELETE"): Role.SIGNED_IN,
        ("people.end_all", "DELETE"): Role.SIGNED_IN,
        ("people.server", "GET"): Role.ADMIN,
        ("people.log", "GET"): Role.ADMIN,
        ("profile.show", "GET"): Role.SIGNED_IN,
        ("profile.end_session", "POST"): Role.SIGNED_IN,
        ("profile.end_sessions", "POST"): Role.SIGNED_IN,
        ("profile.forget", "POST"): Role.SIGNED_IN,
        ("admin.show", "GET"): Role.ADMIN,
        ("admin.change", "POST"): Role.ADMIN,
        ("profile.make_key", "POST"): Role.SIGNED_IN,
        ("profile.revoke_key", "POST"): Role.SIGNED_IN,
        ("keys.show", "GET"): Role.SIGNED_IN,
        ("keys.make", "POST"): Role.SIGNED_IN,
        ("keys.revoke", "DELETE"): Role.SIGNED_IN,
        ("buttons.act", "POST"): Role.SIGNED_IN,
        ("buttons.ask", "GET"): Role.SIGNED_IN,
        ("buttons.act_on_all", "POST"): Role.SIGNED_IN,
        ("buttons.act_on_chosen", "POST"): Role.SIGNED_IN,
        ("undo.undo_on_page", "POST"): Role.SIGNED_IN,
        ("undo.undo_for_programs", "POST"): Role.SIGNED_IN,
    }
)
# Players ask what there is before they fetch it: these answer HEAD as they answer GET.
ANSWERS_HEAD = frozenset({"media.file", "media.item"})
# The live connection takes no commands: nothing but coming and going.
SOCKET_EVENTS = MappingProxyType({"connect": Role.SIGNED_IN, "disconnect": Role.SIGNED_IN})


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
