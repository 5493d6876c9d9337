from __future__ import annotations

from pathlib import Path

import pytest
from werkzeug.test import Client

from sidecar.web.redirects import own_path
from sidecar.web.security.masking import unmask
from tests.fakes.clock import FakeClock
from tests.web.house import ANN, PASSWORD, Browser, WebHouse, web_house, without_jellyfin

pytestmark = pytest.mark.usefixtures("house")

SESSION = "/api/v1/session"
CREDENTIALS = {"username": "ann", "password": PASSWORD}


def test_a_name_and_password_open_a_session(client: Client) -> None:
    answer = client.post(SESSION, json=CREDENTIALS)

    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["user"] == {"id": ANN.user_id, "name": "ann", "is_admin": False}
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("sidecar_session=")
    assert "; HttpOnly; Path=/; SameSite=Lax" in cookie
    again = client.get(SESSION).json
    assert again is not None
    assert again["user"] == answer.json["user"]
    # The same token, masked anew.
    assert unmask(again["csrf"]) == unmask(answer.json["csrf"])
    assert again["csrf"] != answer.json["csrf"]


def test_a_wrong_password_is_refused_in_words(client: Client) -> None:
    answer = client.post(SESSION, json=CREDENTIALS | {"password": "wrong"})

    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.json == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "Wrong user name or password",
    }
    assert "Set-Cookie" not in answer.headers


def test_a_server_that_does_not_answer_is_no_wrong_password(
    tmp_path: Path, clock: FakeClock
) -> None:
    with web_house(tmp_path, clock, change=without_jellyfin) as alone:
        client = Client(alone.web.wsgi)

        assert client.post(SESSION, json=CREDENTIALS).status_code == 503
        assert client.post("/sign-in", data=CREDENTIALS).status_code == 503


HOSTILE = (
    (b"", 400),
    (b"{", 400),
    (b"[" * 30_000, 400),
    (b'{"username": "\\ud800", "password": "x"}', 400),
    (b'{"username": NaN, "password": "x"}', 422),
    (b"null", 422),
    (b"[]", 422),
    (b"{}", 422),
    (b'{"username": "ann"}', 422),
    (b'{"username": 7, "password": "x"}', 422),
    (b'{"username": ' + b"9" * 5000 + b', "password": "x"}', 400),
    (b'{"username": "ann", "password": "x", "is_admin": true}', 422),
    (b'{"username": "", "password": "x"}', 422),
    (b'{"username": "' + b"a" * 201 + b'", "password": "x"}', 422),
    (b"\xff\xfe", 400),
)


def test_hostile_bodies_are_refused_and_never_an_error(house: WebHouse, client: Client) -> None:
    for body, status in HOSTILE:
        answer = client.post(SESSION, data=body, content_type="application/json")

        assert answer.status_code == status, body[:80]
        assert answer.mimetype == "application/problem+json"
    assert house.jellyfin.asked("/Users/AuthenticateByName") == []


def test_what_a_form_of_another_site_could_send_is_not_json(client: Client) -> None:
    body = b'{"username": "ann", "password": "correct horse"}'

    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        assert client.post(SESSION, data=body, content_type=kind).status_code == 415, kind


def test_a_body_over_the_limit_is_refused(client: Client) -> None:
    answer = client.post(SESSION, data=b" " * 70_000, content_type="application/json")

    assert answer.status_code == 413


def test_the_password_is_in_no_answer(client: Client) -> None:
    answer = client.post(SESSION, json={"username": "ann", "password": ["canary-123"]})

    assert answer.status_code == 422
    assert "canary-123" not in answer.text


def test_a_cookie_is_worth_nothing_after_signing_out(ann: Browser, client: Client) -> None:
    stolen = ann.client.get_cookie("sidecar_session")
    assert stolen is not None
    assert ann.client.delete(SESSION, headers={"X-Sidecar-CSRF": ann.csrf}).status_code == 204
    client.set_cookie("sidecar_session", stolen.value)

    assert client.get(SESSION).status_code == 401


def test_a_cookie_that_was_set_before_is_not_the_session(client: Client) -> None:
    client.set_cookie("sidecar_session", "planted")
    client.post(SESSION, json=CREDENTIALS)

    cookie = client.get_cookie("sidecar_session")
    assert cookie is not None
    assert cookie.value != "planted"


def test_signing_in_again_ends_the_session_before(ann: Browser, client: Client) -> None:
    before = ann.client.get_cookie("sidecar_session")
    assert before is not None
    ann.client.post(SESSION, json=CREDENTIALS)
    client.set_cookie("sidecar_session", before.value)

    assert ann.get(SESSION).status_code == 200
    assert client.get(SESSION).status_code == 401


def test_a_person_signs_in_by_the_form_and_lands_where_they_wanted_to_go(client: Client) -> None:
    asked = client.get("/downloads?tab=completed")
    form = client.get(asked.headers["Location"])
    done = client.post(
        "/sign-in",
        data=CREDENTIALS | {"next": "/downloads?tab=completed"},
        headers={"Origin": "http://localhost"},
    )

    assert asked.status_code == 303
    assert 'name="next" value="/downloads?tab=completed"' in form.text
    assert done.headers["Location"] == "/downloads?tab=completed"
    assert client.get("/sign-in").headers["Location"] == "/"


def test_the_form_says_what_was_wrong_and_keeps_the_name(client: Client) -> None:
    page = client.post("/sign-in", data={"username": "ann", "password": "wrong"})

    assert page.status_code == 401
    assert "Wrong user name or password" in page.text
    assert 'value="ann"' in page.text
    assert "wrong&#34;" not in page.text


def test_nobody_is_led_to_another_site_after_signing_in() -> None:
    for wanted in (
        "//evil",
        "/\\evil",
        "https:evil",
        "https://evil",
        "evil",
        "",
        "/a b",
        "/\tx",
        "\n/x",
    ):
        assert own_path(wanted) is None, wanted


def test_quick_connect_works_with_forms_alone(house: WebHouse, client: Client) -> None:
    house.offer_quick_connect()
    started = client.post("/sign-in/quick-connect", data={"next": "/downloads"})
    shown = client.get(started.headers["Location"])
    early = client.post("/sign-in/quick-connect/finish")
    house.offer_quick_connect(approved=ANN)
    house.clock.advance(3)
    done = client.post("/sign-in/quick-connect/finish", data={"next": "/downloads"})

    assert "482913" in shown.text
    assert "not been approved yet" in early.text
    assert done.headers["Location"] == "/downloads"
    assert client.get("/downloads").status_code == 200
    assert client.get_cookie("sidecar_ticket", path="/sign-in") is None


def test_a_quick_connect_that_is_unknown_leads_back_to_the_form(client: Client) -> None:
    assert client.get("/sign-in/quick-connect").headers["Location"] == "/sign-in"
    page = client.post("/sign-in/quick-connect/finish")

    assert page.status_code == 401
    assert "ask for another one" in page.text


def test_too_many_tries_say_when_to_come_back(clock: FakeClock, client: Client) -> None:
    for _ in range(5):
        client.post(SESSION, json=CREDENTIALS | {"password": "wrong"})
    clock.advance(0.5)

    answer = client.post(SESSION, json=CREDENTIALS)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "58")
    assert client.post("/sign-in", data=CREDENTIALS).status_code == 429
