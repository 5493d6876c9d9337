from __future__ import annotations

import pytest

from sidecar.web.app import Web
from tests.fakes.desk import EVE, FakeDesk
from tests.fakes.transfers import USUAL, FakeTransfers
from tests.web.conftest import Browser, come_in

PATH = "/api/v1/transfers"


@pytest.fixture
def eve(web: Web, desk: FakeDesk) -> Browser:
    return come_in(web, desk, EVE)


def change(browser: Browser, **body: object) -> int:
    headers = {"X-Sidecar-CSRF": browser.csrf}
    return browser.client.patch(PATH, json=body, headers=headers).status_code


def test_everybody_sees_what_waits_and_why(ann: Browser) -> None:
    answer = ann.client.get(PATH).json

    assert answer is not None
    assert answer["paused"] is False
    assert answer["devices"][0]["text"] == "The network is metered"


def test_an_admin_pauses_and_limits(eve: Browser, transfers_desk: FakeTransfers) -> None:
    assert change(eve, paused=True) == 200
    assert transfers_desk.is_paused
    assert transfers_desk.speed_limit == USUAL

    assert change(eve, speed_limit=100_000) == 200
    assert transfers_desk.speed_limit == 100_000
    assert change(eve, speed_limit=None) == 200
    assert transfers_desk.speed_limit is None
    assert change(eve, speed_limit="usual", paused=False) == 200
    assert (transfers_desk.speed_limit, transfers_desk.is_paused) == (USUAL, False)


@pytest.mark.parametrize("limit", ["fast", -1, 0, 1023, 10**13, 1.5, True, [1]])
def test_what_is_no_limit_is_refused(
    eve: Browser, transfers_desk: FakeTransfers, limit: object
) -> None:
    assert change(eve, speed_limit=limit) == 422
    assert transfers_desk.speed_limit == USUAL


def test_nobody_else_changes_anything(ann: Browser, transfers_desk: FakeTransfers) -> None:
    assert change(ann, paused=True) == 403
    assert not transfers_desk.is_paused
