"""What waits for an answer is part of every page, of those whom it concerns alone."""

from __future__ import annotations

import re

import pytest

from sidecar.domain.downloads.download import Status
from sidecar.domain.files.removals import GRACE_S
from sidecar.domain.rules.queue_ahead import NAME as AHEAD
from sidecar.domain.transfers.network import Line, LineKind
from sidecar.errors import ServerAway
from sidecar.services.health.problems import Problem, ProblemKind
from tests.services.conftest import STICK
from tests.web.house import ANN, Browser, WebHouse

BLOCK = 4096
REMOVALS = f"/devices/{STICK}/removals"


@pytest.fixture
def users() -> tuple[str, ...]:
    return ("ann",)


@pytest.mark.parametrize(
    "path",
    [
        "/downloads",
        "/downloads?tab=missing",
        "/devices",
        f"/devices/{STICK}",
        "/offline",
        "/nowhere",
    ],
)
def test_it_stands_on_every_page_with_its_answers(house: WebHouse, ann: Browser, path: str) -> None:
    assert "Did you delete them?" not in ann.get(path).text
    house.ask_about_removals()

    page = ann.get(path).text

    assert page.count("6 are missing") == 1
    assert page.count('role="alert"') == 1
    assert f'action="{REMOVALS}"' in page
    assert page.count('name="gone"') == 2


def test_it_is_said_in_german(house: WebHouse, ann: Browser) -> None:
    house.ask_about_removals()

    page = ann.client.get("/devices", headers={"Accept-Language": "de"}).text

    assert "Von 7 Dateien auf Car stick fehlen 6. Hast du sie gelöscht?" in page
    assert "6 are missing" not in page
    assert "Show what is missing" not in page


def test_an_answer_leads_back_to_the_page_where_it_was_given(house: WebHouse, ann: Browser) -> None:
    files = house.ask_about_removals()
    place = "/downloads?tab=failed"
    assert f'name="next" value="{place}"' in ann.get(place).text

    answer = ann.press(REMOVALS, gone="no", next=place)

    assert (answer.status_code, answer.location.partition("&done=")[0]) == (303, place)
    assert {house.status(one) for one in files} == {Status.PENDING}
    assert (
        "6 files that were missing on Car stick are downloaded again."
        in ann.get(answer.location).text
    )


def test_what_counts_as_deleted_is_said_and_a_second_press_changes_nothing(
    house: WebHouse, ann: Browser
) -> None:
    house.ask_about_removals()

    first, second = (ann.press(REMOVALS, gone="yes", next="/devices") for _ in range(2))

    told = "6 files that were missing on Car stick count as deleted"
    assert told in ann.get(first.location).text
    assert "Nothing had to be changed." in ann.get(second.location).text


@pytest.mark.parametrize("users", [("ann", "ben")])
def test_whoever_may_not_answer_is_told_and_has_no_button(house: WebHouse, ann: Browser) -> None:
    house.ask_about_removals()

    page = ann.get("/downloads").text

    assert "6 are missing" in page
    assert 'name="gone"' not in page
    assert "Whoever manages this device can answer." in page


def test_the_part_is_fetched_alone_and_only_by_those_whom_it_concerns(
    house: WebHouse, ann: Browser, ben: Browser
) -> None:
    house.ask_about_removals()

    part = ann.get("/alerts?next=/offline%3Fq%3Da").text

    assert "<html" not in part
    assert "6 are missing" in part
    assert 'value="/offline?q=a"' in part
    assert "6 are missing" not in ben.get("/alerts").text
    ann.client.delete_cookie("sidecar_session")
    assert "6 are missing" not in ann.get("/alerts").text


def test_a_plan_that_waits_for_a_yes_leads_to_it(house: WebHouse, ann: Browser) -> None:
    for number in range(1, 11):
        house.add(number, status=Status.COMPLETED, size=BLOCK, rule=AHEAD)
    changes: dict[str, object] = {"budget": BLOCK, "reserve": 0}
    house.services.web.settings.change(ANN, STICK, changes, {})
    house.services.transfers.space.step()

    page = ann.get("/downloads").text

    assert 'role="alert"' in page
    assert 'href="/devices' in page
    assert 'name="gone"' not in page


def test_the_numbers_say_how_many_are_missing(house: WebHouse, ann: Browser) -> None:
    house.add(1, status=Status.COMPLETED)
    assert "Up to date" in ann.get("/devices").text
    house.ask_about_removals()

    pages = {
        path: ann.get(path).text
        for path in ("/devices", f"/devices/{STICK}", "/downloads", "/offline")
    }

    for path, page in pages.items():
        # In the question, and where the device is. How many there should be says only the question.
        assert page.count("6 files are missing") > 1, path
        assert "somebody answers.</p>" in page, path
    assert "Up to date" not in pages["/devices"]
    [stick] = ann.told("/api/v1/devices")["items"]
    assert (stick["files"], stick["missing"]) == (7, 6)


