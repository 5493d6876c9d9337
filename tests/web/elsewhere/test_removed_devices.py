"""A device that no machine's settings name is on no page, but where an admin can forget it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.domain.downloads.download import Status
from sidecar.events import SettingsChanged
from tests.fakes.clock import FakeClock
from tests.services.conftest import STICK
from tests.web.elsewhere.house_and_car import Car, hear, house_and_car
from tests.web.house import Browser, WebHouse, only_for

PAGES = ("/downloads?tab=completed", "/offline?look=files")


@pytest.fixture
def both(quick_path: Path, clock: FakeClock) -> Iterator[tuple[WebHouse, Car]]:
    with house_and_car(quick_path, clock, only_for("ann")) as built:
        yield built


def stop_naming_it(house: WebHouse) -> None:
    """Take the stick out of the settings of the machine with the pages."""
    configuration = house.services.configuration
    without = configuration.now().model_copy(update={"devices": ()})
    configuration.rebase(without)
    house.bus.publish(SettingsChanged())


def is_shown(browser: Browser) -> set[str]:
    return {path for path in PAGES if "Tone 1" in browser.get(path).text}


@pytest.fixture
def house(both: tuple[WebHouse, Car]) -> WebHouse:
    return both[0]


@pytest.fixture
def car(both: tuple[WebHouse, Car]) -> Car:
    return both[1]


def test_a_device_is_in_use_as_long_as_one_machine_names_it(
    house: WebHouse, car: Car, ann: Browser, eve: Browser
) -> None:
    house.add(1, status=Status.COMPLETED)
    assert is_shown(ann) == {*PAGES}

    stop_naming_it(house)
    hear(house)
    assert "Tone 1" in ann.get(PAGES[0]).text, "the car names it"
    assert house.services.web.device_editor.unused() == []

    car.services.devices.registry.configure(())
    car.look()
    hear(house)

    assert is_shown(ann) == set()
    assert ann.told("/api/v1/downloads")["items"] == []
    page = eve.get("/devices").text
    assert "Not in use any more" in page
    assert [one.name for one in house.services.web.device_editor.unused()] == ["Car stick"]
    house.services.web.device_editor.forget(STICK, with_files=False)
    assert house.services.web.device_editor.unused() == []


def test_a_machine_that_is_removed_names_nothing(house: WebHouse, car: Car, ann: Browser) -> None:
    house.add(1, status=Status.COMPLETED)
    stop_naming_it(house)
    car.die()
    hear(house)
    assert "Tone 1" in ann.get(PAGES[0]).text, "it may come back"

    house.store.processes.forget("car")

    assert is_shown(ann) == set()


def test_who_starts_again_without_it_tells_so(house: WebHouse, car: Car) -> None:
    stop_naming_it(house)
    registry = car.services.devices.registry
    registry.close()
    registry.configure(())
    car.look()
    assert house.store.device_machines.all(), "the process before still holds it"

    assert car.store.processes.end(car.store.processes.own_id)
    car.look()

    assert house.store.device_machines.all() == []
