from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from werkzeug.test import Client, TestResponse

from sidecar.services.configuration.setup.service import SetUpService
from sidecar.web.app import Web
from sidecar.web.security.permissions import SOCKET_EVENTS, Role, decided_here, role_of
from tests.fakes.clock import FakeClock
from tests.web.all_routes import all_routes
from tests.web.house import ANN, EVE, Browser, WebHouse, web_house
from tests.web.roles import declared_roles, web_without_services

DECLARED = declared_roles()
# Put together once: it takes longer than a request.
RULES = {one.endpoint: one.rule for one in all_routes(web_without_services()).iter_rules()}
ROUTES = {key: role for key, role in DECLARED.items() if role is not None}
UNSAFE = sorted(key for key in ROUTES if key[1] != "GET")
FOR_MEMBERS = sorted(key for key, role in ROUTES.items() if role > Role.ANYBODY)
# What a stranger may ask for: they must be able to come in, and to read what is said to them.
OPEN = {
    ("favicon", "GET"),
    ("health.show", "GET"),
    ("installed.without_network", "GET"),
    ("installed.worker", "GET"),
    # What a browser asks before it asks for a page of Jellyfin's:
    # tests/web/api/library/test_jellyfin_web.py
    ("jellyfin_web.preflight", "OPTIONS"),
    ("jellyfin_pages.script", "GET"),
    ("languages.choose", "POST"),
    # Off, and then only for this machine or with a key of its own:
    # tests/web/api/operations/test_metrics.py.
    ("metrics.show", "GET"),
    ("machines_api.join", "POST"),
    ("session.begin", "POST"),
    ("set_up_over.leave", "GET"),
    ("set_up_over.leave_step", "POST"),
    ("sign_in.finish_quick_connect", "POST"),
    ("sign_in.show", "GET"),
    ("sign_in.show_quick_connect", "GET"),
    ("sign_in.start_quick_connect", "POST"),
    ("sign_in.with_password", "POST"),
    ("static", "GET"),
    ("themes.choose", "POST"),
}
FOR_ADMINS = {
    ("admin.back_up", "POST"),
    ("admin.change", "POST"),
    ("admin.show", "GET"),
    ("admin.try_again", "POST"),
    ("alerts.fetch_now", "POST"),
    ("buttons.steer_transfers", "POST"),
    ("identity.server", "GET"),
    ("identity.take", "POST"),
    ("log.show", "GET"),
    ("people.try_again", "POST"),
    ("server.accept", "POST"),
    ("server.look", "POST"),
    ("system.backup", "GET"),
    ("system.backups", "GET"),
    ("system.log", "GET"),
    ("system.run_task", "POST"),
    ("system.server", "GET"),
    ("system.support", "GET"),
    ("system.tasks", "GET"),
    ("tasks.run", "POST"),
    ("tasks.show", "GET"),
    ("transfers.change", "PATCH"),
}
# What decides about the machine: on the demo, whose passwords are public, only from there.
FOR_OWNERS = {
    ("checks.begin", "POST"),
    ("checks.show", "GET"),
    ("device_editor.add", "GET"),
    ("configuration.change", "PATCH"),
    ("configuration.show", "GET"),
    ("device_editor.change", "POST"),
    ("device_editor.decline", "POST"),
    ("device_editor.move", "POST"),
    ("device_editor.edit", "GET"),
    ("device_editor.forget", "POST"),
    ("device_editor.make_folder", "POST"),
    ("device_editor.save", "POST"),
    ("device_list.add", "POST"),
    ("device_list.drives", "GET"),
    ("device_list.edit", "PATCH"),
    ("device_list.forget", "DELETE"),
    ("machines.make_code", "POST"),
    ("machines.remove", "POST"),
    ("machines.show", "GET"),
    ("machines_api.make_code", "POST"),
    ("settings.first_rules", "GET"),
    ("settings.group", "GET"),
    ("settings.restart", "POST"),
    ("settings.save", "POST"),
    ("settings.save_first_rules", "POST"),
    ("settings.show", "GET"),
    ("webhooks.add", "POST"),
    ("webhooks.change", "POST"),
    ("webhooks.remove", "POST"),
    ("webhooks.show", "GET"),
    ("webhooks.test", "POST"),
    ("webhooks_api.add", "POST"),
    ("webhooks_api.change", "PATCH"),
    ("webhooks_api.listed", "GET"),
    ("webhooks_api.remove", "DELETE"),
    ("webhooks_api.test", "POST"),
}
# Changes on a device that concern nobody but who makes them.
THEIR_OWN = {
    ("steering.pin", "PUT"),
    ("steering.unpin", "DELETE"),
    ("steering.exclude", "PUT"),
    ("steering.include", "DELETE"),
    ("steering.choose", "PUT"),
    ("steering.drop", "DELETE"),
    ("steering.want_again", "DELETE"),
    ("device.take_back", "POST"),
    ("device.answer_selection", "POST"),
    ("saved_filters.keep", "PUT"),
    ("saved_filters.drop", "DELETE"),
    ("saved_filters.answer", "POST"),
    ("device_logs.take", "POST"),
    ("returns.take", "POST"),
    ("returns.answer_list", "POST"),
    ("returns.undo_list", "POST"),
    ("device_lists.answer_list", "POST"),
    ("device_lists.undo_list", "POST"),
    # Who uses a device may have it looked at; what is done then is asked about again.
    ("order_pages.look", "POST"),
    ("orders.look", "POST"),
    # The service asks whose player it is: tests/services/player_logs.
    ("device_logs.choose_listener", "PUT"),
    ("device_logs.give", "POST"),
    ("device_logs.take_states", "POST"),
    ("device_logs.undo_import", "POST"),
    ("player.give", "POST"),
    ("player.listener", "POST"),
    ("player.take", "POST"),
    ("player.undo", "POST"),
}


