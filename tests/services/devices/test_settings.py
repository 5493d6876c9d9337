from __future__ import annotations

import logging
from pathlib import Path
from threading import Thread

import pytest
from pydantic import ByteSize

from sidecar.config import DeviceSettings
from sidecar.errors import ConfigError
from sidecar.events import DeviceChanged, Event, NewsMissed, Sender, WorkArrived
from sidecar.services.devices.settings import DeviceSettingsService, find_settings
from sidecar.store.devices.devices import Device
from sidecar.store.devices.settings import DeviceSettingsStore
from tests.patience import PATIENCE_S
from tests.services.conftest import STICK, World

CARD = "22222222-2222-4222-8222-222222222222"
GB = 10**9


class Stops:
    """Remembers for which devices what runs was stopped."""

    def __init__(self) -> None:
        self.devices: list[str] = []


@pytest.fixture
def stops() -> Stops:
    return Stops()


@pytest.fixture
def configured(tmp_path: Path) -> DeviceSettings:
    return DeviceSettings(name="Car stick", path=tmp_path / "stick", budget=ByteSize(10 * GB))


def open_book(world: World, stops: Stops, *configured: DeviceSettings) -> DeviceSettingsService:
    return DeviceSettingsService(
        configured,
        devices=world.devices,
        store=DeviceSettingsStore(world.db),
        stop_on=stops.devices.append,
        bus=world.bus,
    )


@pytest.fixture
def book(world: World, stops: Stops, configured: DeviceSettings) -> DeviceSettingsService:
    return open_book(world, stops, configured)


def test_what_nobody_changed_is_as_in_the_file(
    book: DeviceSettingsService, configured: DeviceSettings
) -> None:
    assert book.of(STICK) == configured
    assert book.of(CARD) is None


def test_a_change_holds_at_once_and_after_a_restart(
    world: World, stops: Stops, configured: DeviceSettings
) -> None:
    book = open_book(world, stops, configured)

    assert book.change(STICK, {"budget": "8 GB", "reserve": 1000}).budget == 8 * GB

    for one in (book, open_book(world, stops, configured)):
        now = one.current(STICK, configured)
        assert (now.budget, now.reserve, now.name) == (8 * GB, 1000, "Car stick")


def test_nothing_takes_a_change_back_and_the_file_counts_again(
    world: World, stops: Stops, book: DeviceSettingsService, configured: DeviceSettings
) -> None:
    book.change(STICK, {"budget": "8 GB", "paused": True})

    now = book.change(STICK, {"budget": None})

    assert (now.budget, now.paused) == (10 * GB, True)
    smaller = configured.model_copy(update={"budget": ByteSize(GB)})
    later = open_book(world, stops, smaller).of(STICK)
    assert later is not None
    assert (later.budget, later.paused) == (GB, True)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"budget": "many"}, "devices: budget = 'many'"),
        ({"budget": -1}, "budget = -1"),
        ({"reserve": 2**61}, "reserve"),
        ({"paused": "perhaps"}, "paused = 'perhaps'"),
        ({"name": "Ben's stick"}, "no such setting"),
        ({"path": "/"}, "no such setting"),
        ({"users": ["ben"]}, "no such setting"),
        ({"users": None}, "no such setting"),
        ({"budgte": None}, "no such setting"),
    ],
)
def test_a_change_that_is_not_allowed_says_so_and_changes_nothing(
    world: World, book: DeviceSettingsService, changes: dict[str, object], told: str
) -> None:
    before = book.change(STICK, {"reserve": 5})
    world.news.clear()

    with pytest.raises(ConfigError, match=told):
        book.change(STICK, {"paused": True, **changes})
    with pytest.raises(ConfigError, match=told):
        book.check(STICK, changes)

    assert book.of(STICK) == before
    assert DeviceSettingsStore(world.db).of(STICK) == {"reserve": 5}
    assert world.news == []


def test_two_people_who_change_different_keys_at_once_both_get_their_way(
    world: World, book: DeviceSettingsService
) -> None:
    def change(key: str) -> None:
        with world.db.thread():
            for number in range(20):
                book.change(STICK, {key: number})

    threads = [Thread(target=change, args=(key,)) for key in ("budget", "reserve")]
    for one in threads:
        one.start()
    for one in threads:
        one.join(PATIENCE_S)
        assert not one.is_alive()

    now = book.of(STICK)
    assert now is not None
    assert (now.budget, now.reserve) == (19, 19)
    assert DeviceSettingsStore(world.db).of(STICK) == {"budget": 19, "reserve": 19}


def test_a_check_changes_nothing(book: DeviceSettingsService, configured: DeviceSettings) -> None:
    assert book.check(STICK, {"paused": True}).paused

    assert book.of(STICK) == configured


def test_a_device_that_the_settings_do_not_know_is_not_changed(book: DeviceSettingsService) -> None:
    with pytest.raises(ConfigError, match="do not know this device"):
        book.change(CARD, {"paused": True})


