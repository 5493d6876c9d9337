"""Guessing passwords, and keeping others out by guessing."""

from __future__ import annotations

import pytest
from werkzeug.test import Client, TestResponse

from sidecar.domain.accounts.sign_in_limit import FREE_TRIES, MOST_CODES_OF_AN_ADDRESS
from tests.fakes.servers.answering import Reply, json_reply
from tests.web.house import ANN, SERVER_ID, WebHouse

RIGHT = {
    "User": {
        "Id": ANN.user_id,
        "Name": ANN.name,
        "ServerId": SERVER_ID,
        "Policy": {"IsAdministrator": False, "EnableContentDownloading": True},
    },
    "AccessToken": "a token",
    "ServerId": SERVER_ID,
}
AUTHENTICATE = "POST /Users/AuthenticateByName"


def accept(house: WebHouse) -> None:
    house.jellyfin.routes[AUTHENTICATE] = json_reply(RIGHT)


def refuse(house: WebHouse) -> None:
    house.jellyfin.routes[AUTHENTICATE] = Reply(401)


def sign_in(one: Client, name: str = "ann", address: str = "192.168.1.7") -> TestResponse:
    form = {"username": name, "password": "x"}
    return one.post("/sign-in", data=form, environ_overrides={"REMOTE_ADDR": address})


@pytest.mark.parametrize("address", ["192.168.1.7", "2001:db8::7"])
def test_a_household_that_is_guessed_at_comes_in_with_the_browsers_it_used_before(
    house: WebHouse, address: str
) -> None:
    accept(house)
    tablet, stranger = Client(house.web.wsgi), Client(house.web.wsgi)
    assert sign_in(tablet).status_code == 303
    tablet.delete_cookie("sidecar_session")
    refuse(house)
    for number in range(70):
        sign_in(stranger, "ann", address)
        sign_in(stranger, f"name {number}", f"10.0.0.{number}")
    accept(house)

    assert sign_in(stranger, "ann", address).status_code == 429
    assert sign_in(tablet, "ann", address).status_code == 303


def test_the_mark_of_a_browser_is_no_session(house: WebHouse) -> None:
    accept(house)
    tablet = Client(house.web.wsgi)
    kept = sign_in(tablet).headers.getlist("Set-Cookie")
    tablet.delete_cookie("sidecar_session")

    assert tablet.get("/api/v1/session").status_code == 401
    [marks] = [one for one in kept if one.startswith("sidecar_known=")]
    assert "; HttpOnly; Path=/; SameSite=Lax" in marks


@pytest.mark.parametrize("written", ["Ann ", "\u200bann", "\uff21nn", "ann\u00a0"])
def test_another_way_to_write_a_name_is_not_another_name(house: WebHouse, written: str) -> None:
    refuse(house)
    stranger = Client(house.web.wsgi)
    for number in range(FREE_TRIES):
        stranger.post(
            "/api/v1/session",
            json={"username": "ann", "password": str(number)},
            environ_overrides={"REMOTE_ADDR": f"10.0.0.{number}"},
        )

    answer = stranger.post("/api/v1/session", json={"username": written, "password": "x"})

    assert answer.status_code == 429
    assert 50 <= int(answer.headers["Retry-After"]) <= 60


def test_nobody_uses_up_quick_connect_for_the_others(house: WebHouse) -> None:
    house.jellyfin.routes["POST /QuickConnect/Initiate"] = json_reply(
        {"Secret": "s" * 64, "Code": "123456", "Authenticated": False}
    )
    stranger, ann = Client(house.web.wsgi), Client(house.web.wsgi)
    for _ in range(300):
        last = stranger.post("/sign-in/quick-connect")

    assert last.status_code == 429
    assert len(house.jellyfin.asked("/QuickConnect/Initiate")) == MOST_CODES_OF_AN_ADDRESS
    answer = ann.post("/sign-in/quick-connect", environ_overrides={"REMOTE_ADDR": "10.0.0.9"})
    assert answer.status_code == 303
