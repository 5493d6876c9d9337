from __future__ import annotations

import pytest
from werkzeug.test import Client, TestResponse

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


def test_a_key_says_when_it_ends_and_is_refused_from_then_on(house: WebHouse, ann: Browser) -> None:
    made = send(ann, "POST", KEYS, {"label": "for a week", "expires_in_days": 7}).json
    ever = send(ann, "POST", KEYS, {"label": "for ever", "expires_in_days": None}).json
    year = send(ann, "POST", KEYS, {"label": "as usual"}).json

    assert made is not None
    assert ever is not None
    assert year is not None
    assert (made["expires_at"], made["expired"]) == ("2026-11-08T12:00:00.000Z", False)
    assert ever["expires_at"] is None
    assert year["expires_at"] == "2027-11-01T12:00:00.000Z"
    house.clock.advance(7 * 24 * 3600)
    anybody = Client(house.web.wsgi)
    assert anybody.get(KEYS, headers=bearer(made["key"])).status_code == 401
    listed = anybody.get(KEYS, headers=bearer(ever["key"])).json
    assert listed is not None
    assert [(one["label"], one["expired"]) for one in listed["items"]] == [
        ("for a week", True),
        ("for ever", False),
        ("as usual", False),
    ]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("days", [0, -1, 3651, 1.5, "7", True])
def test_how_long_a_key_works_is_a_number_of_days(ann: Browser, days: object) -> None:
    answer = send(ann, "POST", KEYS, {"label": "x", "expires_in_days": days})

    assert answer.status_code == 422


@pytest.mark.parametrize("path", [KEYS, "/profile/keys"])
def test_a_key_makes_no_key_that_outlives_it(house: WebHouse, path: str) -> None:
    _, key = house.store.api_keys.create(ANN.user_id, "stolen")
    form = {"json": {"label": "x"}} if path == KEYS else {"data": {"label": "x"}}

    answer = Client(house.web.wsgi).post(path, headers=bearer(key), **form)

    assert answer.status_code == 403
    assert len(house.store.api_keys.of_account(ANN.user_id)) == 1


@pytest.mark.parametrize(("keys", "left"), [("", 2), ("?keys=keep", 2), ("?keys=revoke", 0)])
def test_signing_out_everywhere_keeps_the_keys_or_revokes_them(
    house: WebHouse, ann: Browser, keys: str, left: int
) -> None:
    secrets = [house.store.api_keys.create(ANN.user_id, f"{number}")[1] for number in range(2)]

    answer = send(ann, "DELETE", f"/api/v1/sessions{keys}")

    assert answer.json == {"ended": 1, "keys_revoked": 2 - left}
    found = [house.services.web.sign_in.person_for_key(one) for one in secrets]
    assert found.count(None) == 2 - left
