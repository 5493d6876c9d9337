"""Whom a notice on every page concerns."""

from __future__ import annotations

from sidecar.domain.downloads.download import Status
from sidecar.services.health.problems import Problem, ProblemKind
from tests.services.conftest import STICK
from tests.web.house import BEN, Browser, WebHouse

FULL = "2 downloads don't fit on Car stick"


def test_a_lack_of_space_is_told_who_manages_the_device_and_whose_files_it_is_about(
    house: WebHouse, ben: Browser, eve: Browser
) -> None:
    house.services.accounts.problems.note(ProblemKind.ROOM, STICK, Problem("no-room", FULL))

    def is_told(browser: Browser) -> bool:
        return "fit on Car stick" in browser.get("/help").text

    assert is_told(eve), "who manages it, though nothing there is hers"
    assert not is_told(ben)

    house.add(1, BEN)
    assert is_told(ben), "his is what may not fit"
    house.add(1, BEN, status=Status.COMPLETED)
    assert is_told(ben)
    house.add(1, BEN, status=Status.REMOVED)
    assert not is_told(ben)
