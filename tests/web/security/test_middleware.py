from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from functools import wraps
from pathlib import Path
from wsgiref.types import StartResponse

import pytest
from flask import Flask
from werkzeug.test import Client

from sidecar.errors import ConfigError
from sidecar.events import Bus
from sidecar.web.app import WebOptions, create_app
from sidecar.web.request.refusals import Refusals
from sidecar.web.security.hosts import HostList, is_own_origin
from sidecar.web.security.middleware import FORWARDED, HEADERS, Middleware
from tests.fakes.clock import FakeClock
from tests.web.house import PASSWORD, Browser, WebHouse, web_house

CREDENTIALS = {"username": "ann", "password": PASSWORD}


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8097", "127.0.0.1:1", "[::1]:8097", "LOCALHOST", "localhost."],
)
def test_it_answers_to_the_names_of_this_machine(client: Client, host: str) -> None:
    assert client.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:8097",
        "localhost@evil.example",
        "localhost, evil.example",
        "10.0.0.1",
        "",
        "localhost:99999999",
        "[::1",
    ],
)
def test_it_answers_to_no_other_name(client: Client, host: str) -> None:
    assert client.get("/health", headers={"Host": host}).status_code == 400


def test_the_operator_can_add_names_and_whole_domains() -> None:
    hosts = HostList.of("192.168.1.5", ["music.home", ".example.org"])

    admitted = ["192.168.1.5:8097", "music.home", "a.example.org"]
    refused = ["example.org.evil", "192.168.1.6", "home"]
    assert all(hosts.admits(one) for one in admitted)
    assert not any(hosts.admits(one) for one in refused)


def test_bound_to_every_address_it_answers_to_any_address_but_to_no_name() -> None:
    hosts = HostList.of("0.0.0.0", [])  # noqa: S104 - nothing is bound

    assert hosts.admits("192.168.1.5:8097")
    assert not hosts.admits("evil.example")


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("http://localhost:8097", "localhost:8097", True),
        ("https://music.home", "music.home", True),
        ("https://music.home", "music.home:443", True),
        ("http://localhost:8097", "localhost:8098", False),
        ("null", "localhost", False),
        ("http://localhost.evil.example", "localhost", False),
        ("file://localhost", "localhost", False),
        ("http://[", "localhost", False),
    ],
)
def test_which_origin_is_our_own(origin: str, host: str, *, own: bool) -> None:
    assert is_own_origin(origin, host) is own


