"""A device that is paused while the sidecar runs, on a real folder and with the real queue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sidecar.config import DeviceSettings
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Status
from sidecar.services.devices.settings import DeviceSettingsService
from sidecar.services.health.problems import ProblemKind
from sidecar.store.devices.settings import DeviceSettingsStore
from tests.fakes.servers.answering import answering, json_reply
from tests.services.conftest import STICK, World
from tests.services.transfers.test_worker import ME, PUBLIC, Works, build


@dataclass
class Paused:
    """A worker, and the book in which its device's settings are."""

    works: Works
    book: DeviceSettingsService


@pytest.fixture
def house(world: World, tmp_path: Path) -> Iterator[Paused]:
    stick = tmp_path / "stick"
    stick.mkdir()
    write_marker(stick, Marker(STICK, "Car stick"))
    books: list[DeviceSettingsService] = []

    def current(device_id: str, configured: DeviceSettings) -> DeviceSettings:
        return books[0].current(device_id, configured) if books else configured

    with answering(
        {"GET /Users/Me": json_reply(ME), "GET /System/Info/Public": json_reply(PUBLIC)}
    ) as server:
        works = build(world, server, stick, tmp_path, current)
        books.append(
            DeviceSettingsService(
                works.registry.settings(),
                devices=world.devices,
                store=DeviceSettingsStore(world.db),
                stop_on=works.claims.stop_on,
                bus=world.bus,
            )
        )
        works.look()
        yield Paused(works, books[0])
        works.registry.close()


def test_a_paused_device_takes_no_files_and_is_no_trouble(house: Paused) -> None:
    house.works.wish()

    house.book.change(STICK, {"paused": True})

    assert house.works.registry.blocked() == {STICK}
    assert house.works.registry.is_paused(STICK)
    assert house.works.problems.all_of(ProblemKind.DEVICE) == {}
    assert not house.works.worker.step()
    assert house.works.now().status is Status.PENDING


def test_what_runs_goes_back_to_waiting_and_uses_up_no_try(house: Paused) -> None:
    house.works.wish()
    house.works.engine.meanwhile = lambda _job: house.book.change(STICK, {"paused": True})

    house.works.worker.step()

    waits = house.works.now()
    assert (waits.status, waits.retry_count, waits.retry_next_at) == (Status.PENDING, 0, None)
    assert waits.error_code is None


def test_a_claim_made_while_it_was_being_paused_fetches_nothing(
    house: Paused, world: World
) -> None:
    house.works.wish()
    blocked = house.works.registry.blocked

    def paused_meanwhile() -> set[str]:
        before = blocked()
        house.book.change(STICK, {"paused": True})
        return before

    house.works.registry.blocked = paused_meanwhile  # type: ignore[method-assign]  # between the two
    house.works.worker.step()

    assert house.works.engine.jobs == []
    assert house.works.now().status is Status.PENDING
    assert house.works.now().retry_count == 0


def test_it_goes_on_by_itself_when_the_pause_is_over(house: Paused) -> None:
    house.works.wish()
    house.book.change(STICK, {"paused": True})

    house.book.change(STICK, {"paused": None})

    assert house.works.worker.step()
    assert house.works.now().status is Status.COMPLETED


def test_another_device_s_downloads_go_on(house: Paused) -> None:
    running = house.works.claims.begin(7, "another")

    house.book.change(STICK, {"paused": True})

    assert not running.is_set()


def test_a_budget_that_is_raised_lets_the_queue_go_on_at_the_next_look(house: Paused) -> None:
    house.book.change(STICK, {"budget": 4096})
    for number in (1, 2):
        house.works.wish(number)
    while house.works.worker.step():
        pass
    assert house.works.problems.of(ProblemKind.DEVICE, STICK) is not None

    house.book.change(STICK, {"budget": "1 MB"})
    house.works.look()

    assert house.works.problems.of(ProblemKind.DEVICE, STICK) is None
    assert house.works.worker.step()


def test_the_settings_that_are_shown_are_the_current_ones(house: Paused) -> None:
    house.book.change(STICK, {"budget": 5000})

    assert [one.budget for one in house.works.registry.settings()] == [5000]
    assert [one.settings.budget for one in house.works.registry.all()] == [5000]

    house.works.registry.close()
    assert [one.budget for one in house.works.registry.settings()] == [5000]
