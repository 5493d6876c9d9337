from __future__ import annotations

import logging
import time
from dataclasses import replace

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus

from sidecar.domain.downloads.states import Download, Status
from sidecar.events import (
    AccountChanged,
    Bus,
    DeviceChanged,
    DownloadChanged,
    HoldsChanged,
    NoticesChanged,
    Progress,
    TransfersProgressed,
)
from sidecar.services.accounts.person import Person
from sidecar.services.devices.views import DeviceView
from sidecar.services.notices import Notice
from sidecar.web.server import WebServer
from tests.fakes.desk import ANN, BEN, EVE, QUEUED_AT, FakeDesk, a_download
from tests.fakes.page import OpenPage

DOWNLOAD = Download(
    id=7,
    item_id=f"{7:032x}",
    device_id="stick",
    user_id=ANN.user_id,
    status=Status.DOWNLOADING,
    title="Track 7",
    item_type="Audio",
    artist=None,
    album=None,
    album_id=None,
    image_item_id=None,
    image_tag=None,
    source_etag=None,
    file_path="Track 7.flac",
    file_size=None,
    mime_type=None,
    expected_size=100,
    bytes_downloaded=0,
    validator=None,
    finalizing=False,
    priority=0,
    error_code=None,
    error_message=None,
    retry_count=0,
    retry_next_at=None,
    queued_at=QUEUED_AT,
    started_at=None,
    completed_at=None,
    last_used_seq=0,
    content_hash=None,
    format="original",
)


def page_of(person: Person, server: WebServer, desk: FakeDesk) -> OpenPage:
    return OpenPage(server.url, cookie=desk.begin(person).secret)


def test_a_page_gets_a_numbered_snapshot_and_then_every_change(
    server: WebServer, desk: FakeDesk, bus: Bus
) -> None:
    desk.add(a_download(7))
    with page_of(ANN, server, desk) as page:
        name, snapshot = page.next()
        desk.change(7, status=Status.DOWNLOADING)
        bus.publish(DownloadChanged(DOWNLOAD, Status.PENDING, Status.DOWNLOADING))
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
    assert (change, started["seq"], started["id"]) == ("download:started", 1, 7)
    told = started["download"]
    assert isinstance(told, dict)
    assert (told["status"], told["title"]) == ("downloading", "Track 7")


@pytest.mark.parametrize(
    ("now", "name"),
    [
        (Status.PENDING, "download:queued"),
        (Status.DOWNLOADING, "download:started"),
        (Status.COMPLETED, "download:completed"),
        (Status.FAILED, "download:failed"),
        (Status.REMOVED, "download:removed"),
        (None, "download:removed"),
    ],
)
def test_every_move_has_its_message(
    server: WebServer, desk: FakeDesk, bus: Bus, now: Status | None, name: str
) -> None:
    desk.add(a_download(7))
    with page_of(ANN, server, desk) as page:
        page.next("snapshot")
        bus.publish(DownloadChanged(DOWNLOAD, Status.PENDING, now))

        assert page.next()[0] == name


def test_nobody_hears_of_what_others_listen_to(server: WebServer, desk: FakeDesk, bus: Bus) -> None:
    desk.add(a_download(7, title="A secret of ann's"))
    with page_of(BEN, server, desk) as ben, page_of(ANN, server, desk) as ann:
        _, snapshot = ben.next("snapshot")
        ann.next("snapshot")
        bus.publish(DownloadChanged(DOWNLOAD, None, Status.PENDING))
        bus.publish(TransfersProgressed((Progress(7, 50, 100, 25.0, 2.0),)))
        bus.publish(DownloadChanged(DOWNLOAD, Status.PENDING, None))
        bus.publish(HoldsChanged("stick", DOWNLOAD.item_id))
        ann.next("download:removed")
        bus.publish(NoticesChanged())

        name, message = ben.next()

    assert snapshot["downloads"] == []
    assert (name, message["seq"]) == ("notice", 1)


def test_an_administrator_hears_of_everything_with_its_owners(
    server: WebServer, desk: FakeDesk, bus: Bus
) -> None:
    desk.add(a_download(7))
    with page_of(EVE, server, desk) as page:
        page.next("snapshot")
        bus.publish(DownloadChanged(DOWNLOAD, None, Status.PENDING))
        _, message = page.next("download:queued")

    told = message["download"]
    assert isinstance(told, dict)
    assert told["owners"] == ["ann"]