def test_forwarded_headers_of_strangers_are_not_believed(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    answer = client.post(
        "/api/v1/session",
        json=CREDENTIALS,
        headers={
            "X-Forwarded-For": "203.0.113.9",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "evil.example",
        },
        environ_overrides={"REMOTE_ADDR": "192.168.1.77"},
    )

    assert answer.headers["Set-Cookie"].startswith("sidecar_session=")
    assert "192.168.1.77" in caplog.text
    assert "203.0.113.9" not in caplog.text


def test_no_layer_below_sees_what_a_stranger_forwards() -> None:
    seen: dict[str, object] = {}

    def below(environ: dict[str, object], start_response: StartResponse) -> list[bytes]:
        seen.update(environ)
        start_response("204 No Content", [])
        return []

    sent = {f"{name[5:].replace('_', '-')}": "x" for name in FORWARDED}
    gate = Middleware(below, refusals=Refusals(Flask("below")), hosts=HostList.of("localhost", []))
    Client(gate).get("/", headers=sent)

    assert seen["HTTP_HOST"] == "localhost"
    assert not set(FORWARDED) & set(seen)


def test_those_of_a_configured_proxy_are(
    quick_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    options = WebOptions(trusted_proxies=("10.0.0.0/8",), allowed_hosts=("music.home",))
    with web_house(quick_path, clock, options=options) as house:
        answer = Client(house.web.wsgi).post(
            "/api/v1/session",
            json=CREDENTIALS,
            headers={
                "Host": "10.0.0.3:8097",
                "X-Forwarded-For": "203.0.113.9",
                "X-Forwarded-Proto": "https",
                "X-Forwarded-Host": "music.home",
            },
            environ_overrides={"REMOTE_ADDR": "::ffff:10.0.0.2"},
        )

    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-sidecar_session=")
    assert "; Secure; HttpOnly; Path=/; SameSite=Lax" in cookie
    assert "203.0.113.9" in caplog.text


@pytest.mark.parametrize(
    ("proxies", "sent"),
    [
        (1, "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9"),
        (2, "203.0.113.9, 10.0.0.7"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.7"),
        (2, "203.0.113.9"),
        (3, "6.6.6.6, 203.0.113.9, 10.0.0.7, 10.0.0.8"),
    ],
)
def test_of_several_proxies_the_first_one_is_believed_and_nobody_before_it(
    quick_path: Path,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    proxies: int,
    sent: str,
) -> None:
    caplog.set_level(logging.INFO)
    options = WebOptions(trusted_proxies=("10.0.0.0/8",), proxies_in_a_row=proxies)
    with web_house(quick_path, clock, options=options) as house:
        answer = Client(house.web.wsgi).post(
            "/api/v1/session",
            json=CREDENTIALS,
            headers={"X-Forwarded-For": sent, "X-Forwarded-Proto": "https"},
            environ_overrides={"REMOTE_ADDR": "10.0.0.2"},
        )

    assert answer.headers["Set-Cookie"].startswith("__Host-sidecar_session=")
    assert "opened a session from 203.0.113.9" in caplog.text


def test_a_proxy_that_is_no_address_is_named(house: WebHouse) -> None:
    with pytest.raises(ConfigError, match=r"server\.trusted_proxies.*'my-proxy'"):
        create_app(house.services.web, Bus(), WebOptions(trusted_proxies=("my-proxy",)))


@pytest.mark.parametrize(
    "path",
    ["/sign-in", "/health", "/nothing", "/static/icon.svg", "/socket.io/", "/api/v1/session"],
)
def test_every_answer_carries_the_headers_that_protect_it(client: Client, path: str) -> None:
    own = {"Cache-Control": "no-cache"} if path.startswith("/static") else {}

    with client.get(path) as answer:
        assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS) | own
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/../pyproject.toml",
        "/static/%2e%2e/pyproject.toml",
        "/static/..%2fpyproject.toml",
        "/static/..%5cpyproject.toml",
        "/static/..;/pyproject.toml",
        "/static/%252e%252e%252fpyproject.toml",
        "/static//etc/passwd",
        "/static/css",
    ],
)
def test_nothing_but_the_static_files_is_served(client: Client, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert b"[project]" not in answer.data


@pytest.fixture
def below(quick_path: Path, clock: FakeClock) -> Iterator[Client]:
    with web_house(quick_path, clock, options=WebOptions(base_url="/sidecar")) as house:
        yield Client(house.web.wsgi)


def test_below_a_base_url_every_link_and_cookie_stays_below(below: Client) -> None:
    page = below.get("/sidecar/sign-in").text
    signed_in = below.post("/sidecar/api/v1/session", json=CREDENTIALS)

    assert 'action="/sidecar/sign-in"' in page
    assert re.search(r'href="/sidecar/static/[0-9a-f]{16}/vendor/style\.css"', page)
    assert "Path=/sidecar;" in signed_in.headers["Set-Cookie"]
    assert below.get("/sidecar/downloads").status_code == 200
    assert 'href="/sidecar/devices"' in below.get("/sidecar/").text


def test_above_the_base_url_there_is_only_the_way_there_and_the_health(below: Client) -> None:
    assert below.get("/").headers["Location"] == "/sidecar/"
    assert below.get("/sidecar").headers["Location"] == "/sidecar/"
    assert below.get("/health").status_code == 200
    assert below.get("/sidecar/health").status_code == 200
    assert below.get("/sign-in").status_code == 404
    assert below.get("/sidecarx/sign-in").status_code == 404


def test_a_sign_in_that_was_interrupted_ends_below_the_base_url(below: Client) -> None:
    asked = below.get("/sidecar/downloads?tab=completed")
    assert asked.headers["Location"] == "/sidecar/sign-in?next=/downloads?tab%3Dcompleted"

    done = below.post(asked.headers["Location"], data=CREDENTIALS)

    assert done.headers["Location"] == "/sidecar/downloads?tab=completed"


def test_choosing_a_language_leads_back_below_the_base_url(below: Client) -> None:
    page = below.get("/sidecar/sign-in?next=/devices").text
    (back,) = re.findall(r'class="languages".*?name="next" value="(.*?)"', page, re.DOTALL)

    chosen = below.post("/sidecar/language", data={"language": "de", "next": back})

    assert chosen.headers["Location"] == "/sidecar/sign-in?next=/devices"


def test_the_health_says_nothing_but_how_it_is(house: WebHouse, client: Client) -> None:
    well = client.get("/health")
    house.lose_database()
    unwell = client.get("/health")

    assert (well.status_code, well.json) == (200, {"status": "ok"})
    assert (unwell.status_code, unwell.json) == (503, {"status": "unwell"})


def test_an_unexpected_failure_shows_an_id_and_nothing_of_the_code(
    house: WebHouse, ann: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> str:
        raise RuntimeError("a secret that must not show: /srv/sidecar.db")

    for app, name in ((house.web.api.flask, "api.downloads"), (house.web.flask, "pages.downloads")):
        app.view_functions[name] = wraps(app.view_functions[name])(broken)

    answer = ann.client.get("/api/v1/downloads")
    page = ann.client.get("/downloads").text

    assert answer.status_code == 500
    assert answer.json is not None
    assert answer.mimetype == "application/problem+json"
    assert answer.json["id"] in caplog.text
    assert "a secret that must not show" in caplog.text
    for text in (answer.text, page):
        assert "secret" not in text
        assert "Traceback" not in text
        assert "/srv" not in text
