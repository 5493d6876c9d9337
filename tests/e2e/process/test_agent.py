"""A machine joins with a code, fills its stick, and is heard of at once over Redis."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests

from tests import postgres, redis_server
from tests.e2e.conftest import MIB, PASSWORDS, Person, Sidecar, sha256
from tests.fakes.page import OpenPage
from tests.fakes.servers.slow_line import SlowLine, wait_until
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# What the agent is not told by anybody but the page.
GIVEN = ("SIDECAR_DATABASE__URL", "SIDECAR_REDIS__URL", "SIDECAR_JELLYFIN__URL")


@pytest.fixture
def nas(
    sidecar: Sidecar, postgresql: postgres.Server, tmp_path: Path, ann: Person
) -> Iterator[Sidecar]:
    """The process with the pages, on a database and a Redis that ask for passwords."""
    name = f"agent-{tmp_path.name}"
    with redis_server.running() as redis:
        sidecar.environ |= {
            "SIDECAR_DATABASE__URL": postgresql.make(name),
            "SIDECAR_REDIS__URL": redis.url.get_secret_value(),
            "SIDECAR_SERVER__MACHINE": "nas",
        }
        sidecar.begin("--role", "web,watch")
        sidecar.wait_until_begun()
        sidecar.wait_for_sign_in("ann")
        sidecar.get_key("ann")
        yield sidecar
        if sidecar.process is not None:
            sidecar.stop()
    postgresql.drop(name)


@pytest.fixture
def car(nas: Sidecar, tmp_path: Path) -> Iterator[Sidecar]:
    """A machine that knows no more than where its stick is."""
    stick = tmp_path / "car" / "stick"
    stick.mkdir(parents=True)
    environ = {name: value for name, value in nas.environ.items() if name not in GIVEN} | {
        "SIDECAR_SERVER__DATA_DIR": str(tmp_path / "car" / "data"),
        "SIDECAR_SERVER__MACHINE": "car",
        "SIDECAR_DEVICES": json.dumps(
            [{"name": "Car stick", "path": str(stick), "reserve": "1 MB"}]
        ),
    }
    one = Sidecar(environ, tmp_path / "log-car", stick)
    yield one
    if one.process is not None and one.process.poll() is None:
        one.stop()


def test_a_machine_joins_with_a_code_and_its_transfers_are_seen_and_paused_from_the_page(
    nas: Sidecar, car: Sidecar, ann: Person, line: SlowLine
) -> None:
    early = car.command("agent")
    assert early.returncode == 1
    assert "has not joined yet" in early.stderr
    made = nas.command("join-code")
    assert made.returncode == 0, made.stderr
    (code,) = re.findall(r"^[A-Z2-9]{5}-[A-Z2-9]{5}$", made.stdout, re.MULTILINE)
    wrong = car.command("agent", "--join", nas.url, "AAAAA-AAAAA")
    assert wrong.returncode == 1
    assert "code is wrong" in wrong.stderr

    car.begin("--join", nas.url, code, command="agent")
    car.wait_until_begun()
    line.bytes_a_second = MIB
    with OpenPage(nas.url, key=nas.key) as page:
        page.next("snapshot")
        ann.heart(ann.tracks()["Long Noise"])
        # Only its own process measures a transfer: it is told over Redis.
        while not (told := page.next("download:progress", within_s=PATIENCE_S)[1]["transfers"]):
            pass
    assert isinstance(told, list)
    (row,) = nas.downloads()
    assert told[0]["id"] == row["id"]
    headers = {"Authorization": f"Bearer {nas.key}"}
    paused = requests.post(
        f"{nas.url}/api/v1/downloads/{row['id']}/pause", headers=headers, timeout=PATIENCE_S
    )
    assert paused.ok, paused.text
    assert car.stop() == 0

    # It has joined: the code is not needed again.
    line.bytes_a_second = None
    car.begin(command="agent")
    car.wait_until_begun()
    resumed = requests.post(
        f"{nas.url}/api/v1/downloads/{row['id']}/resume", headers=headers, timeout=PATIENCE_S
    )
    assert resumed.ok, resumed.text
    arrived = nas.wait_for("Long Noise", "completed")
    path = car.stick / arrived["file_path"]
    assert sha256(path.read_bytes()) == sha256(ann.bytes_of(ann.tracks()["Long Noise"]))
    used = car.command("agent", "--join", nas.url, code)
    assert used.returncode == 1
    assert "was used" in used.stderr
    assert car.stop() == 0

    logs = nas.log.read_text() + car.log.read_text()
    key = Path(nas.environ["SIDECAR_SERVER__DATA_DIR"], "token.key").read_text().strip()
    assert "a machine has joined" in logs
    for secret in (code, key, redis_server.PASSWORD):
        assert secret not in logs
    kept = [one for one in (car.stick.parent / "data").rglob("*") if one.is_file()]
    assert {one.stat().st_mode & 0o077 for one in kept} == {0}
    wait_until(lambda: "car" in _health_of_devices(nas), what="the page says where it was")


def _health_of_devices(one: Sidecar) -> str:
    headers = {"Authorization": f"Bearer {one.key}"}
    return requests.get(f"{one.url}/api/v1/devices", headers=headers, timeout=PATIENCE_S).text


def make_code(nas: Sidecar) -> str:
    (code,) = re.findall(r"[A-Z2-9]{5}-[A-Z2-9]{5}", nas.command("join-code").stdout)
    return str(code)


def test_a_machine_that_is_removed_is_locked_out_while_it_runs_and_joins_again_with_a_new_code(
    nas: Sidecar, car: Sidecar, ann: Person
) -> None:
    car.begin("--join", nas.url, make_code(nas), command="agent")
    car.wait_until_begun()
    data = Path(car.environ["SIDECAR_SERVER__DATA_DIR"])
    own = (data / "joined" / "database-url").read_text()
    with requests.Session() as browser:
        admin = {"username": "admin", "password": PASSWORDS["admin"]}
        csrf = browser.post(f"{nas.url}/api/v1/session", json=admin, timeout=PATIENCE_S).json()[
            "csrf"
        ]
        removed = browser.post(
            f"{nas.url}/admin/machines/remove",
            data={"csrf": csrf, "machine": "car", "sure": "yes"},
            allow_redirects=False,
            timeout=PATIENCE_S,
        )
        assert removed.status_code == 303, removed.text
    process = car.process
    assert process is not None
    wait_until(lambda: process.poll() is not None, what="it ends by itself")
    assert car.stop() == 3, "no service starts it again"
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(own)
    said = car.log.read_text()
    assert said.count("jellyfin-sidecar: The database") == 1
    assert said.count("does not let this machine in") == 1, "no thread says it again"
    assert "an admin has removed it" in said
    assert "The files on its devices stay as they are" in said
    ann.heart(ann.tracks()["Tone 1"])
    assert nas.health() == 200, "the others go on"
    later = car.command("agent")
    assert later.returncode == 3, "also when it was removed while it was off"
    assert "an admin has removed it" in later.stderr
    car.begin("--join", nas.url, make_code(nas), command="agent")
    car.wait_until_begun()
    nas.wait_for("Tone 1", "completed")
    assert car.stop() == 0


def test_a_device_of_the_page_keeps_its_files_as_its_machine_may_not_remove_it(
    nas: Sidecar, car: Sidecar, ann: Person, tmp_path: Path
) -> None:
    stick = tmp_path / "home" / "stick"
    stick.mkdir(parents=True)
    nas.stop()
    # Where a device may be chosen.
    nas.environ["HOME"] = str(stick.parent)
    nas.begin("--role", "web,watch")
    nas.wait_until_begun()
    with requests.Session() as browser:

        def ask(verb: str, path: str, body: dict[str, str] | None = None) -> requests.Response:
            return browser.request(verb, f"{nas.url}/api/v1{path}", json=body, timeout=30)

        admin = {"username": "admin", "password": PASSWORDS["admin"]}
        browser.headers["X-Sidecar-CSRF"] = ask("POST", "/session", admin).json()["csrf"]
        added = ask("POST", "/devices", {"name": "Page stick", "path": str(stick)})
        assert added.status_code == 201, added.text
        car.begin("--join", nas.url, make_code(nas), command="agent")
        car.wait_until_begun()
        ann.heart(ann.tracks()["Tone 1"])
        wait_until(lambda: any(stick.rglob("*.flac")), what="the file arrives there")
        devices = ask("GET", "/devices").json()["items"]
        (device_id,) = [one["id"] for one in devices if one["name"] == "Page stick"]

        asked = ask("DELETE", f"/devices/{device_id}?files=delete")

        assert asked.status_code == 202, asked.text
        wait_until(
            lambda: ask("GET", "/orders").json()["items"][0]["state"] != "open",
            what="the machine answers",
        )
        (order,) = ask("GET", "/orders").json()["items"]
        assert order["state"] == "refused", order
        assert "delete its downloads first" in order["answer"]
        assert [*stick.rglob("*.flac")], "nothing is half done"
        assert ask("DELETE", f"/devices/{device_id}").status_code == 200
    assert car.stop() == 0
