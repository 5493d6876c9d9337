"""A stick at another machine, which its Syncthing carries to a phone: on the pages of this one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.config import Settings, SyncthingSettings
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Download, Status
from sidecar.services.processes.findings import LEAST_REST_S
from tests.fakes.clock import FakeClock
from tests.fakes.servers.slow_line import wait_until
from tests.fakes.servers.syncthings import FOLDER, OneSyncthing
from tests.services.conftest import STICK
from tests.web.elsewhere.house_and_car import Car, hear, house_and_car
from tests.web.house import ANN, Browser, WebHouse, only_for

pytestmark = pytest.mark.slow

PEERS = f"/api/v1/devices/{STICK}/peers"


@pytest.fixture
def home(syncthings: tuple[OneSyncthing, OneSyncthing]) -> Iterator[OneSyncthing]:
    """The Syncthing of the car."""
    yield syncthings[0]
    syncthings[1].pause(on=False)


@pytest.fixture
def both(quick_path: Path, clock: FakeClock, home: OneSyncthing) -> Iterator[tuple[WebHouse, Car]]:
    stick = home.folder / "Sticks" / "elsewhere"
    stick.mkdir(parents=True)
    write_marker(stick, Marker(STICK, "Car stick"))

    def change(settings: Settings) -> Settings:
        devices = tuple(one.model_copy(update={"path": stick}) for one in settings.devices)
        return only_for("ann")(settings.model_copy(update={"devices": devices}))

    def at_car(settings: Settings) -> Settings:
        asked = SyncthingSettings(
            url=home.url, api_key=SecretStr(home.key), certificate=home.certificate
        )
        return settings.model_copy(update={"syncthing": asked})

    with house_and_car(quick_path, clock, change, at_car=at_car) as (house, car):
        house.folder = stick
        yield house, car


def tell(house: WebHouse, car: Car) -> None:
    """Let the car ask its Syncthing, and the pages hear of it."""
    assert car.services.devices.peers is not None
    car.services.devices.peers.step()
    house.clock.advance(LEAST_REST_S + 1)
    car.tell()
    hear(house)


def bring(house: WebHouse, home: OneSyncthing, number: int) -> Download:
    """Let a file come to the stick, and the Syncthing there know it."""
    came = house.add(number, status=Status.COMPLETED, size=1000)
    home.scan()
    return came


def reach(home: OneSyncthing, phone: OneSyncthing) -> None:
    """Let all be on the phone."""
    there = {"folder": FOLDER, "device": phone.id}
    wait_until(
        lambda: not home.ask("GET", "db/remoteneed", **there)["files"],
        what="all to be on the phone",
    )


def test_what_the_syncthing_of_another_machine_carries_where_is_on_all_pages(
    both: tuple[WebHouse, Car], ann: Browser, syncthings: tuple[OneSyncthing, OneSyncthing]
) -> None:
    (house, car), (home, phone) = both, syncthings
    assert house.services.devices.peers is None, "here there is no Syncthing"
    old = bring(house, home, 1)
    reach(home, phone)
    tell(house, car)

    told = ann.told(PEERS)
    (peer,) = told["peers"]
    assert (told["is_asked"], told["folder"], peer["name"]) == (True, "Music", "Ann's phone")
    assert (peer["connected"], peer["completion"], peer["need_items"]) == (True, 100, 0)
    (arrival,) = ann.told(f"/api/v1/downloads/{old.id}/peers")["items"]
    assert arrival["peer"] == "Ann's phone"
    assert arrival["arrived_at"] is not None
    assert "Ann&#39;s phone" in ann.get(f"/devices/{STICK}").text
    (shown,) = house.services.web.downloads.some(ANN, [old.id])
    assert [one.peer for one in shown.carried] == ["Ann's phone"], "the list says so too"

    phone.pause()
    house.clock.advance(2 * 3600)
    newer = bring(house, home, 2)
    tell(house, car)

    waits = "what can be removed waits until Ann's phone has 1 newer file"
    assert waits in ann.told(PEERS)["waits"]
    (arrival,) = ann.told(f"/api/v1/downloads/{newer.id}/peers")["items"]
    assert arrival["arrived_at"] is None


@pytest.fixture
def house(both: tuple[WebHouse, Car]) -> WebHouse:
    return both[0]
