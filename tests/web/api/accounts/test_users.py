"""Accounts, sessions and the machinery: in the API, on the admin's page and on the profile."""

from __future__ import annotations

import logging

import pytest
from werkzeug.test import TestResponse

from tests.fakes.servers.answering import Reply
from tests.web.house import ANN, BEN, EVE, Browser, WebHouse

API = "/api/v1"


def send(one: Browser, verb: str, path: str) -> TestResponse:
    return one.client.open(path, method=verb, headers={"X-Sidecar-CSRF": one.csrf})


def press(one: Browser, path: str, **form: str) -> TestResponse:
    return one.client.post(path, data={"csrf": one.csrf, **form})


def names(one: Browser, path: str, key: str) -> list[str]:
    answer = one.client.get(f"{API}{path}").json
    assert answer is not None
    return sorted(item[key] for item in answer["items"])


def session_of(one: Browser) -> str:
    answer = one.client.get(f"{API}/sessions").json
    assert answer is not None
    [this] = [item["id"] for item in answer["items"] if item["this"]]
    return str(this)


def is_in(one: Browser) -> bool:
    return one.client.get(f"{API}/session").status_code == 200


@pytest.fixture
def ben(house: WebHouse) -> Browser:
    return house.come_in(BEN)


@pytest.mark.usefixtures("house", "ben")
def test_everybody_sees_their_own_and_an_admin_sees_all(ann: Browser, eve: Browser) -> None:
    assert names(ann, "/accounts", "name") == ["ann"]
    assert names(eve, "/accounts", "name") == ["ann", "ben", "eve"]
    assert names(ann, "/sessions", "account") == ["ann"]
    assert names(eve, "/sessions", "account") == ["ann", "ben", "eve"]


def test_the_session_that_asks_is_marked(house: WebHouse, ann: Browser) -> None:
    house.come_in(ANN)

    answer = ann.client.get(f"{API}/sessions").json

    assert answer is not None
    assert sorted(one["this"] for one in answer["items"]) == [False, True]
    [this] = [one for one in answer["items"] if one["this"]]
    assert this.pop("id") == session_of(ann)
    assert this == {
        "account": "ann",
        "created_at": "2026-11-01T12:00:00.000Z",
        "last_used_at": "2026-11-01T12:00:00.000Z",
        "browser": "An unknown browser",
        "network": "home network",
        "address": "192.168.1",
        "this": True,
    }


@pytest.mark.usefixtures("house")
def test_a_session_is_ended_by_its_owner_or_an_admin(
    ann: Browser, ben: Browser, eve: Browser
) -> None:
    ben_s = session_of(ben)
    foreign = send(ann, "DELETE", f"{API}/sessions/{ben_s}")
    unknown = send(ann, "DELETE", f"{API}/sessions/{'f' * 64}")
    assert (foreign.status_code, foreign.data) == (unknown.status_code, unknown.data)
    assert foreign.status_code == 404
    assert is_in(ben)

    assert send(eve, "DELETE", f"{API}/sessions/{ben_s}").status_code == 204
    assert not is_in(ben)
    assert send(ann, "DELETE", f"{API}/sessions").json == {"ended": 1, "keys_revoked": 0}
    assert not is_in(ann)


def test_an_admin_has_an_account_that_waits_tried_again(
    house: WebHouse, ann: Browser, eve: Browser
) -> None:
    house.jellyfin.routes["GET /Users/Me"] = Reply(403)
    house.services.accounts.service.outside_hours(ANN.user_id)
    address = f"{API}/accounts/{ANN.user_id}/try"
    assert send(ann, "POST", address).status_code == 403

    assert send(eve, "POST", address).status_code == 204
    assert len(house.jellyfin.asked("/Users/Me")) == 1
    page = " ".join(eve.client.get("/admin").text.split())
    assert "Try again at once" in page
    assert press(eve, f"/admin/accounts/{ANN.user_id}/try").location == "/admin"
    assert len(house.jellyfin.asked("/Users/Me")) == 2
    assert send(eve, "POST", f"{API}/accounts/{'0' * 32}/try").status_code == 404

    house.services.accounts.service.within_hours(ANN.user_id)
    assert "Try again at once" not in eve.client.get("/admin").text


