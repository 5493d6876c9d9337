"""The home page: each person sees there what is theirs, and the devices as they are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sidecar.domain.downloads.download import Status
from sidecar.services.health.problems import Problem, ProblemKind
from tests.services.conftest import STICK
from tests.web.house import ANN, Browser, WebHouse


@pytest.fixture
def users() -> tuple[str, ...]:
    return ("ann", "ben")


def test_everything_on_it_is_of_the_one_who_looks(
    house: WebHouse, ann: Browser, ben: Browser, eve: Browser
) -> None:
    house.add(1, ANN, status=Status.COMPLETED, title="Ann's file")
    house.add(2, ANN, title="Ann's wish")
    running = house.add(3, ANN, status=Status.DOWNLOADING, size=1000, title="Ann's transfer")
    house.transfer({running.id: 500}, seconds=1)
    house.heard(ANN, 1, house.clock.now() - timedelta(hours=1))

    mine, theirs, all_of_it = (one.get("/").text for one in (ann, ben, eve))

    for title in ("Ann&#39;s file", "Ann&#39;s wish", "Ann&#39;s transfer"):
        assert title in mine
        assert title not in theirs
        assert title in all_of_it
    assert "Downloading 1 file" in mine
    assert "last synced" in mine
    assert 'aria-labelledby="played"' in mine
    assert "Nothing to download" in theirs
    assert "nothing synced yet" in theirs
    assert 'aria-labelledby="played"' not in theirs


def test_what_is_paused_is_not_nothing(house: WebHouse, ann: Browser) -> None:
    for number in (1, 2):
        house.add(number, status=Status.PAUSED)

    page = ann.get("/").text

    assert "2 downloads are paused" in page
    assert "Nothing to download" not in page


def test_the_tile_says_the_worst_of_a_device(house: WebHouse, ann: Browser) -> None:
    assert "Up to date" in ann.get("/").text
    house.add(20)
    assert ">Queued</span>" in ann.get("/").text
    problems = house.services.accounts.problems
    problems.note(ProblemKind.ROOM, STICK, Problem("no-room", "It does not fit"))
    page = ann.get("/").text
    assert ">Needs attention</span>" in page
    assert "It does not fit" in page
    house.ask_about_removals()

    page = ann.get("/").text

    assert ">Files are missing</span>" in page
    assert "6 of 7 files are missing" in page
    assert "Up to date" not in page
    house.unplug()
    assert ">Not available</span>" in ann.get("/").text
