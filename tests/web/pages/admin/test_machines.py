"""Admins make a code with which another machine joins; the machine takes it once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from sidecar.cli.commands.agent import keep
from sidecar.config.settings import DatabaseSettings
from sidecar.domain.processes.machines import OF_MACHINE
from sidecar.errors import SidecarError
from sidecar.outgoing.joining import JoinFailed, join
from sidecar.services.operations.machines import JoinRefused
from sidecar.store.database import Database
from sidecar.store.dialects.machine_roles import MachineRoles, replace_user
from sidecar.store.dialects.postgresql import PostgresqlAddress
from sidecar.web.server import WebServer
from tests import postgres
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import Reply, answering
from tests.fakes.servers.certificates import own_certificate
from tests.web.house import Browser, WebHouse

URL = "postgresql://sidecar:vicuna-31-canary@localhost/sidecar"


@pytest.fixture(scope="module")
def url(postgresql: postgres.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database with tables, whose user may make others."""
    made = replace_user(postgresql.make("machines"), postgres.USER, "vicuna-31-canary")
    place = tmp_path_factory.mktemp("machines") / "sidecar.db"
    Database.open_server(PostgresqlAddress(made), place).close()
    yield made
    postgresql.drop("machines")


@pytest.fixture
def shared(house: WebHouse, url: str) -> WebHouse:
    """A house whose settings name a server; its rows stay where they are."""
    configuration = house.services.configuration
    configuration._now = configuration.now().model_copy(
        update={"database": DatabaseSettings(url=SecretStr(url))}
    )
    return house


def test_with_a_file_the_page_says_what_is_missing(eve: Browser, ann: Browser) -> None:
    page = eve.get("/admin/machines")
    assert "move it to a PostgreSQL server" in page.text
    assert "Make a code" not in page.text
    assert eve.press("/admin/machines").status_code == 422
    assert eve.send("POST", "/api/v1/machines/code").status_code == 422
    assert ann.get("/admin/machines").status_code == 403


def test_the_machine_that_shows_the_page_is_never_silent(
    house: WebHouse, eve: Browser, clock: FakeClock
) -> None:
    """One that is alone renews no lease."""
    house.store.processes.register("nas", "/nas", is_alone=True)
    clock.advance(3600)

    page = eve.get("/admin/machines").text

    assert "<strong>nas</strong>" in page
    assert "last heard of" not in page
    assert eve.press("/admin/machines/remove", machine="nas", sure="yes").status_code == 422
    assert [one.host for one in house.store.processes.all()] == ["nas"]


def test_a_machine_joins_with_the_code_of_the_page_and_keeps_what_it_gets(
    shared: WebHouse, server: WebServer, eve: Browser, tmp_path: Path
) -> None:
    page = eve.press("/admin/machines")
    assert page.headers["Cache-Control"] == "no-store"
    (code,) = re.findall(r"agent --join \S+ ([A-Z2-9]{5}-[A-Z2-9]{5})", page.text)
    assert code not in eve.get("/admin/machines").text
    with pytest.raises(JoinFailed, match="wrong"):
        join(server.url, "AAAAA-AAAAA", "pi")
    found = join(server.url, code, "pi")
    assert f"//{OF_MACHINE}" in found.database_url.get_secret_value()
    assert "vicuna" not in found.database_url.get_secret_value()
    with pytest.raises(JoinFailed, match="used"):
        join(server.url, code, "pi")

    assert "<strong>pi</strong>" in eve.get("/admin/machines").text, "although it never ran"
    assert eve.press("/admin/machines/remove", machine="pi", sure="yes").status_code == 303
    assert "<strong>pi</strong>" not in eve.get("/admin/machines").text

    keep(found, tmp_path / "pi")
    keep(found, tmp_path / "pi")
    kept = [one for one in (tmp_path / "pi").rglob("*") if one.is_file()]
    assert {one.name for one in kept} == {"token.key", "database-url", "jellyfin-url"}
    assert {one.stat().st_mode & 0o777 for one in kept} == {0o600}
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "token.key").write_text("another")
    with pytest.raises(SidecarError, match="another installation"):
        keep(found, tmp_path / "other")
    assert (tmp_path / "other" / "token.key").read_text() == "another"
    for path in ("/admin", "/admin/machines", "/settings/server", "/api/v1/log"):
        assert "vicuna" not in eve.get(path).text


