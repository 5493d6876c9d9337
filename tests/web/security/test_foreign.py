"""What is somebody else's is answered by every route exactly like what was never there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

import pytest
from werkzeug.routing import Rule
from werkzeug.test import Client, TestResponse

from sidecar.config import Settings
from sidecar.domain.downloads.download import Status
from sidecar.domain.items.selection import Selection
from sidecar.services.accounts.person import Person
from sidecar.store.devices.orders import NewOrder
from sidecar.store.rules.selections import SavedSelection
from sidecar.web.security.permissions import Role
from tests.fakes.clock import FakeClock
from tests.services.conftest import STICK
from tests.web.all_routes import all_routes, role_of_route
from tests.web.house import ANN, BEN, Browser, WebHouse, web_house, without_tokens

ADMINS = (Role.ADMIN, Role.OWNER)
# What a route is asked with, where it looks at that before it looks for the thing.
BODIES: Mapping[tuple[str, str], object] = {
    ("actions.move", "POST"): {"before": None},
    ("actions.prioritise", "POST"): {"priority": 1},
    ("adoption.adopt", "POST"): {"all": True},
    ("device_lists.answer_list", "POST"): {"path": "a", "mark": "0" * 16, "answer": "take"},
    ("device_lists.undo_list", "POST"): {"path": "a"},
    ("device_logs.choose_listener", "PUT"): {"user_id": None},
    ("device_logs.give", "POST"): {"bookmarks": True},
    ("device_logs.take_states", "POST"): {"counts": True},
    ("devices.answer_removals", "POST"): {"gone": True},
    ("devices.confirm", "POST"): {"plan_id": "any"},
    ("devices.reformat", "POST"): {"format": "mp3"},
    ("matches.say", "POST"): {"item_id": "9" * 32, "now": None},
    ("names.rename", "POST"): {"plan_id": "any"},
    ("orders.look", "POST"): {"what": "files"},
    ("people.answer_hidden", "POST"): {"answer": "keep"},
    ("saved_filters.answer", "POST"): {"remove": True},
    ("saved_filters.change", "PUT"): {"name": "Jazz"},
    ("steering.change", "PATCH"): {"settings": {"budget": 1}},
}
FORMS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("buttons.act", "POST"): {"action": "pause"},
    ("device.take_back", "POST"): {"kept": "pin"},
    ("offline_page.act", "POST"): {"action": "pin"},
    ("order_pages.look", "POST"): {"what": "files"},
}
QUERIES = {
    "buttons.ask": "?action=cancel",
    "offline_page.ask": "?action=delete",
    "pages.details": "?tab=completed",
}
# These name nobody's things: an undo token is a guess, a static file is everybody's.
NOBODYS = {
    "actions.undo",
    "help.document",
    "jellyfin_web.preflight",
    "set_up_over.leave_step",
    "static",
}
# Ann's download has no picture.
WITHOUT = {"api.cover"}
# The things of the routes below are Jellyfin's, and it says who may see them.
JELLYFINS = {
    "items.show",
    "items.cover",
    "items.source",
    "items.heart",
    "items.no_heart",
    "jellyfin_web.show",
    "jellyfin_web.download",
    "jellyfin_web.unpin",
    "library.thing",
    "library.heart",
    "library.menu",
    "library.played",
    "media.item",
}


@pytest.fixture
def house(tmp_path: Path, clock: FakeClock) -> Iterator[WebHouse]:
    """The stick is Ann's alone."""

    def hers(settings: Settings) -> Settings:
        (device,) = settings.devices
        hers_alone = device.model_copy(update={"users": ("ann",)})
        return settings.model_copy(update={"devices": (hers_alone,)})

    with web_house(tmp_path, clock, change=hers) as built:
        yield built


