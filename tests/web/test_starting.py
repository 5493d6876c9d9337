"""What is answered while the sidecar starts, to whom."""

from __future__ import annotations

import re

import pytest
import requests
from werkzeug.test import Client

from sidecar.clock import SystemClock
from sidecar.web.app import WebOptions
from sidecar.web.server import WebServer, serve_in_thread
from sidecar.web.starting import MAKING_MEDIA, Startup, StartupStep, starting_app
from tests.fakes.page import OpenPage
from tests.patience import PATIENCE_S
from tests.web.house import ANN, WebHouse


def asking(startup: Startup | None = None, base_url: str = "") -> Client:
    options = WebOptions(base_url=base_url)
    return Client(starting_app(startup or Startup(), options, SystemClock()))


def test_before_anything_is_counted_the_bar_is_without_end() -> None:
    page = asking().get("/")

    assert page.status_code == 200
    assert "<progress  aria-label=" in page.text
    assert "files are there" not in page.text


def test_the_page_loads_itself_again_and_shows_the_step() -> None:
    startup = Startup()
    startup.now = StartupStep(MAKING_MEDIA, 3, 9)

    page = asking(startup).get("/devices?x=1", headers={"Accept-Language": "en"})

    assert page.status_code == 200
    assert '<meta http-equiv="refresh" content="2">' in page.text
    assert MAKING_MEDIA in page.text
    assert "3 of 9 files are there." in page.text
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/health", "/api/v1/downloads", "/media/1", "/socket.io/?EIO=4"])
def test_programs_are_told_when_to_come_back(path: str) -> None:
    told = asking().get(path)

    assert told.status_code == 503
    assert told.headers["Retry-After"] == "2"


@pytest.mark.parametrize(
    ("method", "headers"), [("POST", {}), ("DELETE", {}), ("GET", {"HX-Request": "true"})]
)
def test_a_form_or_a_part_of_a_page_does_not_take_it_for_its_answer(
    method: str, headers: dict[str, str]
) -> None:
    assert asking().open("/sign-in", method=method, headers=headers).status_code == 503


def test_the_language_can_be_chosen_but_not_by_another_site() -> None:
    browser = asking()
    foreign = {"Origin": "http://elsewhere.example"}
    form = {"language": "de", "next": "/devices"}

    refused = browser.post("/language", data=form, headers=foreign)
    chosen = browser.post("/language", data=form)

    assert refused.status_code == 403
    assert (chosen.status_code, chosen.location) == (303, "/devices")
    assert "Jellyfin Sidecar startet" in browser.get("/").text


def test_it_is_reached_as_everything_else() -> None:
    below = asking(base_url="/sidecar")

    page = below.get("/sidecar/").text
    assert re.search(r"/sidecar/static/[0-9a-f]{16}/vendor/style\.css", page)
    with below.get("/sidecar/static/css/base.css") as style:
        assert style.status_code == 200
    assert below.get("/elsewhere").status_code == 404
    assert below.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_a_server_that_has_started_answers_as_the_application_from_then_on(
    house: WebHouse,
) -> None:
    web = house.web
    server = WebServer(starting_app(Startup(), WebOptions(), SystemClock()), "127.0.0.1", 0)
    server.bind()
    thread = serve_in_thread(server)
    web.live.start()
    try:
        with requests.Session() as kept:
            assert kept.get(f"{server.url}/health", timeout=PATIENCE_S).status_code == 503
            server.answer_with(web.wsgi)
            assert kept.get(f"{server.url}/health", timeout=PATIENCE_S).status_code == 200
        with OpenPage(server.url, cookie=house.begin_session(ANN)) as page:
            assert page.next()[0] == "snapshot"
    finally:
        web.live.stop()
        server.stop()
        thread.join(PATIENCE_S)
