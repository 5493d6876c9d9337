"""Two machines on one database, each with a registry of its own, and a stick that is carried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sidecar.config import DeviceSettings
from sidecar.device.own.marker import OURS, Marker, write_marker
from sidecar.domain.items.item import FileVersion
from sidecar.errors import DeviceError
from sidecar.events import Sender
from sidecar.services.devices.elsewhere import ELSEWHERE, SILENT, DevicesElsewhere
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.devices.settings import DeviceSettingsService
from sidecar.services.devices.taken import TakenKinds
from sidecar.services.files.presence import FilePresence
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.store.database import Database
from sidecar.store.devices.settings import DeviceSettingsStore
from sidecar.store.stores import Stores
from tests.services.conftest import STICK, World, track

# No disk holds the second.
SIZES = ((track(2), 1000), (track(3), 10**18))


@dataclass
class Machine:
    """A process on a machine: its own connection, problems and paths."""

    stores: Stores
    registry: DeviceRegistry
    problems: Problems
    path: Path

    def look(self) -> bool:
        return self.registry.look(settle=lambda _device: None)

    def code(self) -> str | None:
        problem = self.problems.of(ProblemKind.DEVICE, STICK)
        return problem.code if problem else None

    def ids(self) -> list[str]:
        return [one.id for one in self.registry.all()]

    def die(self) -> None:
        self.registry.close()
        assert self.stores.processes.end(self.stores.processes.own_id)


@pytest.fixture
def machines(world: World, tmp_path: Path) -> Iterator[list[Machine]]:
    made = []
    for name, opens in (("nas", True), ("car", True), ("web", False)):
        path = tmp_path / name / "stick"
        path.parent.mkdir()
        db = Database.open_existing(world.db.path)
        stores = Stores(db, world.bus, world.clock, machine=name)
        stores.processes.register(name, f"/{name}", is_alone=False)
        problems = Problems(world.bus)
        registry = DeviceRegistry(
            [DeviceSettings(name="Car stick", path=path, users=("ann",))],
            devices=stores.devices,
            downloads=stores.downloads,
            problems=problems,
            clock=world.clock,
            elsewhere=DevicesElsewhere(stores.device_machines, name, opens=opens),
        )
        made.append(Machine(stores, registry, problems, path))
    made[0].path.mkdir()
    write_marker(made[0].path, Marker(STICK, "Car stick"))
    yield made
    for one in made:
        one.registry.close()
        one.stores.db.close()


def test_the_machine_that_sees_it_works_with_it_and_all_others_know(
    machines: list[Machine],
) -> None:
    nas, car, web = machines
    assert nas.look()
    assert (car.look(), web.look()) == (True, True), "rules may want files for it"
    assert (nas.look(), car.look(), web.look()) == (False, False, False)

    assert (nas.ids(), car.ids(), web.ids()) == ([STICK], [], [])
    assert (nas.code(), car.code(), web.code()) == (None, None, None)
    assert STICK not in nas.registry.blocked()
    for other in (car, web):
        assert STICK in other.registry.blocked(), "its files come on the other machine"
        assert other.registry.serving("ann") == [STICK]
        assert other.registry.serving("ben") == []
        there = other.registry.on_other_machine(STICK)
        assert there is not None
        assert (there.machine, there.path) == ("nas", str(nas.path))
        # Others write to this disk meanwhile.
        seen = [nas.registry.space_anywhere(STICK), other.registry.space_anywhere(STICK)]
        assert None not in seen
        assert len({(one.total, one.block, one.largest_file) for one in seen if one}) == 1
        assert other.registry.is_usable_anywhere(STICK)
        with pytest.raises(DeviceError, match="is on nas") as told:
            other.registry.get(STICK)
        assert told.value.code == ELSEWHERE
        with pytest.raises(DeviceError, match="is on nas"):
            FilePresence(other.registry, other.stores.devices).device(STICK)
    assert nas.registry.on_other_machine(STICK) is None
    assert [one.path for one in web.stores.devices.all()] == [""]
    assert not web.path.exists(), "who does not work makes no folder"
    assert not car.path.exists(), "its folder is on the other machine"


def test_what_was_away_between_two_looks_of_another_has_come(machines: list[Machine]) -> None:
    # A heart that was pressed meanwhile was for no device: rules have to run again.
    nas, _, web = machines
    assert nas.look()
    assert web.look()
    nas.registry.set_aside(STICK)
    nas.registry.eject(STICK)
    assert web.registry.serving("ann") == []
    nas.registry.reattach(STICK)
    assert nas.look()

    assert web.look()
    assert not web.look()


def test_a_carried_stick_goes_on_where_it_is_plugged_in(machines: list[Machine]) -> None:
    nas, car, web = machines
    for one in machines:
        one.look()
    nas.path.rename(car.path)

    nas.look()
    web.look()
    assert web.code() == "missing"
    assert web.registry.serving("ann") == []
    car.look()
    assert web.look()

    assert (nas.ids(), car.ids()) == ([], [STICK])
    nas.look()
    assert (nas.code(), car.code(), web.code()) == (None, None, None)
    assert [one.path for one in car.stores.devices.all()] == [str(car.path)]


def test_a_device_in_sight_of_two_stays_with_the_first_and_goes_on_with_the_other_when_it_died(
    machines: list[Machine],
) -> None:
    nas, car, web = machines
    nas.look()
    car.path.symlink_to(nas.path)
    car.look()
    assert (nas.ids(), car.ids()) == ([STICK], [])

    nas.die()
    web.look()
    assert web.code() == SILENT
    problem = web.problems.of(ProblemKind.DEVICE, STICK)
    assert problem is not None
    assert "nas, where Car stick was last, is not heard of" in problem.text
    car.path.unlink()
    nas.path.rename(car.path)
    car.look()
    web.look()

    assert car.ids() == [STICK]
    assert web.code() is None


def test_a_problem_of_its_machine_is_told_on_all(machines: list[Machine]) -> None:
    nas, _, web = machines
    nas.look()
    nas.registry.set_aside(STICK)
    nas.look()
    web.look()
    assert web.code() == "unplugged"

    nas.registry.eject(STICK)
    web.look()

    assert web.code() == "unplugged"
    assert web.registry.on_other_machine(STICK) is None


def test_settings_that_another_process_changed_are_read_again(
    world: World, machines: list[Machine]
) -> None:
    nas, _, web = machines
    nas.look()
    stopped: list[str] = []
    here, there = (
        DeviceSettingsService(
            one.registry.settings(),
            devices=one.stores.devices,
            store=DeviceSettingsStore(one.stores.db),
            stop_on=stopped.append,
            bus=world.bus,
        )
        for one in (nas, web)
    )
    world.bus.subscribe(here.hear, Sender.ELSEWHERE)
    assert here.of(STICK) is not None
    there.change(STICK, {"paused": True})
    stopped.clear()

    here.read_again()
    here.read_again()

    now = here.of(STICK)
    assert now is not None
    assert now.paused
    assert stopped == [STICK]


def test_two_machines_with_the_path_of_a_new_device_make_one_marker(
    world: World, machines: list[Machine]
) -> None:
    nas, car, _ = (with_new(world, one) for one in machines)
    begun = machines[0].stores.device_machines
    assert begun.begin_new("New stick"), "nas is about to write its marker"

    car.look()

    assert not (car.path / OURS).exists()
    problem = car.problems.of(ProblemKind.DEVICE, "new:New stick")
    assert problem is not None
    assert problem.text == "New stick is set up on another machine at this moment"
    begun.end_new("New stick")
    nas.look()
    car.look()
    [device] = [one for one in world.devices.all() if one.name == "New stick"]
    assert nas.ids() == [device.id]
    assert car.ids() == []
    assert not (car.path / OURS).exists(), "it is at nas"
    for one in (nas, car):
        one.registry.close()


def test_who_died_before_it_had_written_the_marker_hinders_nobody(
    world: World, machines: list[Machine]
) -> None:
    nas, car, _ = (with_new(world, one) for one in machines)
    assert nas.stores.device_machines.begin_new("New stick")
    assert not car.stores.device_machines.begin_new("New stick")
    nas.die()

    car.look()

    assert (car.path / OURS).exists()
    assert len(car.ids()) == 1
    car.registry.close()


def with_new(world: World, machine: Machine) -> Machine:
    """Return a machine with a folder that was never a device, of the same name everywhere."""
    path = machine.path.with_name("new")
    path.mkdir()
    problems = Problems(world.bus)
    stores = machine.stores
    registry = DeviceRegistry(
        [DeviceSettings(name="New stick", path=path, users=("ann",))],
        devices=stores.devices,
        downloads=stores.downloads,
        problems=problems,
        clock=world.clock,
        elsewhere=DevicesElsewhere(stores.device_machines, machine.path.parent.name, opens=True),
    )
    return Machine(stores, registry, problems, path)


def test_a_version_that_fits_is_chosen_for_a_device_elsewhere(
    world: World, machines: list[Machine]
) -> None:
    nas, _, web = machines
    nas.look()
    web.look()
    settings = DeviceSettingsService(
        web.registry.settings(),
        devices=web.stores.devices,
        store=DeviceSettingsStore(web.stores.db),
        stop_on=lambda _device_id: None,
        bus=world.bus,
    )
    taken = TakenKinds(settings, web.registry, web.stores.downloads)
    small, huge = (
        FileVersion(id=one.id, size=size, source_etag=None, source_path=None, extension="mkv")
        for one, size in SIZES
    )
    film = replace(track(1), versions=(small, huge))

    assert taken.fit(STICK, film).size == small.size
    nas.die()
    assert taken.fit(STICK, film).size == huge.size, "what room it has is not known"
