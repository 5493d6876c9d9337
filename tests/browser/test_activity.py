"""The page of what happened in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from sidecar.domain.downloads.download import Status
from tests.browser.conftest import SignedIn
from tests.web.house import ANN, WebHouse

pytestmark = pytest.mark.browser

MORE_THAN_ONE_PART = 60


def test_the_list_goes_on_where_it_ends(signed_in: SignedIn, house: WebHouse) -> None:
    with house.store.db.write():
        for number in range(1, MORE_THAN_ONE_PART + 1):
            house.add(number, status=Status.COMPLETED)
    page = signed_in(ANN, "/activity")

    page.locator("#happened .further").scroll_into_view_if_needed()

    expect(page.locator("#happened li")).to_have_count(MORE_THAN_ONE_PART)
    expect(page).to_have_url(re.compile("/activity$"))
