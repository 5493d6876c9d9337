from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from sidecar.services.accounts.api_keys import MOST_KEYS
from tests.web.house import ANN, Browser, WebHouse

KEYS = "/api/v1/keys"


def send(one: Browser, verb: str, path: str, body: object = None) -> TestResponse:
    headers = {"X-Sidecar-CSRF": one.csrf}
    return one.client.open(path, method=verb, json=body, headers=headers)


def test_a_key_is_shown_once_listed_without_it_and_revoked(house: WebHouse, ann: Browser) -> None:
    made = send(ann, "POST", KEYS, {"label": "  my script "})
    listed = ann.client.get(KEYS)

    assert made.status_code == 201
    assert made.json is not None
    assert listed.json is not None
    key = made.json["key"]
    assert house.services.web.sign_in.person_for_key(key) == ANN
    assert key.encode() not in listed.data
    assert [(one["id"], one["label"]) for one in listed.json["items"]] == [(1, "my script")]
    assert send(ann, "DELETE", f"{KEYS}/1").status_code == 204
    assert house.services.web.sign_in.person_for_key(key) is None
    assert send(ann, "DELETE", f"{KEYS}/1").status_code == 404


@pytest.mark.usefixtures("house")
def test_the_keys_of_others_do_not_exist(ann: Browser, eve: Browser) -> None:
    send(ann, "POST", KEYS, {"label": "mine"})

    assert eve.client.get(KEYS).json == {"items": [], "total": 0, "page": 1, "page_size": 0}
    assert send(eve, "DELETE", f"{KEYS}/1").status_code == 404


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("body", [{}, {"label": ""}, {"label": " "}, {"label": "x" * 101}])
def test_a_key_needs_a_label(ann: Browser, body: object) -> None:
    assert send(ann, "POST", KEYS, body).status_code == 422


def test_there_is_an_end_to_keys(house: WebHouse, ann: Browser) -> None:
    for number in range(MOST_KEYS):
        house.store.api_keys.create(ANN.user_id, f"Key {number}")

    assert send(ann, "POST", KEYS, {"label": "one more"}).status_code == 409