def test_a_machine_whose_name_is_written_like_that_of_one_that_runs_joins_by_another_name(
    shared: WebHouse, eve: Browser, url: str
) -> None:
    """They would have one role: the first were locked out, and each removed with the other."""
    shared.store.processes.register("Küche", "/kitchen", is_alone=False)
    given = MachineRoles(url).make("K-che", "own")
    (code,) = re.findall(
        r"agent --join \S+ ([A-Z2-9]{5}-[A-Z2-9]{5})", eve.press("/admin/machines").text
    )
    machines = shared.services.web.machines
    with pytest.raises(JoinRefused, match=r"K-che.*runs already"):
        machines.redeem(code, "K-che", is_local=True)
    psycopg.connect(given).close()

    assert machines.redeem(code, "K-che-2", is_local=True), "with the same code"
    (code,) = re.findall(
        r"agent --join \S+ ([A-Z2-9]{5}-[A-Z2-9]{5})", eve.press("/admin/machines").text
    )
    assert shared.store.processes.end(shared.store.processes.own_id)
    assert machines.redeem(code, "K-che", is_local=True), "it was installed anew"
    MachineRoles(url).lock_out("K-che")
    MachineRoles(url).lock_out("K-che-2")


def test_a_machine_with_a_password_of_its_own_is_locked_out_also_while_it_runs(
    shared: WebHouse, eve: Browser, url: str
) -> None:
    for name in ("nas", "car", "van"):
        shared.store.processes.take_another_id()
        shared.store.processes.register(name, f"/{name}", is_alone=False)
    shared.store.processes.take_another_id()
    given = MachineRoles(url).make("car", "own")
    page = eve.get("/admin/machines").text
    assert page.count("removing it locks it out") == 1
    assert page.count("only takes it off this list") == 1, "nas is this one"
    assert page.count('name="machine" value="') == 1
    asked = eve.press("/admin/machines/remove", machine="car")
    assert "locked out of the database and of Redis at once" in asked.text
    assert eve.press("/admin/machines/remove", machine="van", sure="yes").status_code == 422

    assert eve.press("/admin/machines/remove", machine="car", sure="yes").status_code == 303

    assert {one.host for one in shared.store.processes.all()} == {"nas", "van"}
    assert not MachineRoles(url).list_joined()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(given)


def test_a_program_of_an_admin_makes_a_code(shared: WebHouse, eve: Browser) -> None:
    made = eve.send("POST", "/api/v1/machines/code")
    assert made.status_code == 201
    assert set(made.get_json()) == {"code", "ends_at"}


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://sidecar.home", "--without-tls"),
        ("ftp://sidecar.home", "no web address"),
        ("http://127.0.0.1:9", "does not answer"),
    ],
)
def test_what_cannot_be_joined_says_why_and_sends_nothing(url: str, why: str) -> None:
    with pytest.raises(JoinFailed, match=why):
        join(url, "AAAAA-AAAAA", "pi")


def test_a_certificate_is_checked(tmp_path: Path) -> None:
    public, context = own_certificate(tmp_path)
    given = {"database_url": URL, "redis_url": None, "token_key": "k", "jellyfin_url": None}
    route = {"POST /api/v1/machines/join": Reply(200, body=json.dumps(given).encode())}
    with answering(route, tls=context) as page:
        with pytest.raises(JoinFailed, match="certificate"):
            join(page.url, "AAAAA-AAAAA", "pi")
        assert page.asked("/api/v1/machines/join") == []
        found = join(page.url, "AAAAA-AAAAA", "pi", ca_file=public)
        assert found.database_url.get_secret_value() == URL
