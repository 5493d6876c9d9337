"""Two processes on one database: pages on the machine "nas", and a stick at the machine "car"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sidecar.assembly.assembly import Assembly, assemble
from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.domain.processes.roles import Roles, Task
from sidecar.events import Bus
from sidecar.store.database import Database
from sidecar.store.stores import Stores
from tests.fakes.clock import FakeClock
from tests.web.house import WebHouse, web_house

PAGES = Roles(frozenset({Task.WEB, Task.WATCH}), is_alone=False)
WORK = Roles(frozenset({Task.WORK}), is_alone=False)


@dataclass
class Car:
    """The process that has the stick."""

    services: Assembly
    store: Stores
    bus: Bus

    def look(self) -> None:
        """Look at the devices, and tell the others."""
        self.services.devices.registry.look(settle=lambda _device: None)

    def tell(self) -> None:
        """Look at the files, plan, and tell the others what there is to know."""
        self.look()
        self.services.background.removals.step()
        self.services.transfers.space.step()
        self.services.sharing.step()

    def work(self) -> None:
        """Carry out what is ordered."""
        self.services.accounts.service.read_again()
        self.services.orders.step()
        self.look()

    def die(self) -> None:
        """End without a word."""
        self.services.devices.registry.close()
        assert self.store.processes.end(self.store.processes.own_id)

    def come_back(self) -> None:
        """Start again, as another process of the same machine."""
        self.store.processes.take_another_id()
        self.store.processes.register("car", "/car", is_alone=False)
        self.look()


def share(one: WebHouse | Car) -> None:
    """Let a process tell what it has found, and hear what others have found and ask for."""
    one.services.sharing.step()


def hear(house: WebHouse) -> None:
    """Let the pages know what the other machine has told."""
    house.look_at_devices()
    house.services.sharing.step()
    house.services.devices.shared_problems.step()
    house.services.transfers.shared_progress.step()


@contextmanager
def house_and_car(
    folder: Path,
    clock: FakeClock,
    change: Callable[[Settings], Settings],
    *,
    web_clock: Clock | None = None,
    pages: Roles = PAGES,
    work: Roles = WORK,
    at_car: Callable[[Settings], Settings] = lambda settings: settings,
) -> Iterator[tuple[WebHouse, Car]]:
    """Build both in this folder; the stick is attached at the car, and the pages know it.

    `at_car` changes the settings there alone.
    """
    with web_house(folder, clock, change=change, roles=pages, web_clock=web_clock) as house:
        house.store.processes.register("nas", "/nas", is_alone=False)
        base = house.services.configuration.now()
        server = base.server.model_copy(update={"machine": "car"})
        db, bus = Database.open_existing(house.store.db.path), Bus()
        store = Stores(db, bus, clock, machine="car")
        store.processes.register("car", "/car", is_alone=False)
        settings = at_car(base.model_copy(update={"server": server}))
        services = assemble(settings, store, bus, clock, roles=work)
        car = Car(services, store, bus)
        car.look()
        house.look_at_devices()
        try:
            yield house, car
        finally:
            services.rules.threads.end()
            services.web.replays.close()
            services.background.removals.close()
            services.devices.registry.close()
            db.close()
