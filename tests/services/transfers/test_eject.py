"""A device is let go of, pulled out of a real mount, and used again when it is back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest

from sidecar.clock import SystemClock
from sidecar.config import DeviceSettings
from sidecar.device.own.marker import Marker, write_marker
from sidecar.errors import NotVisible
from sidecar.services.accounts.person import Person
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.services.transfers.claims import Claims
from sidecar.services.transfers.eject import EjectService
from tests.device.mounting import mount_memory, mounts_taken_down, needs_root
from tests.patience import PATIENCE_S
from tests.services.conftest import STICK, World, access_to

ANN = Person("a" * 32, "ann", is_admin=False)
BEN = Person("b" * 32, "ben", is_admin=False)

pytestmark = needs_root


class House:
    """A stick that serves Ann alone."""

    def __init__(self, world: World, stick: Path) -> None:
        self.stick = stick
        self.problems = Problems(world.bus)
        self.claims = Claims()
        self.registry = DeviceRegistry(
            [DeviceSettings(name="Car stick", path=stick, users=("ann",))],
            devices=world.devices,
            downloads=world.downloads,
            problems=self.problems,
            clock=world.clock,
        )
        self.unplugging = EjectService(
            access=access_to(world, self.registry.settings),
            registry=self.registry,
            claims=self.claims,
            clock=SystemClock(),
        )
        self.plug_in()
        self.look()

    def look(self) -> None:
        self.registry.look(settle=lambda _device: None)

    def plug_in(self) -> None:
        mount_memory(self.stick, options="size=4m")
        write_marker(self.stick, Marker(STICK, "Car stick"))

    def can_be_pulled_out(self) -> bool:
        done = subprocess.run(
            ["umount", self.stick], capture_output=True, check=False, timeout=PATIENCE_S
        )
        return done.returncode == 0

    def names(self) -> list[str]:
        return [one.id for one in self.registry.all()]


@pytest.fixture
def house(world: World, tmp_path: Path) -> Iterator[House]:
    with mounts_taken_down(tmp_path / "stick") as stick:
        house = House(world, stick)
        yield house
        house.registry.close()


def test_it_can_be_pulled_out_only_once_it_was_let_go(house: House) -> None:
    assert not house.can_be_pulled_out()

    house.unplugging.eject(ANN, STICK)

    assert house.unplugging.is_ejected(STICK)
    assert house.registry.blocked() == {STICK}
    assert house.can_be_pulled_out()


def test_looks_leave_it_alone_until_it_was_away_and_is_back(house: House) -> None:
    house.unplugging.eject(ANN, STICK)
    house.look()
    assert house.names() == []

    assert house.can_be_pulled_out()
    house.look()
    assert not house.unplugging.is_ejected(STICK)
    house.plug_in()
    house.look()

    assert house.names() == [STICK]
    assert house.problems.of(ProblemKind.DEVICE, STICK) is None


def test_it_is_used_again_without_being_pulled_out(house: House) -> None:
    house.unplugging.eject(ANN, STICK)

    house.unplugging.reattach(ANN, STICK)
    until_then = house.problems.of(ProblemKind.DEVICE, STICK)
    house.look()

    assert until_then is not None
    assert until_then.code == "reconnecting"
    assert house.names() == [STICK]
    assert house.registry.blocked() == set()


def test_it_waits_for_the_worker_that_is_writing_there(house: House) -> None:
    stop = house.claims.begin(7, STICK)
    seen: list[bool] = []

    def let_go() -> None:
        seen.append(stop.is_set() and house.names() == [STICK])
        house.claims.end(7)

    Timer(0.1, let_go).start()
    house.unplugging.eject(ANN, STICK)

    assert seen == [True]
    assert house.names() == []


def test_nobody_pulls_out_what_is_not_theirs(house: House) -> None:
    for change in (house.unplugging.eject, house.unplugging.reattach):
        with pytest.raises(NotVisible):
            change(BEN, STICK)

    assert house.names() == [STICK]
