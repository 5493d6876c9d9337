from __future__ import annotations

import re

import pytest

from sidecar.services.accounts.api_keys import MOST_KEYS
from tests.web.house import ANN, EVE, Browser, WebHouse


def test_a_key_is_shown_on_the_page_that_makes_it_and_never_again(
    house: WebHouse, ann: Browser
) -> None:
    made = ann.client.post("/profile/keys", data={"csrf": ann.csrf, "label": "Home  <b>server"})
    shown = re.search(r"sidecar_[\w-]+", made.text)

    assert made.status_code == 201
    assert shown is not None
    person = house.services.web.sign_in.person_for_key(shown.group())
    assert person is not None
    assert person.name == "ann"
    assert "Home &lt;b&gt;server" in made.text
    assert made.headers["Cache-Control"] == "no-store"
    assert shown.group() not in ann.client.get("/profile").text


def test_a_key_is_revoked_by_its_owner_alone(house: WebHouse, ann: Browser, eve: Browser) -> None:
    key, secret = house.store.api_keys.create(EVE.user_id, "Eve's")
    path = f"/profile/keys/{key.id}/revoke"

    assert ann.client.post(path, data={"csrf": ann.csrf}).status_code == 404
    assert house.services.web.sign_in.person_for_key(secret) == EVE
    done = eve.client.post(path, data={"csrf": eve.csrf})
    assert (done.status_code, done.location) == (303, "/profile")
    assert house.services.web.sign_in.person_for_key(secret) is None


def test_too_many_keys_are_told(house: WebHouse, eve: Browser) -> None:
    for number in range(MOST_KEYS):
        house.store.api_keys.create(EVE.user_id, f"Key {number}")

    answer = eve.client.post("/profile/keys", data={"csrf": eve.csrf, "label": "One more"})

    assert answer.status_code == 409
    assert "too many keys" in answer.text


def test_a_key_needs_a_name(house: WebHouse, ann: Browser) -> None:
    for label in ("", "  ", "x" * 101):
        answer = ann.client.post("/profile/keys", data={"csrf": ann.csrf, "label": label})
        assert answer.status_code == 400
    assert house.store.api_keys.of_account("a" * 32) == []


@pytest.mark.parametrize(
    ("lasts", "said"),
    [("30", "expires in 4 weeks"), ("365", "expires in 12 months"), ("ever", "does not expire")],
)
def test_a_key_is_made_for_a_time_and_the_page_says_until_when(
    house: WebHouse, ann: Browser, lasts: str, said: str
) -> None:
    form = {"csrf": ann.csrf, "label": "a script", "lasts": lasts}

    made = ann.client.post("/profile/keys", data=form)

    assert said in made.text
    house.clock.advance(31 * 24 * 3600)
    later = house.come_in(ANN).client.get("/profile").text
    assert ("expired" in later) == (lasts == "30")


def test_signing_out_everywhere_asks_about_the_keys_if_there_are_any(
    house: WebHouse, ann: Browser
) -> None:
    assert 'name="keys"' not in ann.client.get("/profile").text
    _, key = house.store.api_keys.create(ANN.user_id, "a script")

    assert 'name="keys" value="revoke"' in ann.client.get("/profile").text
    ann.client.post("/profile/sessions/end", data={"csrf": ann.csrf, "keys": "revoke"})

    assert house.services.web.sign_in.person_for_key(key) is None


def test_signing_out_everywhere_keeps_the_keys_if_so_chosen(house: WebHouse, ann: Browser) -> None:
    _, key = house.store.api_keys.create(ANN.user_id, "a script")

    ann.client.post("/profile/sessions/end", data={"csrf": ann.csrf, "keys": "keep"})

    assert house.services.web.sign_in.person_for_key(key) == ANN
    assert ann.client.get("/api/v1/session").status_code == 401