def test_a_missing_file_is_listed_as_missing_and_nowhere_as_completed(
    house: WebHouse, ann: Browser
) -> None:
    gone = house.ask_about_removals()[0]

    def ids(status: str) -> list[int]:
        return [one["id"] for one in ann.told(f"/api/v1/downloads?status={status}")["items"]]

    assert gone.id not in ids("completed")
    assert gone.id in ids("missing")
    told = ann.told(f"/api/v1/downloads/{gone.id}")
    assert told["status"] == "missing"
    assert told["missing_since"] == "2026-11-01T12:00:00.000Z"
    page = ann.get("/downloads?tab=missing").text
    assert f'id="download-{gone.id}"' in page
    assert ">Missing</span>" in page
    assert f'id="download-{gone.id}"' not in ann.get("/downloads?tab=completed").text
    assert "tab=missing" in ann.get(f"/downloads/{gone.id}").location


def test_nothing_is_done_to_all_that_is_missing(ann: Browser) -> None:
    assert ann.press("/downloads/act", tab="missing", action="let_go").status_code == 400


def test_everything_that_is_wrong_stands_once_on_every_page(house: WebHouse, ann: Browser) -> None:
    assert "(1)" not in ann.get("/downloads").text
    house.add(1, status=Status.FAILED)
    house.services.accounts.server.tell(ServerAway("Jellyfin at nas does not answer"))
    house.services.accounts.server.tell(ServerAway("nas:8096 cannot be reached"))

    pages = [ann.get(path).text for path in ("/", "/downloads", "/devices", "/nowhere")]

    for page in pages:
        assert "<title>(2) " in page
        # Two are one line that opens, with the first of them; each stands once below it.
        assert page.count("<strong>2 alerts</strong>") == 1
        assert page.count('id="alert-server-') == 1
        assert page.count("Jellyfin cannot be reached") == 2
        assert page.count('role="alert"') == 1
        assert page.count("1 download failed.") == 1
        assert 'action="/alerts/try"' in page
        assert '<span class="badge">2</span>' in page
        assert "nas" not in page


def test_a_stick_that_is_merely_elsewhere_is_no_alert(house: WebHouse, ann: Browser) -> None:
    house.unplug()

    page = ann.get("/").text

    assert "<title>Home" in page
    assert ">Not available</span>" in page


def test_jellyfin_is_asked_at_once_when_somebody_wants_it(house: WebHouse, ann: Browser) -> None:
    house.services.accounts.server.tell(ServerAway("It does not answer", retry_after_s=60))
    assert "Unknown while Jellyfin cannot be reached" in ann.get("/now").text

    answer = ann.press("/alerts/try", next="/now")

    assert (answer.status_code, answer.location) == (303, "/now")
    page = ann.get("/now").text
    assert "<title>Now playing" in page
    assert "Nothing is playing" in page


def test_who_may_need_not_wait_for_the_next_try(
    house: WebHouse, ann: Browser, eve: Browser
) -> None:
    house.services.transfers.network._look = lambda: Line(LineKind.OTHER, is_metered=True)
    house.clock.advance(60)
    for path in ("/", "/downloads"):
        mine, theirs = (one.get(path).text for one in (ann, eve))
        assert "The network is metered" in mine
        assert "The network is metered" in theirs
        # What all of the household pays for is not for everybody to decide.
        assert 'action="/alerts/fetch"' not in mine
        assert 'action="/alerts/fetch"' in theirs
    assert ann.press("/alerts/fetch").status_code == 403

    assert eve.press("/alerts/fetch", next="/downloads").location == "/downloads"

    assert "The network is metered" not in ann.get("/").text
    problems = house.services.accounts.problems
    problems.note(ProblemKind.SERVER, "files", Problem("blocked", "No file gets through"))
    assert 'action="/alerts/try"' in ann.get("/").text
    assert ann.press("/alerts/try", next="/now").location == "/now"


def test_an_alert_is_for_those_whom_it_concerns(
    house: WebHouse, ann: Browser, ben: Browser
) -> None:
    house.add(1, status=Status.FAILED)
    problems = house.services.accounts.problems
    problems.note(ProblemKind.DEVICE, STICK, Problem("full", "Car stick is full"))

    assert "<title>(2) " in ann.get("/").text
    assert "<title>Home" in ben.get("/").text
    assert "Car stick" not in ben.get("/").text


def test_an_answer_to_another_number_than_was_shown_changes_nothing(
    house: WebHouse, ann: Browser
) -> None:
    files = house.ask_about_removals()
    match = re.search(r'name="shown" value="(\w+)"', ann.get("/devices").text)
    assert match
    house.path(house.row(1)).unlink()
    for _ in range(3):
        house.services.background.removals.rescan(STICK)
        house.look()
        house.clock.advance(GRACE_S + 1)
    assert "7 are missing" in ann.get("/devices").text

    answer = ann.press(REMOVALS, gone="yes", shown=match[1])

    assert "The question has changed since it was shown" in answer.text
    assert "7 are missing" in answer.text
    assert {house.status(one) for one in files} == {Status.COMPLETED}
