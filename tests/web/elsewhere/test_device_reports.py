"""What the machine of a device knows of it is on the pages of another, and answered there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path

import pytest

from sidecar.config import Settings
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.files.removals import GRACE_S
from sidecar.domain.rules.queue_ahead import NAME as AHEAD
from sidecar.events import DeviceChanged, DownloadChanged, Event, NoticesChanged, Sender
from sidecar.services.health.problems import ProblemKind
from sidecar.services.processes.findings import LEAST_REST_S
from sidecar.services.space import planner
from tests.fakes.clock import FakeClock
from tests.services.conftest import STICK
from tests.web.elsewhere.house_and_car import Car, hear, house_and_car
from tests.web.house import ANN, BEN, Browser, WebHouse, only_for, web_house

BLOCK = 4096
PLAN = f"/api/v1/devices/{STICK}/plan"


def small(settings: Settings) -> Settings:
    """Let Ann's stick hold ten blocks at most."""
    limits = {"budget": 10 * BLOCK, "reserve": 0}
    devices = tuple(one.model_copy(update=limits) for one in settings.devices)
    return only_for("ann")(settings.model_copy(update={"devices": devices}))


@pytest.fixture
def both(quick_path: Path, clock: FakeClock) -> Iterator[tuple[WebHouse, Car]]:
    with house_and_car(quick_path, clock, small) as built:
        yield built


@pytest.fixture
def house(both: tuple[WebHouse, Car]) -> WebHouse:
    return both[0]


@pytest.fixture
def car(both: tuple[WebHouse, Car]) -> Car:
    return both[1]


def fill(house: WebHouse, count: int) -> list[Download]:
    """Let there be files that may go."""
    with house.store.db.write():
        return [
            house.add(number, status=Status.COMPLETED, size=2 * BLOCK, rule=AHEAD)
            for number in range(1, count + 1)
        ]


def test_the_plan_of_a_device_elsewhere_is_shown_and_confirmed_here(
    house: WebHouse, car: Car, ann: Browser, clock: FakeClock
) -> None:
    assert "is on car" in ann.get("/devices").text, "nothing is told yet"
    files = fill(house, 11)

    car.tell()
    clock.advance(120)
    car.look()
    hear(house)

    page = ann.get("/devices").text
    assert "As car said just now" in page
    assert "To be removed: 6" in page
    assert "6 files would be removed from Car stick" in page
    assert "To be removed next" in ann.get("/offline/next").text
    assert "Tone 1" in ann.get("/offline/next").text
    told = ann.told(PLAN)
    assert (told["machine"], told["files_removed"], told["needs_confirmation"]) == ("car", 6, True)
    assert told["space"]["most"] == 10 * BLOCK
    assert len(told["removals"]) == 6
    ann.press(f"/devices/{STICK}/confirm", plan_id=told["plan_id"])
    assert "Asked car to remove the files that the plan of Car stick names" in page_of(ann)
    car.work()
    car.tell()
    clock.advance(LEAST_REST_S + 1)
    car.tell()
    hear(house)

    assert sum(house.status(one) is Status.REMOVED for one in files) == 6
    assert ann.told(PLAN)["removals"] == []
    assert "would be removed" not in page_of(ann)


def page_of(browser: Browser) -> str:
    return browser.get("/").text


def test_who_may_not_see_a_file_does_not_see_it_in_a_plan_that_was_told(
    house: WebHouse, car: Car, ann: Browser, ben: Browser
) -> None:
    fill(house, 11)
    car.tell()
    hear(house)

    assert ben.send("GET", PLAN).status_code == HTTPStatus.NOT_FOUND
    assert "Car stick" not in ben.get("/devices").text
    assert [one["title"] for one in ann.told(PLAN)["removals"]] == [
        f"Tone {number}" for number in range(1, 7)
    ]