def url(endpoint: str) -> str:
    path = re.sub(r"<path:[^>]*>", "icon.svg", RULES[endpoint])
    path = re.sub(r"<string[^>]*>", "f" * 32, path)
    path = re.sub(r"<int[^>]*>", "7", path)
    return re.sub(r"<[^>]*>", "stick", path)


def test_every_route_says_who_may_ask_and_few_are_for_strangers() -> None:
    assert [key for key, role in DECLARED.items() if role is None] == []
    assert {key for key, role in ROUTES.items() if role is Role.ANYBODY} == OPEN
    assert {key for key, role in ROUTES.items() if role is Role.ADMIN} == FOR_ADMINS
    assert {key for key, role in ROUTES.items() if role is Role.OWNER} == FOR_OWNERS


def test_every_route_that_needs_somebody_refuses_a_stranger(client: Client) -> None:
    for endpoint, verb in FOR_MEMBERS:
        answer = client.open(url(endpoint), method=verb)

        assert answer.status_code in {303, 401}, (endpoint, verb)
        assert b"Track" not in answer.data


def test_a_route_that_does_not_say_who_may_ask_is_refused(
    web: Web, eve: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    web.flask.add_url_rule("/forgotten", endpoint="forgotten", view_func=lambda: "secret")

    with caplog.at_level(logging.WARNING):
        answer = eve.get("/forgotten")

    assert answer.status_code == 405
    assert "no right is given for GET forgotten" in caplog.text


def test_every_change_of_a_device_is_a_manager_s_or_one_s_own(web: Web) -> None:
    """What is tried on the real product by `tests/e2e/devices/test_device_permissions.py`."""
    changes = {
        (rule.endpoint, verb)
        for rule in all_routes(web).iter_rules()
        for verb in (rule.methods or set()) - {"GET", "HEAD"}
        if "device_id" in rule.arguments
    }

    assert {
        key for key, role in ROUTES.items() if role is Role.MANAGER
    } == changes - THEIR_OWN - FOR_OWNERS
    assert changes >= THEIR_OWN


def test_verbs_that_are_not_served_are_refused(ann: Browser) -> None:
    for verb in ("HEAD", "OPTIONS", "TRACE", "PUT", "PATCH"):
        for path in ("/downloads", "/api/v1/downloads"):
            answer = ann.client.open(path, method=verb)
            assert answer.status_code == 405, verb
            # What is refused is not offered.
            assert verb not in answer.headers["Allow"], verb


@pytest.mark.parametrize("path", ["", "/cover"])
def test_what_belongs_to_somebody_else_is_as_if_it_did_not_exist(
    house: WebHouse, ben: Browser, path: str
) -> None:
    download = house.add(7)

    foreign = ben.get(f"/api/v1/downloads/{download.id}{path}")
    unknown = ben.get(f"/api/v1/downloads/99{path}")

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.data == unknown.data
    assert foreign.headers.to_wsgi_list() == unknown.headers.to_wsgi_list()


def test_ids_of_no_download_are_not_found(ann: Browser) -> None:
    for number in ("0", "-1", "9223372036854775808", "9" * 400, "x", "7.0", "%00", "%D9%A7"):
        assert ann.get(f"/api/v1/downloads/{number}").status_code == 404, number


def test_lists_and_counts_show_only_what_one_may_see(
    house: WebHouse, ben: Browser, eve: Browser
) -> None:
    house.add(7, title="A secret of ann's")

    nothing = {"items": [], "total": 0, "page": 1, "page_size": 10}
    assert ben.told("/api/v1/downloads") == nothing
    assert b"secret of" not in ben.get("/downloads").data
    assert b"A secret of ann" in eve.get("/downloads").data


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
    ],
)
def test_no_change_is_taken_from_another_site_s_page(ann: Browser, headers: dict[str, str]) -> None:
    for endpoint, verb in UNSAFE:
        answer = ann.client.open(
            url(endpoint), method=verb, headers=headers | {"X-Sidecar-CSRF": ann.csrf}
        )

        assert answer.status_code == 403, (endpoint, verb)


