"""Sticks that somebody tampered with: one of them never disturbs anything but itself."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from sidecar.config import DeviceSettings, Settings
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Status
from tests.fakes.clock import FakeClock
from tests.services.conftest import STICK
from tests.web.house import ANN, EVE, WebHouse, web_house

OTHER = "22222222-2222-4222-8222-222222222222"
DEEP = "[" * 200_000
LEADS_OUT = '{"../../x/cover.jpg": {"size": 5, "hashes": ["%s"]}}' % ("a" * 32)


@pytest.fixture
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[WebHouse]:
    """Return a house with a second stick, where a test's parameter is the record of our files."""
    second = tmp_path / "second"
    second.mkdir()
    write_marker(second, Marker(OTHER, "Second"))
    for name, content in getattr(request, "param", {}).items():
        (second / ".sidecar" / name).write_text(content)

    def with_two(settings: Settings) -> Settings:
        more = DeviceSettings(name="Second", path=second)
        return settings.model_copy(update={"devices": (more, *settings.devices)})

    with web_house(tmp_path, FakeClock(), change=with_two) as house:
        yield house


@pytest.mark.parametrize("house", [{"own.json": LEADS_OUT}], indirect=True)
def test_a_record_that_was_tampered_with_disturbs_nobody(
    house: WebHouse, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    house.add(1, status=Status.COMPLETED)
    background = house.services.background

    background.housekeeping.step()
    for writer in (background.index, background.playlists, background.companions):
        writer.step()

    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert (house.folder / "Offline library.html").exists(), "the other stick has its page"
    for person in (ANN, EVE):
        browser = house.come_in(person)
        for place in ("/devices", f"/api/v1/devices/{STICK}/plan"):
            assert browser.client.get(place).status_code == HTTPStatus.OK, place


def test_a_marker_that_is_nonsense_is_the_trouble_of_its_device(house: WebHouse) -> None:
    registry = house.services.devices.registry
    second = registry.all()[0]
    (second.folder.root / ".sidecar" / "device.json").write_text(DEEP)

    house.services.background.housekeeping.step()

    assert [one.id for one in registry.all()] == [STICK]
    page = house.come_in(EVE).client.get("/devices")
    assert page.status_code == HTTPStatus.OK
    assert "is damaged" in page.get_data(as_text=True)


def test_a_copy_of_a_stick_does_not_take_its_place(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    write_marker(copy, Marker(STICK, "Car stick"))

    def with_copy(settings: Settings) -> Settings:
        more = DeviceSettings(name="Copy", path=copy)
        return settings.model_copy(update={"devices": (*settings.devices, more)})

    with web_house(tmp_path, FakeClock(), change=with_copy) as house:
        assert [one.folder.root for one in house.services.devices.registry.all()] == [house.folder]
        known = house.store.devices.get(STICK)
        assert known is not None
        assert known.path == str(house.folder)
        page = house.come_in(EVE).client.get("/devices").get_data(as_text=True)
        assert "Copy is recognised as Car stick" in page
