from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus

from sidecar.clock import SystemClock
from sidecar.domain.downloads.download import Status
from sidecar.events import (
    AccountChanged,
    DownloadChanged,
    HoldsChanged,
    NoticesChanged,
    Progress,
    TransfersProgressed,
)
from sidecar.services.accounts.person import Person
from sidecar.store.accounts.sessions import derive_csrf_token
from sidecar.web.security.masking import mask
from sidecar.web.server import WebServer
from tests.fakes.clock import FakeClock
from tests.fakes.page import OpenPage
from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S
from tests.services.conftest import STICK
from tests.statements import broken
from tests.web.house import ANN, BEN, EVE, WebHouse, serving, web_house


@pytest.fixture
def house(quick_path: Path, clock: FakeClock) -> Iterator[WebHouse]:
    """A house whose news come in real time."""
    with web_house(quick_path, clock, web_clock=SystemClock()) as built:
        yield built


def page_of(person: Person, server: WebServer, house: WebHouse) -> OpenPage:
    return OpenPage(server.url, cookie=house.begin_session(person))


def test_a_page_gets_a_numbered_snapshot_and_then_every_change(
    house: WebHouse, server: WebServer
) -> None:
    download = house.add(7)
    with page_of(ANN, server, house) as page:
        name, snapshot = page.next()
        house.begin(download)
        change, started = page.next()

    assert (name, snapshot["seq"]) == ("snapshot", 0)
    assert snapshot["counts"] == {
        "pending": 1,
        "downloading": 0,
        "paused": 0,
        "completed": 0,
        "failed": 0,
        "removed": 0,
        "missing": 0,
    }
    assert (change, started["seq"], started["id"]) == ("download:started", 1, download.id)
    told = started["download"]
    assert isinstance(told, dict)
    assert (told["status"], told["title"]) == ("downloading", "Tone 7")


def test_a_snapshot_says_whether_a_page_is_as_new(house: WebHouse, server: WebServer) -> None:
    house.add(7)
    secret = house.begin_session(ANN)

    def shown() -> str:
        cookie = {"sidecar_session": secret}
        page = requests.get(f"{server.url}/downloads", cookies=cookie, timeout=PATIENCE_S).text
        return page.partition('data-version="')[2].partition('"')[0]

    def told() -> object:
        with OpenPage(server.url, cookie=secret) as page:
            return page.next("snapshot")[1]["version"]

    first = shown()
    house.bus.publish(TransfersProgressed(()))
    assert len(first) == 16
    assert told() == first
    house.add(8)
    assert told() == shown() != first


def test_every_move_has_its_message(house: WebHouse, server: WebServer) -> None:
    names = [f"download:{one}" for one in ("queued", "started", "completed", "failed", "removed")]
    with page_of(ANN, server, house) as page:
        page.next("snapshot")

        def heard() -> str:
            return page.next(*names)[0].partition(":")[2]

        one = house.add(1, status=Status.REMOVED)
        assert [heard() for _ in range(4)] == ["queued", "started", "completed", "removed"]
        house.add(2, status=Status.FAILED)
        assert [heard() for _ in range(3)] == ["queued", "started", "failed"]
        house.store.downloads.transitions.want_again(one, user_id=ANN.user_id)
        assert heard() == "queued"
        house.store.downloads.queue.cancel(house.now(one))
        assert heard() == "removed"


def test_what_could_not_be_told_is_in_a_snapshot_once_the_database_answers_again(
    house: WebHouse, server: WebServer, caplog: pytest.LogCaptureFixture
) -> None:
    download = house.add(7)
    with page_of(ANN, server, house) as page:
        page.next("snapshot")
        with house.store.db.write():
            house.store.db.sql("UPDATE downloads SET title = 'Another'")
        with broken(house.store.db):
            house.bus.publish(DownloadChanged(download, Status.PENDING, Status.PENDING))
            wait_until(lambda: "telling open pages failed" in caplog.text)
        told = page.next("snapshot")[1]

    assert "Another" in str(told["downloads"])