def test_a_change_needs_the_session_s_own_token(house: WebHouse) -> None:
    for endpoint, verb in (key for key in UNSAFE if ROUTES[key] > Role.ANYBODY):
        is_admin_s = ROUTES[endpoint, verb] >= Role.ADMIN
        other, who = house.come_in(ANN), house.come_in(EVE if is_admin_s else ANN)
        path = url(endpoint)
        statuses = [
            who.client.open(path, method=verb, headers={"X-Sidecar-CSRF": token}).status_code
            for token in ("", other.csrf, "ü", who.csrf)
        ]

        assert statuses[:3] == [403, 403, 403], (endpoint, verb)
        assert statuses[3] not in {401, 403, 405, 500}, (endpoint, verb)


def test_a_program_with_a_key_needs_no_token(house: WebHouse, client: Client) -> None:
    _, key = house.store.api_keys.create(ANN.user_id, "A program")

    answer = client.delete("/api/v1/session", headers={"Authorization": f"Bearer {key}"})

    assert answer.status_code == 204


def test_a_good_key_says_whose_jellyfin_sign_in_is_missing(house: WebHouse, client: Client) -> None:
    _, key = house.store.api_keys.create(ANN.user_id, "A program")
    house.store.accounts.mark_signed_out(ANN.user_id)

    def told(shown: str) -> str:
        answer = client.get("/api/v1/session", headers={"Authorization": f"Bearer {shown}"})
        assert answer.status_code == 401
        return str(answer.get_json()["detail"])

    assert "Jellyfin has signed ann out" in told(key)
    assert told("guessed") == "Sign in first."


def test_a_wrong_key_is_refused_even_beside_a_good_cookie(ann: Browser) -> None:
    answer = ann.client.get("/api/v1/session", headers={"Authorization": "Bearer guessed"})

    assert answer.status_code == 401


def test_the_live_connection_has_no_events_but_coming_and_going() -> None:
    assert set(SOCKET_EVENTS) == {"connect", "disconnect"}
    assert [role_of(one) for one in (None, ANN, EVE)] == [
        Role.ANYBODY,
        Role.SIGNED_IN,
        Role.ADMIN,
    ]


def test_what_is_for_admins_is_refused_to_others(ann: Browser) -> None:
    for endpoint, verb in (key for key, role in ROUTES.items() if role >= Role.ADMIN):
        assert ann.send(verb, url(endpoint), {}).status_code == 403, (endpoint, verb)


def test_the_demo_lets_only_its_own_machine_decide_about_the_machine(
    quick_path: Path, clock: FakeClock
) -> None:
    set_up = SetUpService(lambda *_kept: "", clock)
    here, proxy = {"REMOTE_ADDR": "127.0.0.1"}, {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}
    with web_house(quick_path, clock, set_up=set_up) as house:
        eve = house.come_in(EVE)

        def ask(endpoint: str, verb: str, environ: dict[str, str]) -> TestResponse:
            return eve.client.open(
                url(endpoint),
                method=verb,
                data={"csrf": eve.csrf},
                environ_overrides=environ,
            )

        old = here | {"SERVER_PROTOCOL": "HTTP/1.0"}
        for endpoint, verb in sorted(
            key for key, role in ROUTES.items() if decided_here(role, key[1])
        ):
            for elsewhere in ({"REMOTE_ADDR": "192.168.1.7"}, here | proxy, old, {}):
                refused = ask(endpoint, verb, elsewhere)
                assert refused.status_code == 403, (endpoint, verb, elsewhere)
                assert "everybody knows its passwords" in refused.text
            assert ask(endpoint, verb, here).status_code != 403, (endpoint, verb)
        assert ask("admin.show", "GET", {}).status_code == 200
        # What people change of their own, an admin from elsewhere changes of nobody else's.
        house.add(1, ANN)
        for place, status in (({}, 404), (here, 303)):
            answer = eve.client.post(
                "/downloads/1/act",
                data={"csrf": eve.csrf, "action": "pause"},
                environ_overrides=place,
            )
            assert answer.status_code == status, answer.text