def test_a_long_plan_is_told_by_its_first_lines_and_counted_whole(
    house: WebHouse, car: Car, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "MOST_TOLD", 2)
    fill(house, 11)

    car.tell()
    hear(house)

    told = ann.told(PLAN)
    assert (len(told["removals"]), told["files_removed"]) == (2, 6)
    assert told["bytes_removed"] == 6 * 2 * BLOCK
    page = ann.get("/devices").text
    assert "To be removed: 6" in page
    assert "Remove these 6 files" in page


def test_why_a_file_waits_at_another_machine_is_explained_here(
    house: WebHouse, car: Car, ann: Browser
) -> None:
    for number in range(1, 6):
        house.add(number, status=Status.COMPLETED, size=2 * BLOCK)
    waits = house.add(6, size=2 * BLOCK)
    why = f"/api/v1/devices/{STICK}/items/{waits.item_id}/why"
    assert "used up" not in ann.get(why).text

    car.tell()
    hear(house)

    assert "The storage limit of Car stick is used up" in ann.get(why).text
    assert "fit on Car stick: everything on it has" in page_of(ann), "a notice, as there"
    assert house.services.accounts.problems.of(ProblemKind.ROOM, STICK) is not None

    car.die()
    hear(house)
    assert "used up" not in ann.get(why).text, "what it told goes with its lease"
    assert house.services.accounts.problems.of(ProblemKind.ROOM, STICK) is None


def test_a_question_about_missing_files_is_asked_and_answered_here(
    house: WebHouse, car: Car, ann: Browser, clock: FakeClock
) -> None:
    files = [house.add(number, status=Status.COMPLETED, size=1) for number in range(1, 11)]
    car.tell()
    for one in files[:6]:
        house.path(one).unlink()
    for _ in range(2):
        car.services.background.removals.rescan(STICK)
        car.tell()
        clock.advance(GRACE_S + 1)
    car.services.background.removals.rescan(STICK)
    car.tell()
    hear(house)

    question = "Of 10 files on Car stick, 6 are missing. Did you delete them?"
    assert question in page_of(ann)
    asked = ann.told(f"/api/v1/devices/{STICK}/removals")["question"]
    assert (asked["gone"], asked["edited"], asked["total"]) == (6, 0, 10)
    assert files[0].file_path in asked["examples"] or len(asked["examples"]) == 5
    conditions = house.services.web.notices.questions(ANN)
    assert [one.missing for one in conditions] == [6]
    assert house.services.web.notices.questions(BEN) == []

    ann.press(f"/devices/{STICK}/removals", gone="yes")
    assert "Asked car to take your answer" in page_of(ann)
    car.work()
    car.tell()
    hear(house)

    assert sum(house.status(one) is Status.REMOVED for one in files) == 6
    assert question not in page_of(ann)
    assert "Your answer counts for 6 files" in page_of(ann)


def test_an_answer_that_comes_late_concerns_only_what_was_asked_when_it_was_given(
    house: WebHouse, car: Car, ann: Browser, clock: FakeClock
) -> None:
    files = [house.add(number, status=Status.COMPLETED, size=1) for number in range(1, 21)]
    car.tell()

    def lose(some: Sequence[Download]) -> None:
        for one in some:
            house.path(one).unlink()
        for _ in range(3):
            car.services.background.removals.rescan(STICK)
            car.tell()
            clock.advance(GRACE_S + 1)
        hear(house)

    lose(files[:6])
    ann.press(f"/devices/{STICK}/removals", gone="yes")
    # Its machine looks again before it takes the answer.
    lose(files[6:])
    car.work()

    assert {house.status(one) for one in files[:6]} == {Status.REMOVED}
    assert {house.status(one) for one in files[6:]} == {Status.COMPLETED}


def test_what_the_network_of_another_machine_lets_through_is_said_here(
    house: WebHouse, car: Car, ann: Browser
) -> None:
    car.services.transfers.network.pause(paused=True)
    waits = house.add(1)

    car.tell()

    said = ann.told("/api/v1/transfers")
    assert [one["own_only"] for one in said["devices"]] == [True]
    paused = "Automatic downloads are paused"
    assert paused in ann.get(f"/api/v1/devices/{STICK}/items/{waits.item_id}/why").text
    assert paused in page_of(ann)


