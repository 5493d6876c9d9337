"""Room on a real, small file system that is shared by several running downloads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ByteSize

from sidecar.config import DeviceSettings
from sidecar.device.own.marker import Marker, write_marker
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.health.problems import Problems
from sidecar.transfer.durable import PartWriter
from tests.device.mounting import mount_memory, mounts_taken_down, needs_root
from tests.services.conftest import STICK, World

MIB = 1024 * 1024


@pytest.fixture
def registry(world: World, tmp_path: Path) -> Iterator[DeviceRegistry]:
    with mounts_taken_down(tmp_path / "stick") as stick:
        mount_memory(stick, options="size=16m")
        write_marker(stick, Marker(STICK, "Car stick"))
        registry = DeviceRegistry(
            [DeviceSettings(name="Car stick", path=stick, reserve=ByteSize(MIB))],
            devices=world.devices,
            downloads=world.downloads,
            problems=Problems(world.bus),
            clock=world.clock,
        )
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