def test_progress_comes_at_most_twice_a_second_and_the_last_state_always(
    server: WebServer, desk: FakeDesk, bus: Bus
) -> None:
    desk.add(a_download(7, status=Status.DOWNLOADING), a_download(8, status=Status.DOWNLOADING))
    with page_of(ANN, server, desk) as page:
        page.next("snapshot")
        started = time.monotonic()
        for held in range(1, 101):
            bus.publish(
                TransfersProgressed(
                    (Progress(7, held, 100, 5.0, None), Progress(8, held, None, 6.0, None))
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
            "id": 7,
            "progress": 1.0,
            "bytes_downloaded": 100,
            "expected_size": 100,
            "speed": 5.0,
            "seconds_left": None,
            "phase": "fetching",
        },
        {
            "id": 8,
            "progress": 0.0,
            "bytes_downloaded": 100,
            "expected_size": None,
            "speed": 6.0,
            "seconds_left": None,
            "phase": "fetching",
        },
    ]


def test_the_page_hears_that_the_last_transfer_is_over(
    server: WebServer, desk: FakeDesk, bus: Bus
) -> None:
    desk.add(a_download(7, status=Status.DOWNLOADING))
    with page_of(ANN, server, desk) as page:
        page.next("snapshot")
        bus.publish(TransfersProgressed((Progress(7, 1, 2, 1.0, 1.0),)))
        page.next("download:progress")
        bus.publish(TransfersProgressed(()))

        assert page.next("download:progress")[1]["transfers"] == []


def test_devices_and_notices_are_told(server: WebServer, desk: FakeDesk, bus: Bus) -> None:
    with page_of(ANN, server, desk) as page:
        page.next("snapshot")
        desk.shelf = (DeviceView("stick", "Car stick", "", None, 100, 40, 60, 120),)
        bus.publish(DeviceChanged("stick"))
        desk.told = (Notice("server", "error", "The server is away"),)
        bus.publish(NoticesChanged())
        _, device = page.next("device")
        _, notice = page.next("notice")

    assert device["device"] == {
        "id": "stick",
        "name": "Car stick",
        "trouble": None,
        "budget": 100,
        "used": 40,
        "free": 60,
        "total": 120,
        "paused": False,
        "unplugged": False,
        "files": 0,
        "missing": 0,
        "managers": [],
        "may_manage": False,
    }
    assert notice["notices"] == [{"kind": "server", "level": "error", "text": "The server is away"}]


def test_what_a_hold_brings_into_view_is_told_with_a_snapshot(
    server: WebServer, desk: FakeDesk, bus: Bus
) -> None:
    with page_of(ANN, server, desk) as page:
        page.next("snapshot")
        desk.add(a_download(7))
        bus.publish(HoldsChanged("stick", DOWNLOAD.item_id))
        name, message = page.next()

    assert (name, message["seq"]) == ("snapshot", 1)
    assert [one["id"] for one in message["downloads"]] == [7]  # type: ignore[attr-defined]  # JSON


def test_a_stranger_cannot_open_a_connection(server: WebServer) -> None:
    with pytest.raises(InvalidStatus, match="401"):
        OpenPage(server.url)
    with pytest.raises(InvalidStatus, match="401"):
        OpenPage(server.url, cookie="guessed")
    with pytest.raises(InvalidStatus, match="401"):
        OpenPage(server.url, key="guessed")


def test_a_program_with_a_key_may_listen(server: WebServer, desk: FakeDesk) -> None:
    desk.keys["the-key"] = ANN
    with OpenPage(server.url, key="the-key") as page:
        assert page.next()[0] == "snapshot"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_site_cannot_open_a_connection(
    server: WebServer, desk: FakeDesk, origin: str
) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        OpenPage(server.url, cookie=desk.begin(ANN).secret, headers={"Origin": origin})


def test_our_own_page_may(server: WebServer, desk: FakeDesk) -> None:
    cookie = desk.begin(ANN).secret
    with OpenPage(server.url, cookie=cookie, headers={"Origin": server.url}) as page:
        assert page.next()[0] == "snapshot"


def test_a_name_that_leads_here_by_dns_rebinding_opens_nothing(
    server: WebServer, desk: FakeDesk
) -> None:
    answer = requests.get(
        f"{server.url}/socket.io/?EIO=4&transport=polling",
        headers={
            "Host": "evil.example",
            "Origin": "http://evil.example",
            "Cookie": f"sidecar_session={desk.begin(ANN).secret}",
        },
        timeout=10,
    )

    assert answer.status_code == 400