def things_of_ann(house: WebHouse) -> dict[str, str]:
    """Put one of everything there, and return what it is asked for by."""
    there = house.add(1, ANN, status=Status.COMPLETED)
    house.come_in(ANN)
    (session,) = house.services.web.users.sessions(ANN, None)
    made = house.services.web.api_keys.make_key(ANN, "radio")
    assert made is not None
    states = house.store.player_states
    return {
        "device_id": STICK,
        "import_id": str(states.begin_import(ANN.user_id, STICK, house.clock.now())),
        "download_id": str(there.id),
        "item_id": there.item_id,
        "key_id": str(made[0].id),
        "number": "1",
        "order_id": str(order_of(house)),
        "rule": "favourites",
        "selection_id": selection_of(house).id,
        "session_id": session.id,
        "user_id": ANN.user_id,
    }


def order_of(house: WebHouse) -> int:
    """Let Ann have asked another machine for something."""
    eject = NewOrder(
        device_id=STICK, user_id=ANN.user_id, machine="car", kind="eject", given="[]", what="eject"
    )
    return house.store.orders.add(eject).id


def selection_of(house: WebHouse) -> SavedSelection:
    """Let Ann have saved a filter that is kept in sync on the stick."""
    saved = SavedSelection("5" * 32, "Jazz", Selection(genres=("Jazz",)))
    house.store.selections.add(ANN.user_id, saved, house.clock.now())
    house.store.selections.keep(ANN.user_id, STICK, saved.id)
    return saved


def nothing_like(things: Mapping[str, str]) -> dict[str, str]:
    """Return what might be asked for as well, and is nowhere."""
    return {name: "9" * len(one) for name, one in things.items()} | {"rule": things["rule"]}


def by_key(house: WebHouse, person: Person) -> Browser:
    """A program with an API key of this person."""
    made = house.services.web.api_keys.make_key(person, "program")
    assert made is not None
    header = {"HTTP_AUTHORIZATION": f"Bearer {made[1]}"}
    return Browser(Client(lambda environ, start: house.web.wsgi(environ | header, start)), "")


def asked(rule: Rule, verb: str, who: Browser, things: Mapping[str, str]) -> TestResponse:
    path = re.sub(r"<(?:[^:>]*:)?(\w+)>", lambda found: things[found[1]], rule.rule)
    key = (rule.endpoint, verb)
    return who.client.open(
        path + QUERIES.get(rule.endpoint, ""),
        method=verb,
        headers={"X-Sidecar-CSRF": who.csrf},
        json=BODIES.get(key),
        data=FORMS.get(key),
        buffered=True,
    )


def told(answer: TestResponse) -> str:
    """Return what is answered; a page repeats its own address, for the way back to it."""
    return without_tokens(answer.text).replace(answer.request.path.removeprefix("/"), "the address")


def test_every_route_answers_for_what_is_anothers_as_for_what_was_never_there(
    house: WebHouse,
) -> None:
    things, askers = things_of_ann(house), (house.come_in(BEN), by_key(house, BEN))
    nothing = nothing_like(things)
    routes = [
        (rule, verb)
        for rule in all_routes(house.web).iter_rules()
        for verb in sorted((rule.methods or set()) - {"HEAD"})
        if rule.arguments and rule.endpoint not in NOBODYS | JELLYFINS
        if role_of_route(house.web, rule.endpoint, verb) not in ADMINS
    ]

    for (rule, verb), ben in product(routes, askers):
        foreign, unknown = (asked(rule, verb, ben, one) for one in (things, nothing))

        assert foreign.status_code == unknown.status_code == 404, (
            rule.endpoint,
            verb,
            foreign.text,
        )
        assert told(foreign) == told(unknown), (rule.endpoint, verb)
        assert foreign.headers.to_wsgi_list() == unknown.headers.to_wsgi_list()
    assert len(routes) > 40


def test_to_ann_they_are_there(house: WebHouse) -> None:
    """Else the test above would prove nothing: the same questions, by whom they belong to."""
    things, ann = things_of_ann(house), house.come_in(ANN)
    seen = [
        (rule.endpoint, answer.status_code)
        for rule in all_routes(house.web).iter_rules()
        if rule.arguments and "GET" in (rule.methods or set())
        if rule.endpoint not in NOBODYS | JELLYFINS | WITHOUT
        if role_of_route(house.web, rule.endpoint, "GET") not in ADMINS
        if (answer := asked(rule, "GET", ann, things)).status_code == 404
    ]

    assert seen == []