def test_what_is_as_in_the_last_snapshot_again_is_told_to_who_heard_otherwise_since(
    house: WebHouse, server: WebServer, caplog: pytest.LogCaptureFixture
) -> None:
    download = house.add(7)
    with page_of(ANN, server, house) as page:
        before = page.next("snapshot")[1]["downloads"]
        house.store.downloads.transitions.pause(download)
        page.next("download:queued")
        with house.store.db.write():
            house.store.db.sql("UPDATE downloads SET status = 'pending'")
        with broken(house.store.db):
            house.bus.publish(DownloadChanged(download, Status.PAUSED, Status.PENDING))
            wait_until(lambda: "telling open pages failed" in caplog.text)

        assert page.next("snapshot")[1]["downloads"] == before


def test_a_page_that_opens_meanwhile_takes_nothing_from_the_others(
    house: WebHouse, server: WebServer
) -> None:
    house.add(7)
    with page_of(ANN, server, house) as page:
        page.next("snapshot")
        # The next snapshot waits for two seconds.
        house.bus.publish(HoldsChanged(STICK))
        with house.store.db.write():
            house.store.db.sql("UPDATE downloads SET title = 'Another'")
        house.bus.publish(HoldsChanged(STICK))
        with page_of(ANN, server, house) as other:
            assert "Another" in str(other.next("snapshot")[1]["downloads"])

        assert "Another" in str(page.next("snapshot")[1]["downloads"])


def test_nobody_hears_of_what_others_listen_to(house: WebHouse, server: WebServer) -> None:
    secret = "A secret of ann's"
    with page_of(BEN, server, house) as ben, page_of(ANN, server, house) as ann:
        messages = [ben.next("snapshot")]
        ann.next("snapshot")
        download = house.add(7, title=secret, status=Status.DOWNLOADING)
        house.transfer({download.id: 50}, seconds=2)
        ann.next("download:progress")
        house.store.downloads.queue.cancel(house.now(download))
        ann.next("download:removed")
        house.bus.publish(NoticesChanged())
        while messages[-1][0] != "notice":
            messages.append(ben.next())

    # What is free on the stick concerns whoever uses it.
    assert {name for name, _ in messages} <= {"snapshot", "device", "notice"}
    assert not any(one.get("downloads") or one.get("transfers") for _, one in messages)
    assert secret not in str(messages)


def test_an_administrator_hears_of_everything_with_its_owners(
    house: WebHouse, server: WebServer
) -> None:
    with page_of(EVE, server, house) as page:
        page.next("snapshot")
        house.add(7)
        _, message = page.next("download:queued")

    told = message["download"]
    assert isinstance(told, dict)
    assert told["owners"] == ["ann"]


def test_progress_comes_at_most_twice_a_second_and_the_last_state_always(
    house: WebHouse, server: WebServer
) -> None:
    first, second = (house.add(number, status=Status.DOWNLOADING) for number in (7, 8))
    with page_of(ANN, server, house) as page:
        page.next("snapshot")
        started = time.monotonic()
        for held in range(1, 101):
            house.bus.publish(
                TransfersProgressed(
                    (
                        Progress(first.id, held, 100, 5.0, None),
                        Progress(second.id, held, None, 6.0, None),
                    )
                )
            )
        messages = [page.next("download:progress")[1]]
        while messages[-1]["transfers"][0]["bytes_downloaded"] < 100:  # type: ignore[index]  # JSON
            messages.append(page.next("download:progress")[1])
        took = time.monotonic() - started

    assert len(messages) <= 2 + took * 2
    assert messages[-1]["speed"] == 11.0
    assert messages[-1]["transfers"] == [
        {
            "id": first.id,
            "progress": 1.0,
            "bytes_downloaded": 100,
            "expected_size": 100,
            "speed": 5.0,
            "seconds_left": None,
            "phase": "fetching",
        },
        {
            "id": second.id,
            "progress": 0.0,
            "bytes_downloaded": 100,
            "expected_size": None,
            "speed": 6.0,
            "seconds_left": None,
            "phase": "fetching",
        },
    ]


