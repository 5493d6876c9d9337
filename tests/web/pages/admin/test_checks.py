"""The checks run behind the page, and each finding that something is wrong has a way out."""

from __future__ import annotations

import threading

import pytest

from sidecar.errors import ServerAway, SidecarError
from sidecar.services.health.problems import Problem, ProblemKind
from sidecar.services.operations.doctor import (
    LATE_S,
    Check,
    WayOut,
    checks_of_machine,
)
from tests.fakes.servers.answering import json_reply
from tests.patience import PATIENCE_S
from tests.services.conftest import STICK
from tests.web.house import EVE, Browser, WebHouse

ME = {"Id": EVE.user_id, "Name": "eve", "ServerId": "5" * 32}


def me(*, may_download: bool) -> dict[str, object]:
    return ME | {"Policy": {"EnableContentDownloading": may_download, "IsAdministrator": True}}


def test_an_admin_sees_what_is_wrong_and_what_to_do(
    house: WebHouse, eve: Browser, ann: Browser
) -> None:
    house.jellyfin.routes["GET /Users/Me"] = json_reply(me(may_download=False))
    full = Problem("full", "Car stick is full")
    house.services.accounts.problems.note(ProblemKind.ROOM, STICK, full)
    house.unplug()
    doctor = house.services.web.doctor

    assert ann.press("/admin/checks").status_code == 403
    assert "Check now" in eve.get("/admin/checks").text
    assert eve.press("/admin/checks").location == "/admin/checks"
    page = eve.get("/admin/checks").text
    assert "Checking …" in page
    assert 'hx-trigger="every 2s"' in page

    doctor.step()

    page = eve.get("/admin/checks").text
    assert "hx-trigger" not in page.partition('id="checks"')[2].partition(">")[0]
    assert page.count("does not let this account download") == 3
    assert "Attic 12.0.0 answers" in page
    assert "Car stick is full" in page
    found = doctor.now()
    assert {one.subject for one in found.wrong} >= {"Device Car stick", "Account ann"}
    assert all(one.way_out is not None and one.way_out.text for one in found.wrong)
    assert page.count("What to do:") == len(found.wrong)

    eve.client.set_cookie("sidecar_language", "de")
    german = eve.get("/admin/checks").text
    assert "Was zu tun ist:" in german
    assert "What" not in german

    eve.press("/admin/checks")
    doctor.step()
    assert len(doctor.now().results) == len(found.results)


def test_accounts_are_not_blamed_for_a_server_that_is_away(house: WebHouse, eve: Browser) -> None:
    del house.jellyfin.routes["GET /System/Info/Public"]
    doctor = house.services.web.doctor
    doctor.begin()
    doctor.step()

    found = [one.subject for one in doctor.now().results]
    assert "Jellyfin" in found
    assert not [one for one in found if one.startswith("Account")]
    assert "jellyfin.url" in eve.get("/admin/checks").text


def test_a_check_that_hangs_is_told_and_holds_up_nothing_else(
    house: WebHouse, eve: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    doctor, entered, let_go = house.services.web.doctor, threading.Event(), threading.Event()

    def hang() -> str:
        entered.set()
        assert let_go.wait(PATIENCE_S)
        return "there after all"

    monkeypatch.setattr(doctor, "_checks", lambda: iter([Check("Drive", hang, WayOut("wait"))]))
    doctor.begin()
    thread = threading.Thread(target=doctor.step)
    thread.start()
    assert entered.wait(PATIENCE_S)
    try:
        assert "Checking: Drive" in eve.get("/admin/checks").text
        house.clock.advance(LATE_S + 1)
        assert "Drive has not answered for 31 seconds" in eve.get("/admin/checks").text
        eve.press("/admin/checks")
        assert doctor.now().is_running
    finally:
        let_go.set()
        thread.join(PATIENCE_S)
    assert "there after all" in eve.get("/admin/checks").text


def test_whatever_a_check_raises_is_a_finding_with_a_way_out(
    house: WebHouse, caplog: pytest.LogCaptureFixture
) -> None:
    way_out = WayOut("Do something")

    def fail(error: Exception) -> Check:
        def look() -> str:
            raise error

        return Check("It", look, way_out)

    assert fail(ServerAway("It is away")).run().way_out is way_out
    assert fail(SidecarError("It is broken")).run().text == "It is broken"
    unforeseen = fail(ZeroDivisionError()).run()
    assert unforeseen.way_out is not None
    assert "nobody foresaw" in caplog.text
    settings = house.services.configuration.now()
    found = [one.run() for one in checks_of_machine(settings, house.clock)]
    assert all(one.is_well for one in found)
