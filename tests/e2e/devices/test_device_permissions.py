"""A child's account against every route of a device that it shares, on the real product.

Ann manages the stick, the child only uses it. What the child may is written in
`web.security.permissions`; here
each row is tried, and ann's files must be there afterwards as they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr
from werkzeug.routing import Rule

from sidecar.config import DeviceSettings, JellyfinSettings, ServerSettings, Settings
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.runtime import Runtime
from sidecar.web.security.permissions import Role
from tests.e2e.conftest import Person
from tests.e2e.household import Page, page_of, write_library
from tests.e2e.main_job.test_household import TIMING
from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S
from tests.web.all_routes import all_routes
from tests.web.house import without_tokens
from tests.web.roles import declared_roles

pytestmark = pytest.mark.timeout(400)

ROLES = declared_roles()
REFUSAL = "Only ann and admins manage Car stick."
NOWHERE = "00000000-0000-4000-8000-000000000000"
TITLES = ("Light 1", "Light 2", "Light 3")
# What a body or a form has to say for the request to be understood.
BODIES: Mapping[str, dict[str, Any]] = {
    "steering.change": {"settings": {"budget": "5 MB"}},
    "devices.answer_removals": {"gone": True},
    "adoption.adopt": {"all": True},
    "devices.confirm": {"plan_id": "0" * 16},
    "devices.reformat": {"format": "opus"},
    "matches.say": {"item_id": "0" * 32, "now": None},
    "names.rename": {"plan_id": "any"},
    "device_lists.answer_list": {"path": "a", "mark": "0" * 16, "answer": "take"},
    "device_lists.undo_list": {"path": "a"},
    "saved_filters.answer": {"remove": False},
    "device_logs.choose_listener": {"user_id": None},
    "orders.look": {"what": "files"},
    "device_logs.give": {"bookmarks": True},
    "device_logs.take_states": {"counts": True},
}
FORMS: Mapping[str, dict[str, str]] = {
    "device.settings": {"budget": "5 MB"},
    "device.change_rule": {"enabled": "on"},
    "device.answer_removals": {"gone": "yes"},
    "plans.confirm_on_page": {"plan_id": "0" * 16},
    "plans.reformat_on_page": {"format": "opus"},
    "order_pages.look": {"what": "files"},
    "returns.adopt": {"all": "yes"},
    "device.take_back": {"kept": "pin", "item": "0" * 32},
}


@dataclass
class Shared:
    """A device of ann's that ben and the child use too, and a card of ann's alone."""

    url: str
    rules: list[Rule]
    folder: Path
    ann: Page
    kid: Page
    admin: Page
    device: str
    card: str

    def ask(self, who: Page, rule: Rule, verb: str, device: str) -> requests.Response:
        values = {"device_id": device, "item_id": "0" * 32, "rule": "latest"}
        values |= {"import_id": "7", "selection_id": "0" * 32}
        path = re.sub(r"<(?:[^:<>]*(?:\([^)]*\))?:)?(\w+)>", lambda one: values[one[1]], rule.rule)
        form = FORMS.get(rule.endpoint, {}) | {"csrf": who.csrf}
        sent = {} if path.startswith("/api/") else {"data": form}
        if rule.endpoint in BODIES:
            sent = {"json": BODIES[rule.endpoint]}
        ask = partial(who.session.request, timeout=PATIENCE_S, allow_redirects=False)
        return ask(verb, self.url + path, **sent)  # type: ignore[arg-type]  # either way of sending

    def files(self) -> dict[str, bytes]:
        found = self.ann.downloads(self.device).values()
        return {
            str(one["title"]): (self.folder / str(one["file_path"])).read_bytes() for one in found
        }


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    with sharing(tmp_path_factory.mktemp("shared")) as found:
        yield found


@contextmanager
def sharing(folder: Path) -> Iterator[Shared]:
    library = write_library(folder / "library")
    stick, card = folder / "stick", folder / "card"
    stick.mkdir()
    card.mkdir()
    with ExitStack() as open_now:
        server = open_now.enter_context(DemoServer(library, speaks=Version.V12_0, timing=TIMING))
        settings = Settings(
            jellyfin=JellyfinSettings(
                url=server.url, username="admin", password=SecretStr("admin")
            ),
            server=ServerSettings(port=0, data_dir=folder / "data"),
            devices=(
                DeviceSettings(
                    name="Car stick", path=stick, users=("ann", "ben", "kid"), managers=("Ann",)
                ),
                DeviceSettings(name="Card", path=card, users=("ann",)),
            ),
        )
        running = Runtime(settings)
        open_now.enter_context(running)
        ann, kid, admin = (
            open_now.enter_context(page_of(running.url, one, one))
            for one in ("ann", "kid", "admin")
        )
        wait_until(lambda: len(ann.get("/devices")["items"]) == 2, what="the devices")
        client = Person(server.url, "ann").sign_in()
        open_now.callback(client.session.close)
        items = [client.tracks()[one] for one in TITLES]
        device = ann.device("Car stick")
        assert ann.ask("POST", "/downloads", {"item_ids": items, "device": "Car stick"}).ok
        wait_until(
            lambda: (
                ann.get("/downloads", device=device, status="completed")["total"] == len(TITLES)
            ),
            what="ann's files",
        )
        assert running.web is not None
        yield Shared(
            running.url,
            [one for one in all_routes(running.web).iter_rules() if "device_id" in one.arguments],
            stick,
            ann,
            kid,
            admin,
            device,
            ann.device("Card"),
        )


def verbs(shared: Shared) -> list[tuple[Rule, str]]:
    return [
        (rule, verb)
        for rule in shared.rules
        for verb in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def test_a_child_may_do_what_users_may_and_is_told_who_may_do_the_rest(shared: Shared) -> None:
    before = shared.files()
    settings = shared.ann.get(f"/devices/{shared.device}/settings")

    for rule, verb in verbs(shared):
        answer = shared.ask(shared.kid, rule, verb, shared.device)
        if ROLES[rule.endpoint, verb] is Role.MANAGER:
            assert answer.status_code == 403, (rule.endpoint, verb, answer.text)
            assert REFUSAL in answer.text, (rule.endpoint, verb)
        elif ROLES[rule.endpoint, verb] is Role.OWNER:
            assert answer.status_code == 403, (rule.endpoint, verb, answer.text)
        else:
            assert answer.status_code not in {403, 500}, (rule.endpoint, verb, answer.text)

    assert shared.files() == before
    assert shared.ann.get(f"/devices/{shared.device}/settings") == settings
    assert shared.ann.get(f"/devices/{shared.device}/plan")["removals"] == []


def test_a_device_of_others_answers_as_one_that_is_not_there(shared: Shared) -> None:
    for rule, verb in verbs(shared):
        foreign = shared.ask(shared.kid, rule, verb, shared.card)
        unknown = shared.ask(shared.kid, rule, verb, NOWHERE)

        status = 403 if ROLES[rule.endpoint, verb] is Role.OWNER else 404
        assert foreign.status_code == unknown.status_code == status, (rule.endpoint, verb)
        # The way on from a page names the page itself.
        told = without_tokens(foreign.text).replace(shared.card, NOWHERE)
        assert told == without_tokens(unknown.text), (rule.endpoint, verb)


def test_a_child_cannot_touch_what_others_have_there(shared: Shared) -> None:
    before = shared.files()
    ids = [one["id"] for one in shared.ann.downloads(shared.device).values()]

    for one in ids:
        for verb, path in (
            *(("POST", way) for way in ("/pause", "/resume", "/retry", "/cancel", "/top")),
            ("DELETE", ""),
        ):
            assert shared.kid.ask(verb, f"/downloads/{one}{path}").status_code == 404
    by_ids = shared.kid.ask("POST", "/downloads/bulk", {"action": "delete", "ids": ids}).json()
    everything = shared.kid.ask(
        "POST",
        "/downloads/bulk",
        {"action": "clear_completed", "filter": {"device_id": shared.device}},
    )

    assert by_ids["counts"]["not_found"] == len(ids)
    assert everything.json()["items"] == []
    assert shared.files() == before


def test_the_page_shows_who_manages_it_and_no_button_that_is_refused(shared: Shared) -> None:
    def seen(who: Page, path: str) -> str:
        return who.session.get(f"{shared.url}{path}", timeout=PATIENCE_S).text

    for path in ("/devices", f"/devices/{shared.device}", f"/devices/{shared.device}/found"):
        assert REFUSAL in seen(shared.kid, path)
        assert "Managed by ann and the admins" in seen(shared.ann, path)
    assert "/pause" not in seen(shared.kid, "/")
    assert "/pause" in seen(shared.ann, "/")
    assert ">Save<" not in seen(shared.kid, f"/devices/{shared.device}")
    assert ">Save<" in seen(shared.ann, f"/devices/{shared.device}")


def test_a_manager_who_is_no_admin_and_an_admin_may_change_it(shared: Shared) -> None:
    for who in (shared.ann, shared.admin):
        answer = who.ask(
            "PATCH", f"/devices/{shared.device}/settings", {"settings": {"reserve": "2 MB"}}
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["may_manage"]


def test_what_was_done_to_many_is_undone_for_who_did_it_alone(shared: Shared) -> None:
    ids = [one["id"] for one in shared.ann.downloads(shared.device).values()]
    let_go = {"action": "clear_completed", "ids": ids}

    done = shared.ann.ask("POST", "/downloads/bulk", let_go).json()
    token = done["undo"]["token"]
    foreign = shared.kid.ask("POST", f"/undo/{token}")
    undone = shared.ann.ask("POST", f"/undo/{token}")
    again = shared.ann.ask("POST", f"/undo/{token}")

    assert done["counts"]["done"] == len(ids)
    assert foreign.status_code == again.status_code == 409
    assert undone.json() == {"action": "let_go", "files": len(ids)}
    pins = shared.ann.get(f"/devices/{shared.device}/pins")["items"]
    assert len(pins) == len(ids)