def test_the_page_hears_that_the_last_transfer_is_over(house: WebHouse, server: WebServer) -> None:
    download = house.add(7, status=Status.DOWNLOADING)
    with page_of(ANN, server, house) as page:
        page.next("snapshot")
        house.transfer({download.id: 50}, seconds=2)
        page.next("download:progress")
        house.services.transfers.progress.end(download.id)
        house.services.transfers.progress.tell()

        assert page.next("download:progress")[1]["transfers"] == []


def test_devices_and_notices_are_told(house: WebHouse, server: WebServer) -> None:
    house.add(1, status=Status.COMPLETED)
    with page_of(ANN, server, house) as page:
        page.next("snapshot")
        house.unplug()
        told = dict(page.next("device", "notice") for _ in range(2))

    away = "Car stick is not there: plug it in and it goes on by itself"
    assert told["device"]["device"] == {
        "id": STICK,
        "name": "Car stick",
        "trouble": away,
        "budget": None,
        "used": 1_000_000,
        "free": None,
        "total": None,
        "paused": False,
        "unplugged": False,
        "files": 1,
        "missing": 0,
        "managers": [],
        "machine": None,
        "told_at": None,
        "may_manage": False,
        "takes": ["audiobooks", "films", "music", "music_videos", "series"],
    }
    assert told["notice"]["notices"] == [{"kind": "device", "level": "warning", "text": away}]


def test_what_a_hold_brings_into_view_is_told_with_a_snapshot(house: WebHouse) -> None:
    download = house.add(7, BEN)
    with serving(house.web) as server, page_of(ANN, server, house) as page:
        page.next("snapshot")
        house.want(7, ANN, rule="favourites")
        name, message = page.next()

    assert (name, message["seq"]) == ("snapshot", 1)
    assert [one["id"] for one in message["downloads"]] == [download.id]  # type: ignore[attr-defined]  # JSON


def test_a_stranger_cannot_open_a_connection(server: WebServer) -> None:
    with pytest.raises(InvalidStatus, match="401"):
        OpenPage(server.url)
    with pytest.raises(InvalidStatus, match="401"):
        OpenPage(server.url, cookie="guessed")
    with pytest.raises(InvalidStatus, match="401"):
        OpenPage(server.url, key="guessed")


def test_a_program_with_a_key_may_listen(house: WebHouse, server: WebServer) -> None:
    _, key = house.store.api_keys.create(ANN.user_id, "A program")
    with OpenPage(server.url, key=key) as page:
        assert page.next()[0] == "snapshot"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_site_cannot_open_a_connection(
    house: WebHouse, server: WebServer, origin: str
) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        OpenPage(server.url, cookie=house.begin_session(ANN), headers={"Origin": origin})


def test_our_own_page_may(house: WebHouse, server: WebServer) -> None:
    cookie = house.begin_session(ANN)
    with OpenPage(server.url, cookie=cookie, headers={"Origin": server.url}) as page:
        assert page.next()[0] == "snapshot"


def test_a_name_that_leads_here_by_dns_rebinding_opens_nothing(
    house: WebHouse, server: WebServer
) -> None:
    answer = requests.get(
        f"{server.url}/socket.io/?EIO=4&transport=polling",
        headers={
            "Host": "evil.example",
            "Origin": "http://evil.example",
            "Cookie": f"sidecar_session={house.begin_session(ANN)}",
        },
        timeout=PATIENCE_S,
    )

    assert answer.status_code == 400


