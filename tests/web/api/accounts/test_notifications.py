"""People are told where they are, by Apprise over a loopback server; addresses stay secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest

from sidecar.domain.downloads.download import Status
from sidecar.services.health.problems import Problem, ProblemKind
from sidecar.store.backup import copy_database
from tests.fakes.servers.answering import Answering, Reply, answering
from tests.services.conftest import STICK
from tests.web.house import ANN, EVE, Browser, WebHouse

PATH = "/api/v1/notifications"
CANARY = "okapi-0815-canary"


@pytest.fixture
def service() -> Iterator[Answering]:
    """A service that takes messages."""
    with answering({f"POST /{CANARY}": Reply(200)}) as there:
        yield there


def address(service: Answering) -> str:
    return f"json{service.url.removeprefix('http')}/{CANARY}?+X-Password={CANARY}"


def add(browser: Browser, url: str) -> int:
    return browser.send("POST", f"{PATH}/addresses", {"url": url}).status_code


def told(service: Answering) -> list[str]:
    """Return the messages that came, and forget them."""
    found = [json.loads(one.body)["message"] for one in service.asked(f"/{CANARY}")]
    service.requests.clear()
    return found


def pass_time(house: WebHouse, minutes: float = 6) -> None:
    """Let it be looked now and after some minutes, as every half minute."""
    house.services.web.notifier.step()
    house.clock.advance(60 * minutes)
    house.services.web.notifier.step()


def test_an_admin_is_told_once_of_all_that_matters(
    house: WebHouse, eve: Browser, service: Answering
) -> None:
    house.add(9, EVE, status=Status.COMPLETED)
    assert add(eve, address(service)) == 201
    pass_time(house)
    assert told(service) == [], "what was before is not told"

    for number in (1, 2):
        house.add(number, EVE, status=Status.COMPLETED)
    waiting = house.add(3, EVE)
    house.add(4, EVE, status=Status.FAILED)
    pass_time(house)
    assert told(service) == ["1 file could not be downloaded."], "one more is on the way"

    house.add(3, EVE, status=Status.COMPLETED)
    assert house.status(waiting) is Status.COMPLETED
    problems = house.services.accounts.problems
    problems.note(ProblemKind.DEVICE, STICK, Problem("full", "Car stick is full", needed=1))
    problems.note(ProblemKind.ACCOUNT, ANN.user_id, Problem("signed-out", "ann must sign in again"))
    problems.note(ProblemKind.SERVER, "jellyfin", Problem("server-away", "Jellyfin is away"))
    pass_time(house)
    [message] = told(service)
    assert message.splitlines() == [
        "3 new files are on Car stick, and no more are on the way.",
        "Car stick is full.",
        "ann must sign in again.",
    ]
    pass_time(house, 15)
    assert told(service) == ["Jellyfin is away."]
    problems.clear(ProblemKind.DEVICE, STICK)
    pass_time(house, 60)
    problems.note(ProblemKind.ROOM, STICK, Problem("no-room", "2 downloads don't fit on Car stick"))
    pass_time(house)
    assert told(service) == ["2 downloads don't fit on Car stick."]
    pass_time(house, 60)
    assert told(service) == []
    assert eve.send("PATCH", PATH, {"kinds": ["weekly"]}).status_code == 200
    pass_time(house)
    assert told(service) == []
    house.clock.advance(timedelta(days=8).total_seconds())
    pass_time(house)
    assert told(service) == ["The last seven days: 0 files came (0 bytes), 0 went, 0 failed."]


def test_the_own_server_of_who_is_no_admin_any_more_is_told_nothing(
    house: WebHouse, eve: Browser, service: Answering
) -> None:
    assert add(eve, address(service)) == 201
    assert house.store.accounts.may(EVE.user_id, is_admin=False, may_download=True)
    house.add(1, EVE, status=Status.COMPLETED)

    pass_time(house)
    answer = eve.send("POST", f"{PATH}/test")

    assert answer.json == {"refused_by": ["JSON"]}
    assert told(service) == []


def test_a_clock_that_is_put_back_delays_no_message(
    house: WebHouse, eve: Browser, service: Answering
) -> None:
    assert add(eve, address(service)) == 201
    house.add(1, EVE, status=Status.COMPLETED)
    pass_time(house)
    assert len(told(service)) == 1
    house.add(2, EVE, status=Status.FAILED)
    house.services.web.notifier.step()

    house.clock.set_wall(house.clock.now() - timedelta(days=365))
    pass_time(house)

    assert told(service) == ["1 file could not be downloaded."]


def test_quiet_hours_and_deaf_services_only_delay(
    house: WebHouse, eve: Browser, service: Answering
) -> None:
    assert add(eve, address(service)) == 201
    assert eve.send("PATCH", PATH, {"quiet": ["00:00-12:00", "12:00-00:00"]}).status_code == 200
    house.add(1, EVE, status=Status.COMPLETED)
    pass_time(house)
    assert told(service) == []

    eve.send("PATCH", PATH, {"quiet": []})
    service.routes[f"POST /{CANARY}"] = Reply(500)
    pass_time(house, 0)
    assert len(told(service)) == 1
    pass_time(house, 1)
    assert told(service) == [], "it is not asked again at once"
    service.routes[f"POST /{CANARY}"] = Reply(200)
    house.add(2, EVE, status=Status.COMPLETED)
    pass_time(house)
    assert told(service) == ["2 new files are on Car stick, and no more are on the way."]


def test_an_address_is_secret_and_a_door_for_nobody_but_admins(
    house: WebHouse,
    ann: Browser,
    eve: Browser,
    service: Answering,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    inside = address(service)
    assert add(ann, inside) == 422
    assert ann.press("/profile/notifications/addresses", url=inside).status_code == 422
    assert ann.send("POST", f"{PATH}/test").status_code == 422
    assert add(ann, "ntfy://my-topic") == 201
    assert add(eve, inside) == 201
    assert told(service) == []

    sent = eve.press("/profile/notifications/test")
    assert "The test was sent" in sent.text
    assert told(service) == ["This is a test: notifications arrive here."]
    assert eve.send("POST", f"{PATH}/test").status_code == 422, "not twice at once"
    house.clock.advance(10)
    service.routes.clear()
    assert eve.send("POST", f"{PATH}/test").json == {"refused_by": ["JSON"]}

    assert ann.told(PATH)["services"] == ["ntfy"]
    assert eve.told(PATH)["services"] == ["JSON"]
    house.add(1, EVE, status=Status.COMPLETED)
    pass_time(house)
    seen = [eve.get(one).text for one in (PATH, "/profile/notifications", "/api/v1/log", "/admin")]
    seen += [caplog.text, *(line.text for line in house.recent.lines()), sent.text]
    assert not [one for one in seen if CANARY in one]
    data = house.store.db.path
    plain = data.with_name("copy")
    copy_database(data, plain, with_secrets=False)
    assert CANARY.encode() not in b"".join(one.read_bytes() for one in data.parent.glob("*.db*"))
    assert b"notification-addresses" not in plain.read_bytes()

    assert eve.send("DELETE", f"{PATH}/addresses/2").status_code == 404
    assert eve.send("DELETE", f"{PATH}/addresses/1").status_code == 204
    assert eve.told(PATH)["services"] == []


def test_the_page_saves_what_is_ticked(house: WebHouse, ann: Browser) -> None:
    assert ann.press("/profile/notifications", kinds="full", quiet="22:00-06:30").status_code == 303
    assert (ann.told(PATH)["kinds"], ann.told(PATH)["quiet"]) == (["full"], ["22:00-06:30"])
    refused = ann.press("/profile/notifications", quiet="at night")
    assert (refused.status_code, "22:00-06:30, several" in refused.text) == (422, True)
    assert "backup" not in ann.told(PATH)["offered"]
    assert house.store.notifications.newest() == 0