def test_pages_look_again_when_another_machine_tells_something_else(
    house: WebHouse, car: Car, clock: FakeClock
) -> None:
    heard: list[Event] = []

    def hear_reports(news: Event) -> None:
        if not isinstance(news, DownloadChanged):
            heard.append(news)

    house.bus.subscribe(hear_reports, Sender.ELSEWHERE)
    fill(house, 5)
    car.tell()
    hear(house)
    assert {DeviceChanged(STICK), NoticesChanged()} == {*heard}

    heard.clear()
    clock.advance(LEAST_REST_S + 1)
    car.tell()
    hear(house)
    assert heard == [], "what is as it was is not written again"

    house.add(6, status=Status.COMPLETED, size=2 * BLOCK, rule=AHEAD)
    car.services.transfers.space.hear(DeviceChanged(STICK))
    car.tell()
    hear(house)
    assert heard
    heard.clear()
    house.add(7, status=Status.COMPLETED, size=2 * BLOCK, rule=AHEAD)
    car.services.transfers.space.hear(DeviceChanged(STICK))
    car.tell()
    hear(house)
    assert heard == [], "a report rests a while"
    clock.advance(LEAST_REST_S + 1)
    car.tell()
    hear(house)
    assert heard


def test_a_process_that_comes_back_as_another_one_tells_everything_again(
    house: WebHouse, car: Car, ann: Browser
) -> None:
    fill(house, 11)
    car.tell()
    car.die()
    hear(house)
    assert ann.told(PLAN)["plan_id"] is None

    car.come_back()
    car.tell()
    hear(house)

    assert ann.told(PLAN)["files_removed"] == 6


def test_a_report_of_another_version_is_passed_over(
    house: WebHouse, car: Car, ann: Browser
) -> None:
    car.tell()
    car.store.findings.put("plan", 99, {STICK: '{"an": "older form"}'})

    told = ann.told(PLAN)

    assert told["plan_id"] is None
    assert "is on car" in told["trouble"]


def test_who_is_alone_tells_nobody_and_asks_nobody(quick_path: Path, clock: FakeClock) -> None:
    with web_house(quick_path, clock, change=small) as alone:
        assert alone.services.transfers.outlook == alone.services.transfers.space.outlook
        assert alone.store.db.sql("SELECT * FROM findings") == []


def test_how_far_a_transfer_of_another_machine_is_shown_without_redis(
    house: WebHouse, car: Car, ann: Browser, clock: FakeClock
) -> None:
    running = house.add(1, status=Status.DOWNLOADING, size=4000)
    progress = car.services.transfers.progress
    progress.begin(running.id, held=0, size=4000)
    progress.tell()
    clock.advance(10)
    progress.moved(running.id, 1000)
    progress.tell()

    car.tell()
    hear(house)

    [shown] = house.services.transfers.progress.last()
    assert (shown.download_id, shown.bytes_held, shown.size) == (running.id, 1000, 4000)
    assert ann.told(f"/api/v1/downloads/{running.id}")["bytes_downloaded"] == 1000

    progress.end(running.id)
    progress.tell()
    clock.advance(LEAST_REST_S + 1)
    car.tell()
    hear(house)
    assert house.services.transfers.progress.last() == ()


def test_what_redis_tells_of_transfers_is_not_written_as_well(house: WebHouse, car: Car) -> None:
    running = house.add(1, status=Status.DOWNLOADING, size=4000)
    car.bus.connect(lambda: True)
    car.services.transfers.progress.begin(running.id, held=0, size=4000)
    car.services.transfers.progress.tell()

    car.tell()
    hear(house)

    assert house.services.transfers.progress.last() == ()
