from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ByteSize

from sidecar.config import NetworkSettings, Settings, TransferSettings
from sidecar.domain.downloads.waits import WaitKind
from sidecar.services.transfers.policy.network import HOLDS_S
from sidecar.services.transfers.policy.status import TransfersView
from tests.fakes.clock import FakeClock
from tests.services.conftest import STICK
from tests.web.elsewhere.house_and_car import Car, house_and_car
from tests.web.house import EVE, Browser, WebHouse, web_house

PATH = "/api/v1/transfers"
USUAL = 5_000_000


@pytest.fixture
def limited(tmp_path: Path, clock: FakeClock) -> Iterator[WebHouse]:
    """One whose settings file limits the speed."""

    def change(settings: Settings) -> Settings:
        limit = TransferSettings(speed_limit=ByteSize(USUAL))
        return settings.model_copy(update={"transfer": limit})

    with web_house(tmp_path, clock, change=change) as built:
        yield built


@pytest.fixture
def apart(tmp_path: Path, clock: FakeClock) -> Iterator[tuple[WebHouse, Car]]:
    """The stick is on another machine than the pages, and these hours are quiet."""

    def change(settings: Settings) -> Settings:
        quiet = NetworkSettings.model_validate({"quiet_hours": ["00:00-12:00", "12:00-00:00"]})
        return settings.model_copy(update={"network": quiet})

    with house_and_car(tmp_path, clock, change) as built:
        yield built


def change(browser: Browser, **body: object) -> int:
    headers = {"X-Sidecar-CSRF": browser.csrf}
    return browser.client.patch(PATH, json=body, headers=headers).status_code


def now(house: WebHouse) -> TransfersView:
    return house.services.web.transfers.transfers(EVE)


def test_everybody_sees_what_waits_and_why(house: WebHouse, ann: Browser) -> None:
    house.services.transfers.network.pause(paused=True)

    answer = ann.client.get(PATH).json

    assert answer is not None
    assert answer["paused"] is True
    [stick] = answer["devices"]
    assert (stick["device_name"], stick["own_only"]) == ("Car stick", True)
    assert stick["text"] == now(house).devices[0].text != ""


def test_an_admin_pauses_and_limits(house: WebHouse, eve: Browser) -> None:
    assert change(eve, paused=True) == 200
    assert now(house).is_paused
    assert now(house).speed_limit is None

    assert change(eve, speed_limit=100_000) == 200
    assert now(house).speed_limit == 100_000
    assert change(eve, speed_limit="usual", paused=False) == 200
    assert (now(house).speed_limit, now(house).is_paused) == (None, False)


def test_an_admin_lifts_the_limit_of_the_settings_file(limited: WebHouse) -> None:
    eve = limited.come_in(EVE)
    assert now(limited).speed_limit == USUAL

    assert change(eve, speed_limit=None) == 200
    assert now(limited).speed_limit is None
    assert change(eve, speed_limit="usual") == 200
    assert now(limited).speed_limit == USUAL


@pytest.mark.parametrize("limit", ["fast", -1, 0, 1023, 10**13, 1.5, True, [1]])
def test_what_is_no_limit_is_refused(house: WebHouse, eve: Browser, limit: object) -> None:
    assert change(eve, speed_limit=limit) == 422
    assert now(house).speed_limit is None


def test_nobody_else_changes_anything(house: WebHouse, ann: Browser) -> None:
    assert change(ann, paused=True) == 403
    assert not now(house).is_paused


def test_what_an_admin_lets_through_or_pauses_counts_at_the_machine_of_the_stick(
    apart: tuple[WebHouse, Car], clock: FakeClock
) -> None:
    house, car = apart
    eve = house.come_in(EVE)
    network = car.services.transfers.network
    network.step()
    waiting = house.add(1)
    here, there = house.services.transfers, car.services.transfers
    [shown] = now(house).devices
    assert (shown.device_id, shown.own_only) == (STICK, True)
    assert network.own_only() == {STICK}

    eve.press("/alerts/fetch")
    network.step()
    assert network.own_only() == set()
    assert not now(house).devices[0].own_only
    network.step()
    assert network.own_only() == set()

    assert change(eve, paused=True) == 200
    clock.advance(HOLDS_S)
    assert network.own_only() == {STICK}
    assert here.waits.of_one(EVE, waiting) == there.waits.of_one(EVE, waiting)
    assert [one.kind for one in here.waits.of_one(EVE, waiting)] == [WaitKind.NETWORK]
    assert change(eve, paused=False) == 200
    clock.advance(HOLDS_S)
    assert network.own_only() == set()