def test_a_change_is_news_and_workers_look_again(world: World, book: DeviceSettingsService) -> None:
    world.news.clear()

    book.change(STICK, {"budget": "20 GB"})

    assert world.news == [DeviceChanged(STICK), WorkArrived()]


def test_only_pausing_stops_what_runs_there(stops: Stops, book: DeviceSettingsService) -> None:
    book.change(STICK, {"budget": "20 GB"})
    assert stops.devices == []

    book.change(STICK, {"paused": True})
    assert stops.devices == [STICK]


def test_a_change_that_is_not_allowed_any_more_is_passed_over(
    world: World,
    book: DeviceSettingsService,
    configured: DeviceSettings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    DeviceSettingsStore(world.db).save(STICK, {"colour": "red"}, seen={})

    with caplog.at_level(logging.WARNING):
        assert book.of(STICK) == configured
        assert book.of(STICK) == configured

    assert caplog.text.count("passed over") == 1
    assert book.change(STICK, {"paused": True}).paused


def test_a_stick_that_is_configured_at_another_place_is_known_by_its_name(
    world: World, book: DeviceSettingsService, configured: DeviceSettings
) -> None:
    world.devices.save(Device(STICK, "Car stick", "/where/it/was", world.clock.now()))

    assert book.of(STICK) == configured


def test_a_device_is_found_by_its_place_before_its_name(configured: DeviceSettings) -> None:
    place, name = str(configured.path), configured.name
    other = configured.model_copy(update={"name": "Other", "path": configured.path / "other"})

    assert find_settings([other, configured], path=place, name="Other") == configured
    assert find_settings([other, configured], path="/moved", name="Other") == other
    assert find_settings([other, configured], name=name) == configured
    assert find_settings([other, configured], path="/moved", name="unknown") is None


@pytest.mark.parametrize("event", [DeviceChanged(STICK), NewsMissed()])
def test_a_pause_by_another_process_stops_what_runs_here(
    world: World,
    book: DeviceSettingsService,
    stops: Stops,
    configured: DeviceSettings,
    event: Event,
) -> None:
    world.bus.subscribe(book.hear, Sender.ELSEWHERE)
    assert book.current(STICK, configured).paused is False
    open_book(world, Stops(), configured).change(STICK, {"paused": True})
    assert stops.devices == []
    world.bus.receive(event)
    assert book.current(STICK, configured).paused is True
    assert stops.devices == [STICK]


def test_who_still_has_a_device_as_it_was_does_not_bring_its_old_settings_back(
    book: DeviceSettingsService, configured: DeviceSettings
) -> None:
    assert book.of(STICK) == configured
    now = configured.model_copy(update={"users": ("ann",)})
    book.configure([now])

    # A transfer that runs asks for the settings of the device that it was begun for.
    assert book.current(STICK, configured).name == "Car stick"

    assert book.of(STICK) == now
    assert book.current(STICK, now) == now


def test_what_another_process_changes_while_it_is_read_is_read_again(
    world: World, stops: Stops, configured: DeviceSettings
) -> None:
    other = open_book(world, stops, configured)
    other.change(STICK, {"budget": "8 GB"})
    meanwhile = ["7 GB"]

    def look(_settings: DeviceSettings) -> None:
        if meanwhile:
            other.change(STICK, {"budget": meanwhile.pop()})
            here.hear(DeviceChanged(STICK))

    here = DeviceSettingsService(
        [configured],
        devices=world.devices,
        store=DeviceSettingsStore(world.db),
        stop_on=stops.devices.append,
        bus=world.bus,
        may_be=look,
    )
    here.of(STICK)

    now = here.of(STICK)
    assert now is not None
    assert now.budget == 7 * GB


def test_a_change_while_the_file_is_read_again_does_not_bring_the_old_one_back(
    world: World, stops: Stops, configured: DeviceSettings
) -> None:
    smaller = configured.model_copy(update={"budget": ByteSize(GB)})

    def read_the_file_again(_checked: DeviceSettings) -> None:
        service.configure([smaller])

    service = DeviceSettingsService(
        [configured],
        devices=world.devices,
        store=DeviceSettingsStore(world.db),
        stop_on=stops.devices.append,
        bus=world.bus,
        may_be=read_the_file_again,
    )

    changed = service.change(STICK, {"reserve": 1000})

    assert (changed.budget, changed.reserve) == (GB, 1000)
    assert service.of(STICK) == changed


def test_what_is_set_on_two_pages_at_the_same_moment_is_both_kept(
    world: World, stops: Stops, configured: DeviceSettings
) -> None:
    elsewhere = open_book(world, stops, configured)
    others: list[dict[str, object]] = [{"reserve": 1000}]

    def may_be(_: DeviceSettings) -> None:
        if others:
            elsewhere.change(STICK, others.pop())

    book = DeviceSettingsService(
        [configured],
        devices=world.devices,
        store=DeviceSettingsStore(world.db),
        stop_on=stops.devices.append,
        bus=world.bus,
        may_be=may_be,
    )
    now = book.change(STICK, {"budget": "8 GB"})

    assert (now.budget, now.reserve) == (8 * GB, 1000)
