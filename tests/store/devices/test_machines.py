"""Devices on several machines: one process holds each, as long as its lease lasts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sidecar.domain.space.space import Space
from sidecar.store.database import Database
from sidecar.store.devices.devices import Devices
from sidecar.store.devices.machines import DeviceMachines, DeviceOnMachine, DeviceState
from sidecar.store.processes import Processes
from tests.fakes.clock import START, FakeClock
from tests.store.examples import CARD, STICK

SPACE = Space(total=100, free=10, block=4, largest_file=50)
FULL = DeviceState(SPACE, 7, "full", "Car stick is full")


@pytest.fixture
def machines(db: Database, clock: FakeClock) -> DeviceMachines:
    for name in ("car", "nas"):
        become(db, clock, name)
    return DeviceMachines(db, clock)


def become(db: Database, clock: FakeClock, name: str) -> None:
    """Go on as another process, which has a lease."""
    db.process_id = name
    processes = Processes(db, clock)
    if name not in {one.id for one in processes.all()}:
        processes.register(name, f"/{name}", is_alone=False)


def test_a_device_in_sight_of_two_machines_stays_with_the_first_until_its_lease_ends(
    db: Database, clock: FakeClock, machines: DeviceMachines
) -> None:
    assert machines.hold(STICK, "nas", "/media/stick")
    machines.tell({STICK: FULL})
    become(db, clock, "car")
    clock.advance(5)

    assert not machines.hold(STICK, "car", "/mnt/usb")
    machines.tell({STICK: DeviceState(None, 1)})
    machines.let_go(STICK, "missing", "gone")
    there = DeviceOnMachine(STICK, "nas", "/media/stick", "nas", FULL, START)
    assert machines.all() == [there]
    assert machines.hold(CARD, "car", "/mnt/card"), "another device is another matter"

    assert Processes(db, clock).end("nas")
    assert not machines.all()[0].is_held
    assert machines.hold(STICK, "car", "/mnt/usb")

    assert machines.hold(STICK, "car", "/mnt/usb"), "it may be held again by the same"
    found = {one.device_id: one for one in machines.all()}[STICK]
    assert (found.machine, found.process_id, found.path) == ("car", "car", "/mnt/usb")
    assert found.told_at == START + timedelta(seconds=5)


def test_what_was_let_go_is_where_it_was_told_of_last(
    db: Database, clock: FakeClock, machines: DeviceMachines
) -> None:
    machines.hold(STICK, "nas", "/media/stick")
    machines.let_go(STICK, "missing", "plug it in")
    become(db, clock, "car")
    clock.advance(5)
    machines.hold(STICK, "car", "/mnt/usb")
    machines.let_go(STICK, "unplugged", "safe to remove")

    [found] = machines.all()

    assert (found.machine, found.is_held) == ("car", False)
    assert found.state == DeviceState(problem_code="unplugged", problem="safe to remove")


def test_without_a_lease_nothing_can_be_held(db: Database, machines: DeviceMachines) -> None:
    db.process_id = "never registered"

    assert not machines.hold(STICK, "nas", "/media/stick")
    assert machines.all() == []


def test_each_machine_has_paths_of_its_own(
    db: Database, clock: FakeClock, machines: DeviceMachines
) -> None:
    machines.hold(STICK, "nas", "/media/stick")

    assert {one.id: one.path for one in Devices(db, "nas").all()} == {
        STICK: "/media/stick",
        CARD: "",
    }
    assert {one.path for one in Devices(db, "car").all()} == {""}
    assert [one.path for one in Devices(db).all()] == ["/media/car", "/media/player"]


def test_a_forgotten_device_is_forgotten_on_all_machines(
    db: Database, machines: DeviceMachines
) -> None:
    machines.hold(STICK, "nas", "/media/stick")

    Devices(db).forget(STICK)

    assert machines.all() == []


def test_a_device_was_had_until_each_machine_or_what_is_known_of_it_is_forgotten(
    db: Database, clock: FakeClock, machines: DeviceMachines
) -> None:
    for name in ("nas", "car"):
        become(db, clock, name)
        assert machines.hold(STICK, name, f"/{name}/stick")
        machines.forget(name, [STICK])
        machines.let_go(STICK, "missing", "gone")
    assert machines.list_had() == {STICK}, "what is held is not forgotten"

    machines.forget("car", [STICK, CARD])
    assert [one.machine for one in machines.all()] == ["nas"]
    Processes(db, clock).forget("nas")

    assert machines.list_had() == frozenset()
    assert [one.machine for one in machines.all()] == ["nas"], "people are told where it was"
