from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from tests.fakes.desk import ANN, BEN
from tests.fakes.people import IDS, FakePeople
from tests.fakes.transfers import FakeTransfers
from tests.web.conftest import Browser

API = "/api/v1"


def send(one: Browser, verb: str, path: str) -> TestResponse:
    return one.client.open(path, method=verb, headers={"X-Sidecar-CSRF": one.csrf})


def press(one: Browser, path: str, **form: str) -> TestResponse:
    return one.client.post(path, data={"csrf": one.csrf, **form})


def names(one: Browser, path: str, key: str) -> list[str]:
    answer = one.client.get(f"{API}{path}").json
    assert answer is not None
    return [item[key] for item in answer["items"]]


def test_everybody_sees_their_own_and_an_admin_sees_all(ann: Browser, eve: Browser) -> None:
    assert names(ann, "/accounts", "name") == ["ann"]
    assert names(eve, "/accounts", "name") == ["ann", "ben", "eve"]
    assert names(ann, "/sessions", "account") == ["ann"]
    assert names(eve, "/sessions", "account") == ["ann", "ben", "eve"]


def test_the_session_that_asks_is_marked(ann: Browser) -> None:
    answer = ann.client.get(f"{API}/sessions").json

    assert answer is not None
    assert answer["items"] == [
        {
            "id": IDS["ann"],
            "account": "ann",
            "created_at": "2026-11-01T19:30:00.000Z",
            "last_used_at": "2026-11-01T19:30:00.000Z",
            "address": "192.168.1",
            "this": True,
        }
    ]


def test_a_session_is_ended_by_its_owner_or_an_admin(
    ann: Browser, eve: Browser, people: FakePeople
) -> None:
    foreign = send(ann, "DELETE", f"{API}/sessions/{IDS['ben']}")
    unknown = send(ann, "DELETE", f"{API}/sessions/{'f' * 64}")
    assert (foreign.status_code, foreign.data) == (unknown.status_code, unknown.data)
    assert foreign.status_code == 404

    assert send(eve, "DELETE", f"{API}/sessions/{IDS['ben']}").status_code == 204
    assert send(ann, "DELETE", f"{API}/sessions").json == {"ended": 1}
    assert people.ended == ["ben", "ann"]


def test_an_account_is_forgotten_by_its_owner_or_an_admin(
    ann: Browser, eve: Browser, people: FakePeople
) -> None:
    assert send(ann, "POST", f"{API}/accounts/{BEN.user_id}/forget").status_code == 404
    assert send(ann, "POST", f"{API}/accounts/{ANN.user_id}/forget").status_code == 204
    assert send(eve, "POST", f"{API}/accounts/{BEN.user_id}/forget").status_code == 204
    assert people.forgotten == ["ann", "ben"]


@pytest.mark.parametrize("path", ["/server", "/log"])
def test_the_machinery_is_for_admins(ann: Browser, eve: Browser, path: str) -> None:
    assert ann.client.get(f"{API}{path}").status_code == 403
    assert eve.client.get(f"{API}{path}").status_code == 200


def test_the_log_is_searched_by_level_and_words(eve: Browser) -> None:
    assert names(eve, "/log?level=WARNING", "level") == ["WARNING"]
    assert names(eve, "/log?q=signed", "text") == ["ann signed in"]
    assert eve.client.get(f"{API}/log?level=LOUD").status_code == 422


def test_the_admin_s_page_tells_it_all_and_pauses(
    eve: Browser, ann: Browser, transfers_desk: FakeTransfers
) -> None:
    page = eve.client.get("/admin").text

    for words in ("Attic 12.0.0", "builtin, 3 workers", "must sign in again", "192.168.1"):
        assert words in page
    assert "Car stick is not there &lt;b&gt;" in page
    assert press(eve, "/admin/transfers", paused="yes").status_code == 303
    assert transfers_desk.is_paused
    assert "Let the rules fetch again" in eve.client.get("/admin").text
    assert press(eve, "/admin/transfers", paused="maybe").status_code == 400
    assert ann.client.get("/admin").status_code == 403
    assert "/admin" not in ann.client.get("/downloads").text


def test_on_the_profile_sessions_are_ended_one_by_one_or_all(
    ann: Browser, people: FakePeople
) -> None:
    page = ann.client.get("/profile").text
    assert "this browser" in page
    assert "Sign out everywhere" in page

    ended = press(ann, f"/profile/sessions/{IDS['ann']}/end", next="//evil.example")
    assert ended.location == "/profile"
    assert press(ann, "/profile/sessions/end").location == "/sign-in"
    assert press(ann, f"/profile/sessions/{IDS['ben']}/end").status_code == 404
    assert people.ended == ["ann", "ann"]
    assert press(ann, f"/profile/forget/{ANN.user_id}").location == "/sign-in"
    assert press(ann, f"/profile/forget/{BEN.user_id}").status_code == 404
    assert people.forgotten == ["ann"]
