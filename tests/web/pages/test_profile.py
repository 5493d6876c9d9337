from __future__ import annotations

from tests.fakes.actions import FakeActions
from tests.fakes.desk import EVE
from tests.web.conftest import Browser


def test_a_key_is_shown_on_the_page_that_makes_it_and_never_again(ann: Browser) -> None:
    made = ann.client.post("/profile/keys", data={"csrf": ann.csrf, "label": "Home  <b>server"})

    assert made.status_code == 201
    assert "sidecar_the-secret" in made.text
    assert "Home &lt;b&gt;server" in made.text
    assert made.headers["Cache-Control"] == "no-store"
    assert "sidecar_the-secret" not in ann.client.get("/profile").text


def test_a_key_is_revoked_by_its_owner_alone(
    ann: Browser, eve: Browser, doing: FakeActions
) -> None:
    doing.make_key(EVE, "Eve's")

    refused = ann.client.post("/profile/keys/1/revoke", data={"csrf": ann.csrf})
    assert refused.status_code == 404
    done = eve.client.post("/profile/keys/1/revoke", data={"csrf": eve.csrf})
    assert (done.status_code, done.location) == (303, "/profile")
    assert doing.made == {}


def test_too_many_keys_are_told(ann: Browser, doing: FakeActions) -> None:
    doing.is_full = True

    answer = ann.client.post("/profile/keys", data={"csrf": ann.csrf, "label": "One more"})

    assert answer.status_code == 409
    assert "too many keys" in answer.text


def test_a_key_needs_a_name(ann: Browser) -> None:
    for label in ("", "  ", "x" * 101):
        answer = ann.client.post("/profile/keys", data={"csrf": ann.csrf, "label": label})
        assert answer.status_code == 400
