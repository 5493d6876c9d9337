"""Several processes on one PostgreSQL: one has the pages and watches, others have the devices."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests import postgres
from tests.e2e.conftest import MIB, PASSWORDS, Person, Sidecar, sha256
from tests.fakes.servers.slow_line import SlowLine, wait_until
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Begin = Callable[[str, str], Sidecar]


@pytest.fixture
def begin(sidecar: Sidecar, postgresql: postgres.Server, tmp_path: Path) -> Iterator[Begin]:
    """Starts a process with these roles on a machine, with the key that the first one made."""
    name = f"roles-{tmp_path.name}"
    url = postgresql.make(name)
    begun: list[Sidecar] = []

    def begin(machine: str, roles: str) -> Sidecar:
        stick = tmp_path / machine / "stick"
        data = tmp_path / machine / "data"
        data.mkdir(parents=True, exist_ok=True)
        if begun:
            shutil.copy2(Path(begun[0].environ["SIDECAR_SERVER__DATA_DIR"]) / "token.key", data)
        environ = sidecar.environ | {
            "SIDECAR_DATABASE__URL": url,
            "SIDECAR_SERVER__DATA_DIR": str(data),
            "SIDECAR_SERVER__MACHINE": machine,
            "SIDECAR_DEVICES": json.dumps(
                [{"name": "Car stick", "path": str(stick), "reserve": "1 MB"}]
            ),
        }
        one = Sidecar(environ, tmp_path / f"log-{machine}", stick)
        begun.append(one)
        one.begin("--role", roles)
        one.wait_until_begun()
        return one

    yield begin
    for one in reversed(begun):
        if one.process is not None and one.process.poll() is None:
            one.stop()
    postgresql.drop(name)


@pytest.fixture
def nas(begin: Begin, ann: Person) -> Sidecar:
    """The process with the pages and the accounts, and no device."""
    one = begin("nas", "web,watch")
    one.wait_for_sign_in("ann")
    one.get_key("ann")
    return one


def device(one: Sidecar) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {one.key}"}
    answer = requests.get(f"{one.url}/api/v1/devices", headers=headers, timeout=PATIENCE_S)
    [found] = answer.json()["items"]
    return dict(found)


def plug_in(one: Sidecar) -> Path:
    """Make the folder of a device where disks are not mounted."""
    one.stick.mkdir(parents=True, exist_ok=True)
    return one.stick


def is_on(one: Sidecar, machine: str) -> Callable[[], bool]:
    return lambda: device(one)["machine"] == machine


def test_a_heart_in_one_process_is_a_file_by_the_other_and_the_page_says_where(
    nas: Sidecar, begin: Begin, ann: Person
) -> None:
    assert device(nas)["machine"] is None
    car = begin("car", "work")
    wait_until(is_on(nas, "car"), what="the stick is seen")
    ann.heart(ann.tracks()["Tone 1"])

    arrived = nas.wait_for("Tone 1", "completed")

    path = car.stick / arrived["file_path"]
    assert sha256(path.read_bytes()) == sha256(ann.bytes_of(ann.tracks()["Tone 1"]))
    assert not nas.stick.exists()
    there = device(nas)
    assert (there["trouble"], there["files"]) == (None, 1)
    assert there["free"] > MIB
    assert car.health() == 200
    for page in ("/", "/api/v1/devices", "/sign-in", "/socket.io/"):
        told = requests.get(f"{car.url}{page}", timeout=PATIENCE_S)
        assert told.status_code == 404, page
        assert "serves no pages" in told.text
    with requests.Session() as browser:
        signed_in = browser.post(
            f"{nas.url}/api/v1/session",
            json={"username": "ann", "password": PASSWORDS["ann"]},
            timeout=PATIENCE_S,
        )
        assert signed_in.status_code == 200
        assert "On car, told" in browser.get(nas.url, timeout=PATIENCE_S).text

    assert car.stop() == 0
    wait_until(lambda: device(nas)["trouble"] is not None, what="the page says that it is gone")
    assert "car, where Car stick was last, is not heard of" in device(nas)["trouble"]


def plan(one: Sidecar) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {one.key}"}
    address = f"{one.url}/api/v1/devices/{device(one)['id']}/plan"
    return dict(requests.get(address, headers=headers, timeout=PATIENCE_S).json())


def test_the_plan_of_one_process_is_shown_by_the_other_until_it_dies(
    nas: Sidecar, begin: Begin, ann: Person
) -> None:
    car = begin("car", "work")
    wait_until(is_on(nas, "car"), what="the stick is seen")
    ann.heart(ann.tracks()["Tone 1"])
    nas.wait_for("Tone 1", "completed")

    def is_told() -> bool:
        space = plan(nas)["space"]
        return space is not None and space["lasting"] > 0

    wait_until(is_told, what="the plan with the file in it")
    told = plan(nas)
    assert (told["machine"], told["trouble"], told["adds"]) == ("car", None, [])

    car.kill()
    wait_until(lambda: plan(nas)["space"] is None, what="the plan is gone")
    assert "is not heard of" in plan(nas)["trouble"]


def test_who_works_is_killed_and_the_stick_goes_on_at_another_machine(
    nas: Sidecar, begin: Begin, ann: Person, line: SlowLine
) -> None:
    car = begin("car", "work")
    wait_until(is_on(nas, "car"), what="the stick is seen")
    line.bytes_a_second = 2 * MIB
    ann.heart(ann.tracks()["Long Noise"])

    def is_on_its_way() -> bool:
        one = nas.by_title("Long Noise")
        return one is not None and one["bytes_downloaded"] > MIB

    wait_until(is_on_its_way, what="a part of the file")
    car.kill()
    line.bytes_a_second = None
    van = begin("van", "work")
    shutil.rmtree(van.stick, ignore_errors=True)
    shutil.move(car.stick, van.stick)

    arrived = nas.wait_for("Long Noise", "completed", within_s=120)

    path = van.stick / arrived["file_path"]
    assert sha256(path.read_bytes()) == sha256(ann.bytes_of(ann.tracks()["Long Noise"]))
    assert list((van.stick / ".sidecar" / "parts").iterdir()) == []
    assert device(nas)["machine"] == "van"
    assert len(nas.downloads()) == 1


def test_one_of_them_watches_and_a_file_is_not_shared(
    nas: Sidecar, begin: Begin, sidecar: Sidecar
) -> None:
    environ = nas.environ | {"SIDECAR_SERVER__DATA_DIR": f"{nas.stick}-other"}
    other = Sidecar(environ, nas.log.with_name("log-other"), nas.stick)
    watches = other.command("run", "--role", "watch")
    assert watches.returncode == 1
    assert "one of them watches at a time" in watches.stderr
    alone = other.command("run")
    assert alone.returncode == 1
    assert "Another Jellyfin Sidecar uses the database" in alone.stderr

    of_file = sidecar.command("run", "--role", "work")
    assert of_file.returncode == 1
    assert "`--role` needs a PostgreSQL database" in of_file.stderr
    odd = sidecar.command("run", "--role", "cook")
    assert odd.returncode == 2
    assert "'cook' is not among web, watch, work" in odd.stderr


def list_orders(one: Sidecar) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {one.key}"}
    answer = requests.get(f"{one.url}/api/v1/orders", headers=headers, timeout=PATIENCE_S)
    return list(answer.json()["items"])


def test_what_is_pressed_on_the_page_is_done_where_the_stick_is_also_after_that_machine_died(
    nas: Sidecar, begin: Begin, ann: Person
) -> None:
    car = begin("car", "work")
    wait_until(is_on(nas, "car"), what="the stick is seen")
    ann.heart(ann.tracks()["Tone 1"])
    arrived = nas.wait_for("Tone 1", "completed")
    path, device_id = car.stick / arrived["file_path"], device(nas)["id"]
    with requests.Session() as browser:
        signed_in = browser.post(
            f"{nas.url}/api/v1/session",
            json={"username": "ann", "password": PASSWORDS["ann"]},
            timeout=PATIENCE_S,
        ).json()
        csrf = {"X-Sidecar-CSRF": signed_in["csrf"]}
        address = f"{nas.url}/api/v1/downloads/{arrived['id']}"
        deleted = browser.delete(address, headers=csrf, timeout=PATIENCE_S)
        assert deleted.json()["result"] == "asked", deleted.text
        wait_until(lambda: not path.exists(), what="the file is deleted")
        nas.wait_for("Tone 1", "removed")

        car.kill()
        asked = browser.post(
            f"{nas.url}/devices/{device_id}/unplug",
            data={"csrf": signed_in["csrf"]},
            allow_redirects=False,
            timeout=PATIENCE_S,
        )
        assert asked.status_code == 303
        assert "Asked car to eject Car stick" in browser.get(nas.url, timeout=PATIENCE_S).text
        assert [one["state"] for one in list_orders(nas)] == ["open", "done"]
        car.begin("--role", "work")

        wait_until(
            lambda: [one["state"] for one in list_orders(nas)] == ["done", "done"],
            what="the order is carried out",
        )
        # Until it has looked again it says that nobody is heard of there.
        wait_until(
            lambda: device(nas)["trouble"] == "Safe to remove: Car stick",
            what="it may be unplugged",
        )
        assert "It may be unplugged" in browser.get(nas.url, timeout=PATIENCE_S).text
    assert nas.by_title("Tone 1") is not None