def test_an_account_is_forgotten_by_its_owner_or_an_admin(
    house: WebHouse, ann: Browser, ben: Browser, eve: Browser
) -> None:
    house.jellyfin.routes["POST /Sessions/Logout"] = Reply(204)

    assert send(ann, "POST", f"{API}/accounts/{BEN.user_id}/forget").status_code == 404
    assert is_in(ben)
    assert send(ann, "POST", f"{API}/accounts/{ANN.user_id}/forget").status_code == 204
    assert send(eve, "POST", f"{API}/accounts/{BEN.user_id}/forget").status_code == 204
    assert [is_in(one) for one in (ann, ben, eve)] == [False, False, True]
    assert [one.name for one in house.services.accounts.service.signed_in()] == ["eve"]
    assert len(house.jellyfin.asked("/Sessions/Logout")) == 2


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("path", ["/server", "/log"])
def test_the_machinery_is_for_admins(ann: Browser, eve: Browser, path: str) -> None:
    assert ann.client.get(f"{API}{path}").status_code == 403
    assert eve.client.get(f"{API}{path}").status_code == 200


def log(house: WebHouse, level: int, text: str) -> None:
    record = logging.LogRecord("sidecar", level, __file__, 1, text, None, None)
    house.recent.handle(record)


def test_the_log_is_searched_by_level_and_words(house: WebHouse, eve: Browser) -> None:
    log(house, logging.WARNING, "Car stick is not there <b>")
    log(house, logging.INFO, "ann signed in")

    assert names(eve, "/log?level=WARNING", "level") == ["WARNING"]
    assert names(eve, "/log?q=signed", "text") == ["ann signed in"]
    assert eve.client.get(f"{API}/log?level=LOUD").status_code == 422


def test_the_admin_s_page_tells_it_all_and_pauses(
    house: WebHouse, eve: Browser, ann: Browser
) -> None:
    log(house, logging.WARNING, "Car stick is not there <b>")
    house.services.accounts.service.signed_out(house.services.accounts.service.client(BEN.user_id))
    page = eve.client.get("/admin").text

    for words in (
        "Attic 12.0.0",
        "Built in, 3 downloads at once",
        "must sign in again",
        "home network",
    ):
        assert words in page
    assert "Car stick is not there &lt;b&gt;" in eve.client.get("/admin/log").text
    assert press(eve, "/admin/transfers", paused="yes").status_code == 303
    assert house.services.web.transfers.transfers(EVE).is_paused
    assert "Resume automatic downloads" in eve.client.get("/admin").text
    assert press(eve, "/admin/transfers", paused="maybe").status_code == 400
    assert ann.client.get("/admin").status_code == 403
    assert "/admin" not in ann.client.get("/downloads").text


def test_messages_in_clients_are_switched_by_each_person_for_themselves(
    house: WebHouse, ann: Browser, ben: Browser
) -> None:
    path, wanted = "/api/v1/client-messages", house.services.web.client_messages
    assert ann.told(path) == {"is_on": True}
    assert 'name="is_on" value="on" checked' in ann.client.get("/profile").text

    assert ann.send("PUT", path, {"is_on": False}).status_code == 204

    assert [one.told(path)["is_on"] for one in (ann, ben)] == [False, True]
    assert 'name="is_on" value="on" checked' not in ann.client.get("/profile").text
    assert press(ann, "/profile/client-messages", is_on="on").location == "/profile"
    assert wanted.is_on(ANN.user_id)
    assert press(ann, "/profile/client-messages").status_code == 303
    assert not wanted.is_on(ANN.user_id)
    assert wanted.is_on(BEN.user_id)
    assert wanted.language(ANN.user_id) == "en"
    press(ann, "/language", language="de")
    assert (wanted.language(ANN.user_id), wanted.language(BEN.user_id)) == ("de", "en")
    for odd in ({}, {"is_on": "perhaps"}, {"is_on": None}):
        assert ann.send("PUT", path, odd).status_code == 422


def test_on_the_profile_sessions_are_ended_one_by_one_or_all(
    house: WebHouse, ann: Browser, ben: Browser
) -> None:
    house.jellyfin.routes["POST /Sessions/Logout"] = Reply(204)
    page = ann.client.get("/profile").text
    assert "this browser" in page
    assert "Sign out everywhere" in page
    other = house.come_in(ANN)

    ended = press(ann, f"/profile/sessions/{session_of(other)}/end", next="//evil.example")
    assert ended.location == "/profile"
    assert [is_in(other), is_in(ann)] == [False, True]
    assert press(ann, f"/profile/sessions/{session_of(ben)}/end").status_code == 404
    assert press(ann, f"/profile/forget/{BEN.user_id}").status_code == 404
    assert is_in(ben)
    assert press(ann, "/profile/sessions/end").location == "/sign-in"
    assert not is_in(ann)


def test_on_the_profile_one_s_own_account_is_forgotten(house: WebHouse, ann: Browser) -> None:
    house.jellyfin.routes["POST /Sessions/Logout"] = Reply(204)

    assert press(ann, f"/profile/forget/{ANN.user_id}").location == "/sign-in"

    assert not is_in(ann)
    assert ANN.user_id not in {one.user_id for one in house.services.accounts.service.signed_in()}
