"""Admins set up webhooks; what happens is sent there, signed, and sent again if it was lost."""

from __future__ import annotations

import hmac
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import jsonschema_rs
import peewee
import pytest

from sidecar.assembly.store import KEY_FILE
from sidecar.domain.downloads.download import Status
from sidecar.domain.notifications.webhooks import MOST_HOOKS, MOST_TRIES, MOST_WAITING, HookEvent
from sidecar.events import Bus, Event
from sidecar.jellyfin.tokens import TokenBox
from sidecar.process.threads import LOOK_ANYWAY_S
from sidecar.services.health.problems import Problem, ProblemKind
from sidecar.services.notifications.webhooks.bodies import PlainData, make_schema
from sidecar.services.notifications.webhooks.webhooks import Webhooks, WebhookView
from sidecar.store.backup import copy_database
from sidecar.store.meta import Meta
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import Answering, Reply, answering
from tests.services.conftest import STICK
from tests.statements import broken
from tests.web.elsewhere.house_and_car import house_and_car
from tests.web.house import EVE, Browser, WebHouse

PATH = "/api/webhook/canary-5b1f7c2e"
EVERY = [str(one) for one in HookEvent if one is not HookEvent.TEST]


@pytest.fixture
def other() -> Iterator[Answering]:
    with answering({f"POST {PATH}": Reply(200)}) as program:
        yield program


def hooks(house: WebHouse) -> Webhooks:
    return house.services.web.webhooks


def only(house: WebHouse) -> WebhookView:
    (one,) = hooks(house).all()
    return one


def add(eve: Browser, other: Answering, events: list[str] = EVERY) -> str:
    """Add the webhook on the page, and return its secret."""
    answer = eve.press("/admin/webhooks", url=other.url + PATH, events=events)
    assert answer.status_code == 201, answer.text
    found = re.search(r'<code class="key">([^<]+)</code>', answer.text)
    assert found is not None
    return found[1]


def bodies(other: Answering) -> list[dict[str, object]]:
    return [json.loads(one.body) for one in other.asked(PATH)]


def events(other: Answering) -> list[object]:
    return [one["event"] for one in bodies(other)]


def test_what_happens_is_sent_signed_and_as_documented(
    house: WebHouse, eve: Browser, ann: Browser, other: Answering
) -> None:
    secret = add(eve, other)
    hooks(house).step()
    assert other.requests == []
    assert hooks(house).rest_s() == LOOK_ANYWAY_S

    house.add(1, status=Status.COMPLETED, artist="The Sines")
    hooks(house).step()
    house.add(2, status=Status.FAILED)
    house.unplug()
    hooks(house).step()
    house.folder.with_name("unplugged").rename(house.folder)
    house.look_at_devices()
    hooks(house).step()
    eve.press(f"/admin/webhooks/{only(house).id}/test")

    assert events(other)[:2] == ["download.completed", "device.ready"]
    assert set(events(other)) >= {
        "download.failed",
        "device.detached",
        "problem.began",
        "device.attached",
        "problem.ended",
        "test",
    }
    for request in other.asked(PATH):
        made = hmac.new(secret.encode(), request.body, "sha256").hexdigest()
        assert request.headers["X-Sidecar-Signature-256"] == f"sha256={made}"
        body = json.loads(request.body)
        jsonschema_rs.validate(make_schema(), body)
        assert request.headers["X-Sidecar-Event"] == body["event"]
        assert request.headers["X-Sidecar-Delivery"] == body["id"]
    first, ready = bodies(other)[:2]
    device = {"id": STICK, "name": "Car stick"}
    assert first["data"] == {
        "download_id": house.row(1).id,
        "item_id": house.row(1).item_id,
        "type": "Audio",
        "title": house.row(1).title,
        "artist": "The Sines",
        "album": house.row(1).album,
        "device": device,
        "bytes": house.row(1).file_size,
        "reason": None,
    }
    assert ready["data"] == {"device": device, "files": 1}


def test_a_device_that_comes_right_after_it_was_set_up_is_told(
    house: WebHouse, eve: Browser, other: Answering
) -> None:
    house.unplug()
    hooks(house).step()
    rings = hooks(house).wakeup.rings

    add(eve, other, ["device.attached"])
    assert hooks(house).wakeup.rings > rings
    hooks(house).step()
    house.folder.with_name("unplugged").rename(house.folder)
    house.look_at_devices()
    hooks(house).step()

    assert events(other) == ["device.attached"]


def test_only_admins_set_them_up_and_no_secret_is_shown_or_kept_plain(
    house: WebHouse, eve: Browser, ann: Browser, other: Answering
) -> None:
    assert ann.get("/admin/webhooks").status_code == 403
    assert ann.press("/admin/webhooks", url=other.url, events=EVERY).status_code == 403
    assert eve.press("/admin/webhooks", url="ftp://x/y", events=EVERY).status_code == 422
    assert eve.press("/admin/webhooks", url=other.url).status_code == 422
    secret = add(eve, other, ["download.failed"])
    page = eve.get("/admin/webhooks").text
    assert other.url.removeprefix("http://") in page
    assert "canary" not in page
    assert secret not in page

    path = house.store.db.path
    for file in (path, path.with_name(f"{path.name}-wal")):
        assert b"canary" not in file.read_bytes()
        assert secret.encode() not in file.read_bytes()
    copy = path.with_name("copy.db")
    copy_database(path, copy, with_secrets=False)
    with closing(sqlite3.connect(copy)) as copied:
        assert copied.execute("SELECT * FROM meta WHERE key = 'webhooks'").fetchall() == []

    again = Webhooks(
        meta=Meta(house.store.db),
        box=TokenBox(path.with_name(KEY_FILE)),
        downloads=house.store.downloads.queries,
        problems=house.services.accounts.problems,
        devices=dict,
        attached=list,
        accounts=dict,
        bus=Bus(),
        clock=house.clock,
    )
    assert again.all() == hooks(house).all()
    hook = only(house).id
    assert eve.press(f"/admin/webhooks/{hook}/events", events="device.ready").status_code == 303
    assert only(house).events == {HookEvent.DEVICE_READY}
    assert eve.press(f"/admin/webhooks/{hook}/remove").status_code == 303
    assert hooks(house).all() == []
    for verb in ("events", "remove", "test"):
        answer = eve.press(f"/admin/webhooks/{hook}/{verb}", events="device.ready")
        assert answer.status_code == 404
    for _ in range(MOST_HOOKS):
        add(eve, other)
    assert eve.press("/admin/webhooks", url=other.url, events=EVERY).status_code == 422