def test_signing_out_closes_the_session_s_pages_and_no_others(
    server: WebServer, desk: FakeDesk, bus: Bus
) -> None:
    visit = desk.begin(ANN)
    with (
        OpenPage(server.url, cookie=visit.secret) as gone,
        page_of(ANN, server, desk) as stays,
    ):
        gone.next("snapshot")
        stays.next("snapshot")
        answer = requests.delete(
            f"{server.url}/api/v1/session",
            headers={"X-Sidecar-CSRF": visit.csrf},
            cookies={"sidecar_session": visit.secret},
            timeout=10,
        )

        assert answer.status_code == 204
        assert gone.closed(within_s=5)
        bus.publish(NoticesChanged())
        assert stays.next()[0] == "notice"


def test_who_is_no_administrator_any_more_hears_no_more(
    server: WebServer, desk: FakeDesk, bus: Bus
) -> None:
    with page_of(EVE, server, desk) as page:
        page.next("snapshot")
        desk.people["eve"] = replace(EVE, is_admin=False)
        bus.publish(AccountChanged(EVE.user_id))

        assert page.closed(within_s=5)


@pytest.mark.parametrize("packet", ['42["join","admins"]', '42["pause",7]'])
def test_whoever_sends_a_command_is_cut_off(
    server: WebServer, desk: FakeDesk, packet: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), page_of(ANN, server, desk) as page:
        page.next("snapshot")
        page.send(packet)

        assert page.closed(within_s=5)
    assert "takes nothing" in caplog.text


def test_a_message_over_the_limit_ends_the_connection(server: WebServer, desk: FakeDesk) -> None:
    with page_of(ANN, server, desk) as page:
        page.next("snapshot")
        page.send('42["x","' + "y" * 200_000 + '"]')

        assert page.closed(within_s=5)


@pytest.mark.parametrize("packet", ["garbage", "4", "42[", "99", "451-[]"])
def test_garbage_harms_nobody(server: WebServer, desk: FakeDesk, packet: str) -> None:
    with page_of(ANN, server, desk) as bad:
        bad.next("snapshot")
        try:
            bad.send(packet)
            bad.closed(within_s=0.2)
        except ConnectionClosed:
            pass

    with page_of(ANN, server, desk) as good:
        assert good.next()[0] == "snapshot"


def test_one_session_cannot_open_endless_connections(server: WebServer, desk: FakeDesk) -> None:
    cookie = desk.begin(ANN).secret
    pages = [OpenPage(server.url, cookie=cookie) for _ in range(11)]

    assert pages[-1].closed(within_s=5)
    assert pages[0].next()[0] == "snapshot"
    for page in pages:
        page.leave()


def test_polling_works_where_a_proxy_knows_no_websockets(server: WebServer, desk: FakeDesk) -> None:
    with requests.Session() as browser:
        browser.cookies.set("sidecar_session", desk.begin(ANN).secret)
        address = f"{server.url}/socket.io/?EIO=4&transport=polling"
        opened = browser.get(address, timeout=10).text
        sid = opened.split('"sid":"')[1].split('"')[0]
        browser.post(f"{address}&sid={sid}", data="40", timeout=10)
        heard = browser.get(f"{address}&sid={sid}", timeout=10).text
        if "snapshot" not in heard:
            heard += browser.get(f"{address}&sid={sid}", timeout=10).text

    assert '42["snapshot"' in heard


@pytest.mark.parametrize("nonsense", ["9", "x", "40\x1e" * 40])
def test_nonsense_while_news_wait_to_be_fetched_holds_no_thread(
    server: WebServer, desk: FakeDesk, nonsense: str
) -> None:
    with requests.Session() as browser:
        browser.cookies.set("sidecar_session", desk.begin(ANN).secret)
        address = f"{server.url}/socket.io/?EIO=4&transport=polling"
        opened = browser.get(address, timeout=10).text
        sid = opened.split('"sid":"')[1].split('"')[0]
        browser.post(f"{address}&sid={sid}", data="40", timeout=10)

        answer = browser.post(f"{address}&sid={sid}", data=nonsense, timeout=5)

        assert answer.status_code < 500
