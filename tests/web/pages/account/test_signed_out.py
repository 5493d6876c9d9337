"""Whoever is signed out reads so, and comes back to the page where that was noticed."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from werkzeug.test import Client

from tests.web.house import ANN, Browser, WebHouse

ENDED = "You have been signed out"


@pytest.fixture
def ended(house: WebHouse) -> Client:
    """A browser whose session was ended from elsewhere."""
    ann = house.come_in(ANN)
    house.store.sessions.end_all(ANN.user_id)
    return ann.client


def test_a_page_of_a_session_that_has_ended_leads_to_a_sign_in_that_says_so(
    ended: Client,
) -> None:
    answer = ended.get("/downloads?tab=failed", follow_redirects=True)

    assert answer.request.path == "/sign-in"
    assert ENDED in answer.text
    assert 'name="next" value="/downloads?tab=failed"' in answer.text


def test_who_was_never_here_or_signed_out_themselves_is_not_told_so(
    client: Client, ann: Browser
) -> None:
    left = ann.press("/sign-out")

    assert left.status_code == HTTPStatus.SEE_OTHER
    assert ENDED not in client.get("/sign-in").text
    assert ENDED not in ann.get("/sign-in").text


def test_a_button_of_a_page_leads_back_to_that_page(ended: Client) -> None:
    for headers in (
        {"HX-Request": "true", "HX-Current-URL": "http://localhost/files?kind=a&page=2"},
        {"Referer": "http://localhost/files?kind=a&page=2"},
    ):
        answer = ended.post("/downloads/act", headers=headers)

        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert "nothing was done" in answer.text
        back = "/sign-in?next=/files?kind%3Da%26page%3D2"
        assert answer.headers["HX-Redirect"] == back
        assert f'href="{back}"' in answer.text


def test_nobody_is_led_to_another_site(ended: Client) -> None:
    for page in ("https://elsewhere.test//evil.test/", "not an address", "http://[", ""):
        answer = ended.post("/downloads/act", headers={"Referer": page})

        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert "evil" not in answer.headers["HX-Redirect"]


def test_who_is_no_admin_reads_whose_page_it_is(ann: Browser) -> None:
    answer = ann.get("/settings")

    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert "Only admins may do this" in answer.text