def test_signing_out_closes_the_session_s_pages_and_no_others(
    house: WebHouse, server: WebServer
) -> None:
    secret = house.begin_session(ANN)
    with (
        OpenPage(server.url, cookie=secret) as gone,
        page_of(ANN, server, house) as stays,
    ):
        gone.next("snapshot")
        stays.next("snapshot")
        answer = requests.delete(
            f"{server.url}/api/v1/session",
            headers={"X-Sidecar-CSRF": mask(derive_csrf_token(secret))},
            cookies={"sidecar_session": secret},
            timeout=PATIENCE_S,
        )

        assert answer.status_code == 204
        assert gone.closed()
        house.bus.publish(NoticesChanged())
        assert stays.next()[0] == "notice"


def test_who_is_no_administrator_any_more_hears_no_more(house: WebHouse, server: WebServer) -> None:
    with page_of(EVE, server, house) as page:
        page.next("snapshot")
        eve = house.store.accounts.get(EVE.user_id)
        assert eve is not None
        house.store.accounts.save(replace(eve, is_admin=False))
        house.bus.publish(AccountChanged(EVE.user_id))

        assert page.closed()


@pytest.mark.parametrize("packet", ['42["join","admins"]', '42["pause",7]'])
def test_whoever_sends_a_command_is_cut_off(
    house: WebHouse, server: WebServer, packet: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), page_of(ANN, server, house) as page:
        page.next("snapshot")
        page.send(packet)

        assert page.closed()
    assert "takes nothing" in caplog.text


def test_a_message_over_the_limit_ends_the_connection(house: WebHouse, server: WebServer) -> None:
    with page_of(ANN, server, house) as page:
        page.next("snapshot")
        page.send('42["x","' + "y" * 200_000 + '"]')

        assert page.closed()


@pytest.mark.parametrize("packet", ["garbage", "4", "42[", "99", "451-[]"])
def test_garbage_harms_nobody(house: WebHouse, server: WebServer, packet: str) -> None:
    with page_of(ANN, server, house) as bad:
        bad.next("snapshot")
        # The connection is closed by both, in order: what was sent before has been read then.
        with suppress(ConnectionClosed):
            bad.send(packet)

    with page_of(ANN, server, house) as good:
        assert good.next()[0] == "snapshot"


def test_one_session_cannot_open_endless_connections(house: WebHouse, server: WebServer) -> None:
    cookie = house.begin_session(ANN)
    pages = [OpenPage(server.url, cookie=cookie) for _ in range(10)]

    with pytest.raises(InvalidStatus, match="503"):
        OpenPage(server.url, cookie=cookie)
    assert pages[0].next()[0] == "snapshot"
    for page in pages:
        page.leave()


def test_polling_works_where_a_proxy_knows_no_websockets(
    house: WebHouse, server: WebServer
) -> None:
    with requests.Session() as browser:
        browser.cookies.set("sidecar_session", house.begin_session(ANN))
        address = f"{server.url}/socket.io/?EIO=4&transport=polling"
        opened = browser.get(address, timeout=PATIENCE_S).text
        sid = opened.split('"sid":"')[1].split('"')[0]
        browser.post(f"{address}&sid={sid}", data="40", timeout=PATIENCE_S)
        heard = browser.get(f"{address}&sid={sid}", timeout=PATIENCE_S).text
        if "snapshot" not in heard:
            heard += browser.get(f"{address}&sid={sid}", timeout=PATIENCE_S).text

    assert '42["snapshot"' in heard


@pytest.mark.parametrize("nonsense", ["9", "x", "40\x1e" * 40])
def test_nonsense_while_news_wait_to_be_fetched_holds_no_thread(
    house: WebHouse, server: WebServer, nonsense: str
) -> None:
    with requests.Session() as browser:
        browser.cookies.set("sidecar_session", house.begin_session(ANN))
        address = f"{server.url}/socket.io/?EIO=4&transport=polling"
        opened = browser.get(address, timeout=PATIENCE_S).text
        sid = opened.split('"sid":"')[1].split('"')[0]
        browser.post(f"{address}&sid={sid}", data="40", timeout=PATIENCE_S)

        answer = browser.post(f"{address}&sid={sid}", data=nonsense, timeout=PATIENCE_S)

        assert answer.status_code < 500
