from __future__ import annotations

import re

from sidecar.services.accounts.api_keys import MOST_KEYS
from tests.web.house import EVE, Browser, WebHouse


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
