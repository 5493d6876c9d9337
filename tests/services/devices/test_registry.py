"""Devices at the start, and room on a small file system that several downloads share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import ByteSize

from sidecar.config import DeviceSettings
from sidecar.device.folder import DeviceFolder
from sidecar.device.own.marker import Marker, write_marker
from sidecar.errors import AlreadyRunning, DeviceError, Stopped
from sidecar.events import DeviceChanged, Event
from sidecar.services.devices.registry import LOOKING, AttachedDevice, DeviceRegistry
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.transfer.durable import PartWriter
from tests.device.mounting import mount_memory, mounts_taken_down, needs_root
from tests.services.conftest import STICK, World, new_registry

MIB = 1024 * 1024


@pytest.fixture
def registry(world: World, tmp_path: Path) -> Iterator[DeviceRegistry]:
    with mounts_taken_down(tmp_path / "stick") as stick:
        mount_memory(stick, options="size=16m")
        write_marker(stick, Marker(STICK, "Car stick"))
        settings = DeviceSettings(name="Car stick", path=stick, reserve=ByteSize(MIB))
        registry = new_registry(world, settings)
        registry.look(settle=lambda _device: None)
        yield registry
        registry.close()


def reserve(registry: DeviceRegistry, number: int, mib: int) -> str | None:
    (device,) = registry.all()
    refusal = registry.reserve(device, number, remaining=mib * MIB, size=mib * MIB)
    return refusal.code if refusal else None


def set_room_aside(device: AttachedDevice, number: int, mib: int) -> None:
    with device.folder.part(number).open() as file:
        writer = PartWriter(file, lambda _held: None)
        writer.keep(0)
        writer.set_room_aside(mib * MIB)
        writer.write(b"x" * 1000)
        writer.sync()


@needs_root
def test_room_that_is_promised_is_not_given_twice(registry: DeviceRegistry) -> None:
    assert reserve(registry, 1, 8) is None
    assert reserve(registry, 2, 8) == "full"

    registry.unreserve(1)
    assert reserve(registry, 2, 8) is None


@needs_root
def test_room_that_is_set_aside_on_the_disk_is_not_promised_as_well(
    registry: DeviceRegistry,
) -> None:
    assert reserve(registry, 1, 7) is None
    set_room_aside(registry.all()[0], 1, 7)

    assert reserve(registry, 2, 7) is None
    assert reserve(registry, 3, 7) == "full"


@needs_root
def test_a_part_is_as_long_as_what_was_written_into_it(registry: DeviceRegistry) -> None:
    (device,) = registry.all()
    set_room_aside(device, 1, 7)

    part = device.folder.part(1)
    assert (part.size(), part.read_allocated()) == (1000, 7 * MIB)


def test_a_device_is_not_used_between_the_start_and_the_look_at_its_files(
    world: World, tmp_path: Path
) -> None:
    sticks = [tmp_path / name for name in ("full", "pulled", "stopped")]
    for number, stick in enumerate(sticks):
        stick.mkdir()
        write_marker(stick, Marker(f"{number}{STICK[1:]}", stick.name))
    ids = [f"{number}{STICK[1:]}" for number in range(3)]
    problems, settled = Problems(world.bus), []
    settings = [DeviceSettings(name=one.name, path=one) for one in sticks]
    registry = new_registry(world, *settings, problems=problems)

    def settle(device: AttachedDevice) -> None:
        assert device.id in registry.blocked(), "nothing is fetched while it is looked at"
        assert device.id not in [one.id for one in registry.all()]
        settled.append(device.id)
        if device.settings.name == "stopped":
            raise Stopped("it was ended")

    registry.open_all()

    assert registry.all() == []
    assert registry.blocked() == {*ids}
    assert sorted(registry.ids_there()) == ids
    for one in ids:
        with pytest.raises(DeviceError) as told:
            registry.get(one)
        trouble = problems.of(ProblemKind.DEVICE, one)
        assert trouble is not None
        assert (told.value.code, trouble.text) == (LOOKING, str(told.value))
    with pytest.raises(AlreadyRunning):
        DeviceFolder(sticks[0], ids[0], name="full").attach()

    sticks[1].rename(tmp_path / "elsewhere")
    assert registry.look(settle=settle)

    assert settled == [ids[0], ids[2]], "what was pulled meanwhile is not looked at"
    assert [one.id for one in registry.all()] == registry.ids_there() == ids[:1]
    assert {one: problem.code for one, problem in problems.all_of(ProblemKind.DEVICE).items()} == {
        ids[1]: "missing",
        ids[2]: LOOKING,
    }
    registry.close()


def test_news_tell_that_a_device_came_or_went_once_it_has(world: World, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    write_marker(stick, Marker(STICK, "Car stick"))
    settings = DeviceSettings(name="Car stick", path=stick)
    registry = new_registry(world, settings)
    told: list[bool] = []

    def hear(news: Event) -> None:
        if news == DeviceChanged(STICK):
            told.append(registry.find(STICK) is not None)

    def after(act: Callable[[], object]) -> bool:
        told.clear()
        act()
        return told[-1]

    def look() -> None:
        registry.look(settle=lambda _device: None)

    world.bus.subscribe(hear)
    assert after(look)
    assert not after(lambda: registry.configure([settings.model_copy(update={"users": ("ann",)})]))
    assert after(look)
    registry.set_aside(STICK)
    assert not after(lambda: registry.eject(STICK))
    registry.reattach(STICK)
    assert after(look)
    stick.rename(tmp_path / "pulled")
    assert not after(look)
    registry.close()


def test_the_log_warns_of_a_stick_that_is_away_and_not_of_one_that_is_ejected(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = DeviceSettings(name="Car stick", path=tmp_path / "stick", reserve=ByteSize(0))
    settings.path.mkdir()
    write_marker(settings.path, Marker(STICK, "Car stick"))
    registry = new_registry(world, settings)
    caplog.set_level(logging.INFO)

    def warned() -> list[str]:
        return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]

    registry.look(settle=lambda _device: None)
    registry.set_aside(STICK)
    registry.eject(STICK)
    registry.reattach(STICK)
    registry.look(settle=lambda _device: None)
    assert "Safe to remove: Car stick" in caplog.text
    assert warned() == []

    settings.path.rename(tmp_path / "pulled")
    registry.look(settle=lambda _device: None)
    assert len(warned()) == 1
    registry.close()


def test_a_device_that_is_about_to_be_unplugged_while_it_is_looked_at_gets_no_file_more(
    world: World, tmp_path: Path
) -> None:
    settings = DeviceSettings(name="Car stick", path=tmp_path / "stick", reserve=ByteSize(0))
    settings.path.mkdir()
    write_marker(settings.path, Marker(STICK, "Car stick"))
    registry = new_registry(world, settings, current=lambda _id, one: unplugs(one))
    unplugging = False

    def unplugs(one: DeviceSettings) -> DeviceSettings:
        nonlocal unplugging
        if unplugging:
            unplugging = False
            registry.set_aside(STICK)
        return one

    registry.look(settle=lambda _device: None)
    registry.trouble(STICK, DeviceError("full", "it is full"), needed=1)
    unplugging = True

    # It finds that there is room again, which the settings say more of.
    registry.look(settle=lambda _device: None)

    assert registry.blocked() == {STICK}
    registry.eject(STICK)
    assert registry.is_ejected(STICK)
    registry.close()


def test_a_device_that_is_removed_while_another_is_looked_at_does_not_come_back(
    world: World, tmp_path: Path
) -> None:
    other = STICK.replace("1", "2")
    full, removed = (DeviceSettings(name=name, path=tmp_path / name) for name in ("full", "gone"))
    for settings, device_id in ((full, STICK), (removed, other)):
        settings.path.mkdir()
        write_marker(settings.path, Marker(device_id, settings.name))
    registry = new_registry(world, full, removed)

    def settle(device: AttachedDevice) -> None:
        # It takes a while; meanwhile somebody removes the other one on the page.
        assert device.id == STICK
        registry.configure([full])
        world.devices.forget(other)

    registry.look(settle=settle)

    assert [one.id for one in world.devices.all()] == [STICK]
    assert [one.id for one in registry.all()] == [STICK]
    registry.close()


def test_a_device_that_is_removed_while_it_is_looked_at_leaves_no_problem(
    world: World, tmp_path: Path
) -> None:
    settings = DeviceSettings(name="Car stick", path=tmp_path / "stick")
    settings.path.mkdir()
    write_marker(settings.path, Marker(STICK, "Car stick"))
    problems = Problems(world.bus)
    registry = new_registry(world, settings, problems=problems)

    def settle(_device: AttachedDevice) -> None:
        registry.configure([])
        raise DeviceError("missing", "it was pulled")

    registry.look(settle=settle)
    assert problems.all_of(ProblemKind.DEVICE) == {}

    registry.configure([settings])
    registry.look(settle=lambda _device: None)
    (attached,) = registry.all()
    registry.configure([])
    # As where it was removed between the look whether it is there, and the one at its folder.
    registry._check(attached)
    assert problems.all_of(ProblemKind.DEVICE) == {}