def test_what_is_lost_is_sent_again_in_order_and_later_each_time(
    house: WebHouse, eve: Browser, other: Answering, caplog: pytest.LogCaptureFixture
) -> None:
    add(eve, other, ["download.completed"])
    other.routes[f"POST {PATH}"] = Reply(503)
    for number in (1, 2):
        house.add(number, status=Status.COMPLETED)
    for _ in range(3):
        hooks(house).step()

    assert len(other.requests) == 1
    assert only(house).waiting == 2
    assert "canary" not in caplog.text
    page = eve.get("/admin/webhooks").text
    assert "2 events wait" in page
    assert "It answered 503" in page

    house.clock.advance(10)
    hooks(house).step()
    house.clock.advance(10)
    hooks(house).step()
    assert len(other.requests) == 2
    house.clock.advance(10)
    other.routes[f"POST {PATH}"] = Reply(204)
    hooks(house).step()
    ids = [one["id"] for one in bodies(other)]
    assert ids[0] == ids[1] == ids[2] != ids[3]
    assert only(house).waiting == only(house).lost == 0
    assert "The last event was taken" in eve.get("/admin/webhooks").text


def test_what_happens_while_the_database_fails_is_told_when_it_answers(
    house: WebHouse, eve: Browser, other: Answering
) -> None:
    add(eve, other, ["download.completed", "device.ready"])
    hooks(house).step()
    house.add(1, status=Status.COMPLETED)
    with broken(house.store.db), pytest.raises(peewee.OperationalError):
        hooks(house).step()
    assert hooks(house).rest_s() < LOOK_ANYWAY_S

    hooks(house).step()
    hooks(house).step()

    assert events(other) == ["download.completed", "device.ready"]
    assert bodies(other)[1]["data"]["files"] == 1  # type: ignore[index]  # it is JSON


def test_what_is_not_wanted_or_too_much_is_given_up(
    house: WebHouse, eve: Browser, other: Answering
) -> None:
    add(eve, other, ["download.completed"])
    elsewhere = Reply(302, headers={"Location": f"{other.url}/elsewhere"})
    other.routes[f"POST {PATH}"] = Reply(410)
    house.add(1, status=Status.COMPLETED)
    hooks(house).step()
    assert (only(house).waiting, only(house).lost) == (0, 1)

    other.routes[f"POST {PATH}"] = elsewhere
    hook = hooks(house)._hooks()[only(house).id]
    data = PlainData(text="much")
    for _ in range(MOST_WAITING + 5):
        hooks(house)._queue(
            hook, hooks(house)._write(HookEvent.DOWNLOAD_COMPLETED, house.clock.now(), data)
        )
    assert (only(house).waiting, only(house).lost) == (MOST_WAITING, 6)
    for _ in range(MOST_TRIES):
        hooks(house).step()
        house.clock.advance(3600)
    assert (only(house).waiting, only(house).lost) == (MOST_WAITING - 1, 7)
    assert other.asked("/elsewhere") == []


def test_a_test_says_what_came_of_it(house: WebHouse, eve: Browser, other: Answering) -> None:
    add(eve, other)
    url = f"/admin/webhooks/{only(house).id}/test"
    other.routes[f"POST {PATH}"] = Reply(404)
    assert "The test was not taken: It answered 404" in eve.press(url).text
    assert eve.press(url).status_code == 422
    house.clock.advance(60)
    other.routes[f"POST {PATH}"] = Reply(200)
    assert "The test was taken." in eve.press(url).text
    eve.client.set_cookie("sidecar_language", "de")
    house.clock.advance(60)
    assert "Der Test wurde angenommen." in eve.press(url).text


def test_what_is_set_up_in_one_process_is_told_by_another_also_of_devices_elsewhere(
    tmp_path: Path, clock: FakeClock, other: Answering
) -> None:
    with house_and_car(tmp_path, clock, lambda given: given) as (house, car):
        elsewhere = car.services.web.webhooks
        elsewhere.step()
        told: list[Event] = []
        house.bus.subscribe(told.append)
        add(house.come_in(EVE), other)
        rings = elsewhere.wakeup.rings
        for news in told:
            car.bus.receive(news)
        assert elsewhere.wakeup.rings > rings

        hooks(house).step()
        car.die()
        house.look_at_devices()
        hooks(house).step()
        car.come_back()
        house.look_at_devices()
        hooks(house).step()
        assert [one for one in events(other) if str(one).startswith("device.")] == [
            "device.detached",
            "device.attached",
        ]
        other.requests.clear()
        elsewhere.step()
        car.services.accounts.problems.note(ProblemKind.DEVICE, STICK, Problem("full", "full"))
        elsewhere.step()
        assert events(other) == ["problem.began"]
