"""The attacks that must fail, and for each the tests that show it; a test walks the table.

The numbers are those of our list of faults. What is not tested somewhere else is tested here.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType

import pytest
import requests
from werkzeug.test import Client

from sidecar.config import load
from sidecar.web.server import WebServer
from tests.patience import PATIENCE_S
from tests.services.conftest import STICK
from tests.web.house import Browser, WebHouse

TESTS = Path(__file__).parents[2]

SHOWN_BY = MappingProxyType(
    {
        "A01 broken JSON": [
            "web/api/accounts/test_session.py::test_hostile_bodies_are_refused_and_never_an_error",
            "web/api/downloads/test_download_actions.py::test_broken_json_is_told_and_never_breaks_us",
            "e2e/api/test_every_request.py::test_every_answer_fits_and_none_is_our_failure",
        ],
        "A02 endless nesting": [
            "web/api/accounts/test_session.py::test_hostile_bodies_are_refused_and_never_an_error"
        ],
        "A03 endless bodies": [
            "web/server/test_cheroot.py::test_a_body_over_the_limit_is_refused_before_it_is_read",
            "web/server/test_cheroot.py::test_a_chunked_body_over_the_limit_is_refused",
            "web/server/test_cheroot.py::test_silent_connections_keep_nobody_waiting",
        ],
        "A05 unknown ids": [
            "web/security/test_permissions.py::test_ids_of_no_download_are_not_found"
        ],
        "A06 foreign ids": [
            "web/security/test_permissions.py::test_what_belongs_to_somebody_else_is_as_if_it_did_not_exist",
            "web/api/downloads/test_download_actions.py::test_a_foreign_download_is_answered_like_an_unknown_one",
            "web/api/accounts/test_users.py::test_a_session_is_ended_by_its_owner_or_an_admin",
            "web/pages/devices/test_device.py::test_a_device_of_others_is_as_if_it_did_not_exist",
        ],
        "A07 routes of admins": [
            "web/security/test_permissions.py::test_what_is_for_admins_is_refused_to_others",
            "web/api/downloads/test_download_actions.py::test_what_only_an_admin_may_is_refused_to_others",
        ],
        "A08 fields that nobody asked for": [
            "web/security/test_attacks.py::test_what_a_body_adds_is_refused"
        ],
        "A09 changes from another site": [
            "web/security/test_permissions.py::test_no_change_is_taken_from_another_site_s_page",
            "web/security/test_permissions.py::test_a_change_needs_the_session_s_own_token",
            "web/api/downloads/test_download_actions.py::test_json_in_a_form_s_clothes_is_not_taken",
        ],
        "A10 connections from another site": [
            "web/live/test_news.py::test_a_page_of_another_site_cannot_open_a_connection"
        ],
        "A11 DNS rebinding": [
            "web/security/test_middleware.py::test_it_answers_to_no_other_name",
            "web/live/test_news.py::test_a_name_that_leads_here_by_dns_rebinding_opens_nothing",
        ],
        "A12 forged forwarding": [
            "web/security/test_middleware.py::test_forwarded_headers_of_strangers_are_not_believed",
            "web/security/test_middleware.py::test_no_layer_below_sees_what_a_stranger_forwards",
        ],
        "A13 scripts in titles": [
            "web/pages/test_downloads.py::test_whatever_a_tag_holds_is_shown_as_text",
            "browser/test_downloads.py::test_whatever_a_tag_holds_nothing_runs",
        ],
        "A15 lines in names": ["process/test_logs.py::test_a_title_cannot_forge_a_line"],
        "A16 guessing": [
            "domain/accounts/test_sign_in_limit.py::test_after_five_tries_a_name_waits_one_five_and_fifteen_minutes",
            "domain/accounts/test_sign_in_limit.py::test_many_addresses_together_wait",
            "web/api/accounts/test_session.py::test_too_many_tries_say_when_to_come_back",
        ],
        "A18 locking Jellyfin's users": [
            "domain/accounts/test_sign_in_limit.py::test_no_name_is_tried_more_often_than_the_steps_allow",
            (
                "services/accounts/test_sign_in.py::"
                "test_the_sixth_try_does_not_reach_jellyfin_even_with_the_right_password"
            ),
        ],
        "A20 fixation": [
            "web/api/accounts/test_session.py::test_a_cookie_that_was_set_before_is_not_the_session"
        ],
        "A21 replay": [
            "web/api/accounts/test_session.py::test_a_cookie_is_worth_nothing_after_signing_out"
        ],
        "A22 connections that outlive a session": [
            "web/live/test_news.py::test_signing_out_closes_the_session_s_pages_and_no_others",
            "web/live/test_news.py::test_who_is_no_administrator_any_more_hears_no_more",
            "services/accounts/test_users.py::test_who_is_no_admin_any_more_is_none_here_either",
            "services/accounts/test_users.py::test_a_token_that_was_taken_back_ends_the_sessions",
        ],
        "A23 leading elsewhere": [
            "web/api/accounts/test_session.py::test_nobody_is_led_to_another_site_after_signing_in",
            "web/i18n/test_languages.py::test_choosing_leads_nowhere_else",
        ],
        "A24 asking for other hosts": [
            "web/security/test_attacks.py::test_what_a_body_adds_is_refused",
            "transfer/aria2/test_engine.py::test_the_token_never_leaves_for_another_host",
        ],
        "A25 secrets": ["e2e/api/test_secrets.py::test_secrets_are_found_nowhere"],
        "A26 tracebacks": [
            "web/security/test_middleware.py::test_an_unexpected_failure_shows_an_id_and_nothing_of_the_code"
        ],
        "A28 files beside the static ones": [
            "web/security/test_middleware.py::test_nothing_but_the_static_files_is_served",
            "web/security/test_attacks.py::test_no_way_leads_out_of_the_static_files",
        ],
        "A30 rooms": [
            "web/security/test_permissions.py::test_the_live_connection_has_no_events_but_coming_and_going",
            "web/live/test_news.py::test_whoever_sends_a_command_is_cut_off",
        ],
        "A31 broadcasts": ["web/live/test_news.py::test_nobody_hears_of_what_others_listen_to"],
        "A32 aria2 from outside": [
            "transfer/aria2/test_daemon.py::test_it_listens_on_loopback_only",
            (
                "transfer/aria2/test_daemon.py::"
                "test_its_secret_is_not_in_the_process_list_nor_its_environment"
            ),
            "transfer/aria2/test_relay.py::test_it_listens_on_loopback_under_256_random_bits",
        ],
        "A33 folders of devices": [
            "web/security/test_attacks.py::test_nobody_moves_a_device_s_folder"
        ],
        "A34 double clicks": [
            "e2e/main_job/test_actions.py::test_an_album_is_asked_for_fifty_times_at_once_and_comes_once"
        ],
        "A35 interleavings": ["services/downloads/test_interleavings.py::TestInterleavings"],
        "A39 the first start": [
            "web/security/test_attacks.py::test_nothing_set_means_nobody_from_outside"
        ],
    }
)


@pytest.mark.parametrize("attack", SHOWN_BY)
def test_each_attack_has_its_tests(attack: str) -> None:
    assert SHOWN_BY[attack]
    for shown in SHOWN_BY[attack]:
        file, _, name = shown.partition("::")
        source = (TESTS / file).read_text(encoding="utf-8")
        assert re.search(rf"^(def {name}\(|{name} = )", source, re.MULTILINE), shown


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/downloads", {"item_id": "7" * 32, "user_id": "b" * 32}),
        ("/api/v1/downloads", {"item_id": "7" * 32, "path": "/etc/passwd"}),
        ("/api/v1/downloads", {"item_id": "7" * 32, "url": "http://169.254.169.254/"}),
        ("/api/v1/downloads/7/cancel", {"is_admin": True}),
        ("/api/v1/downloads/7/retry", {"state": "completed"}),
        ("/api/v1/keys", {"label": "x", "user_id": "b" * 32}),
        ("/api/v1/session", {"username": "ann", "password": "x", "server": "http://evil.example"}),
    ],
)
def test_what_a_body_adds_is_refused(
    house: WebHouse, ann: Browser, path: str, body: dict[str, object]
) -> None:
    download = house.add(7)
    path = path.replace("/7/", f"/{download.id}/")

    answer = ann.client.post(path, json=body, headers={"X-Sidecar-CSRF": ann.csrf})

    assert answer.status_code == 422


@pytest.mark.parametrize(
    "way",
    [
        "/static/../pyproject.toml",
        "/static/%2e%2e/pyproject.toml",
        "/static/%2e%2e%2fpyproject.toml",
        "/static/..%5cpyproject.toml",
        "/static/..;/pyproject.toml",
        "/static/%252e%252e%252fpyproject.toml",
        "/static//etc/passwd",
        "/static/js/%00",
    ],
)
def test_no_way_leads_out_of_the_static_files(server: WebServer, way: str) -> None:
    asked = requests.Request("GET", server.url).prepare()
    asked.url = server.url + way
    with requests.Session() as session:
        answer = session.send(asked, allow_redirects=False, timeout=PATIENCE_S)

    assert answer.status_code in {400, 404}
    assert "jellyfin-sidecar" not in answer.text


def test_nobody_moves_a_device_s_folder(house: WebHouse, eve: Browser, ann: Browser) -> None:
    [before] = house.services.devices.registry.settings()

    for who in (ann, eve):
        for key in ("path", "name", "users"):
            who.press(f"/devices/{STICK}/settings", **{key: "/etc"})

    [after] = house.services.devices.registry.settings()
    assert (after.path, after.name, after.users) == (before.path, before.name, before.users)


def test_nothing_set_means_nobody_from_outside(tmp_path: Path) -> None:
    settings = load({"HOME": str(tmp_path)})

    assert settings.server.host == "127.0.0.1"
    assert settings.jellyfin.url is None


def test_a_stranger_learns_no_name_and_no_version(client: Client) -> None:
    page = client.get("/sign-in")

    assert "0.1" not in page.text
    assert "ann" not in re.sub(r"[a-z]*ann[a-z]+", "", page.text)
    assert "Server" not in page.headers
