from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client, TestResponse

from sidecar.clock import SystemClock
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.jellyfin.sign_in import SignedIn
from sidecar.services.configuration.setup.service import SetUpService
from sidecar.web.app import WebOptions
from sidecar.web.starting import Startup, starting_app
from tests.e2e.conftest import Person
from tests.fakes.clock import FakeClock
from tests.fakes.libraries.tiny import tiny_library
from tests.patience import PATIENCE_S
from tests.web.house import WebHouse, serving

HERE = {"REMOTE_ADDR": "127.0.0.1"}


@pytest.fixture
def jellyfin(tmp_path: Path) -> Iterator[DemoServer]:
    with DemoServer(tiny_library(tmp_path / "library"), speaks=Version.V12_0) as server:
        yield server


@pytest.fixture
def kept() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def browser(kept: list[tuple[str, str]]) -> Client:
    def keep(url: str, found: SignedIn, _device_id: str, _address: str) -> str:
        kept.append((url, found.name))
        return "a session"

    service = SetUpService(keep, FakeClock())
    return Client(starting_app(Startup(), WebOptions(), SystemClock(), service))


def send(browser: Client, path: str, **form: str) -> TestResponse:
    return browser.post(f"/setup/{path}", data=form, environ_overrides=HERE)


def approve(jellyfin: DemoServer, name: str, code: str) -> None:
    person = Person(jellyfin.url, name).sign_in()
    with person.session as client:
        client.post(
            f"{jellyfin.url}/QuickConnect/Authorize", params={"code": code}, timeout=PATIENCE_S
        ).raise_for_status()


def test_quick_connect_sets_up_once_an_admin_has_approved_the_code(
    browser: Client, jellyfin: DemoServer, kept: list[tuple[str, str]]
) -> None:
    def ask_for_code() -> str:
        found = re.search(r'class="code"[^>]*>(\d{6})<', send(browser, "quick-connect").text)
        assert found is not None
        return found[1]

    browser.get("/setup", environ_overrides=HERE)
    send(browser, "server", address=jellyfin.url)
    early = send(browser, "quick-connect/finish")
    code = ask_for_code()
    waiting = send(browser, "quick-connect/finish", code=code)
    approve(jellyfin, "ann", code)
    refused = send(browser, "quick-connect/finish", code=code)

    assert "ask for another code" in early.text
    assert "has not been approved yet" in waiting.text
    assert code in waiting.text
    assert refused.status_code == 422
    assert "ann is not an administrator" in refused.text
    assert kept == []

    approve(jellyfin, "admin", another := ask_for_code())
    done = send(browser, "quick-connect/finish", code=another)

    assert "Your Jellyfin is connected" in done.text
    assert "sidecar_session=a session" in " ".join(done.headers.getlist("Set-Cookie")).replace(
        '"', ""
    )
    assert kept == [(jellyfin.url, "admin")]


def test_the_way_from_quick_connect_leads_back_to_the_password(
    browser: Client, jellyfin: DemoServer
) -> None:
    browser.get("/setup", environ_overrides=HERE)
    send(browser, "server", address=jellyfin.url)
    page = send(browser, "quick-connect").text

    assert re.search(r'href="/setup">Sign in with a password<', page)
    assert 'name="password"' in browser.get("/setup", environ_overrides=HERE).text


def test_the_sidecars_own_address_is_no_jellyfin(browser: Client, house: WebHouse) -> None:
    browser.get("/setup", environ_overrides=HERE)
    with serving(house.web) as other:
        answer = send(browser, "server", address=f"{other.url}/downloads")

    assert answer.status_code == 422
    assert "is the page of Jellyfin Sidecar itself" in answer.text


def test_another_language_does_not_lead_away_from_a_refused_step(browser: Client) -> None:
    browser.get("/setup", environ_overrides=HERE)
    came_from = {"Referer": "http://localhost/setup"}
    form = {"address": "ftp://nowhere"}

    refused = browser.post("/setup/server", data=form, headers=came_from, environ_overrides=HERE)

    assert refused.status_code == 422
    assert 'name="next" value="/setup"' in refused.text


def test_after_the_set_up_its_pages_lead_home(house: WebHouse) -> None:
    browser = Client(house.web.wsgi)

    for answer in (browser.get("/setup"), browser.post("/setup/server")):
        assert (answer.status_code, answer.location) == (303, "/")
