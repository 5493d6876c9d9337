"""The store as it really is, a clock that is told, and a few items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest

from sidecar.config import DeviceSettings
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.domain.downloads.download import Download
from sidecar.domain.items.item import Item, ItemType
from sidecar.events import Bus, Event
from sidecar.services.accounts.ownership import Ownership
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.attached import CurrentSettings, unchanged
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.downloads.views import DownloadView
from sidecar.services.health.problems import Problems
from sidecar.services.transfers.recovery import DeviceRecovery
from sidecar.store.accounts.accounts import Account, Accounts
from sidecar.store.database import Database
from sidecar.store.devices.devices import Device, Devices
from sidecar.store.downloads.queue import Downloads
from sidecar.store.meta import Meta
from sidecar.store.rules.favourites import FavouriteStates
from sidecar.store.rules.holds import Holds
from sidecar.store.stores import Stores
from tests.fakes.clock import FakeClock
from tests.fakes.libraries.tiny import tiny_library
from tests.fakes.servers.demo import House
from tests.store.examples import with_tables

STICK = "11111111-1111-4111-8111-111111111111"
ANN = "a" * 32


@dataclass
class World:
    """Everything a service may need of the layers below."""

    clock: FakeClock
    bus: Bus
    news: list[Event]
    db: Database
    accounts: Accounts
    devices: Devices
    downloads: Downloads
    hearts: FavouriteStates
    holds: Holds
    meta: Meta
    stores: Stores


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path, FakeClock()) as world:
        yield world


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Return the demo servers of a tiny library."""
    house = House(tiny_library(tmp_path / "library"))
    with house.open:
        yield house


@pytest.fixture(params=Version, ids=lambda one: one.value)
def server(house: House, request: pytest.FixtureRequest) -> DemoServer:
    """Return a demo server of each version."""
    return house.server(request.param)


@contextmanager
def opened(tmp_path: Path, clock: FakeClock) -> Iterator[World]:
    """Open the store in this folder, as it was left there."""
    bus = Bus()
    news: list[Event] = []
    bus.subscribe(news.append)
    db = Database.open(with_tables(tmp_path / "data" / "sidecar.db"), clock=clock)
    stores = Stores(db, bus, clock)
    devices, accounts = stores.devices, stores.accounts
    devices.save(Device(STICK, "Car stick", str(tmp_path / "stick"), clock.now()))
    accounts.save(
        Account(
            user_id=ANN,
            name="ann",
            server_id="5" * 32,
            is_admin=False,
            may_download=True,
            jellyfin_device_id="sidecar-ann",
            token_encrypted=None,
            is_signed_in=False,
            signed_in_at=clock.now(),
        )
    )
    yield World(
        clock=clock,
        bus=bus,
        news=news,
        db=db,
        accounts=accounts,
        devices=devices,
        downloads=stores.downloads,
        hearts=stores.hearts,
        holds=stores.holds,
        meta=stores.meta,
        stores=stores,
    )
    db.close()


def new_registry(
    world: World,
    *settings: DeviceSettings,
    problems: Problems | None = None,
    current: CurrentSettings = unchanged,
) -> DeviceRegistry:
    """Return the registry of these devices, before it has looked at one."""
    return DeviceRegistry(
        settings,
        devices=world.devices,
        downloads=world.downloads,
        problems=problems or Problems(world.bus),
        clock=world.clock,
        current=current,
    )


def registry_of(
    world: World,
    *settings: DeviceSettings,
    problems: Problems | None = None,
    current: CurrentSettings = unchanged,
) -> DeviceRegistry:
    """Return the registry of these devices; what is there of them is attached."""
    registry = new_registry(world, *settings, problems=problems, current=current)
    registry.look(settle=lambda device: DeviceRecovery(world.downloads).reconcile(device, []))
    return registry


def access_to(world: World, settings: Callable[[], Iterable[DeviceSettings]]) -> DeviceAccess:
    """Return who may do what with the devices of these settings."""
    return DeviceAccess(settings, world.devices, world.accounts.all)


def owned(world: World) -> Ownership:
    """Return whose downloads are whose."""
    return Ownership(world.stores, accounts=world.accounts.all, unused=frozenset)


def as_shown(row: Download) -> DownloadView:
    """Return a row as people see it, without who wants it."""
    stored: dict[str, Any] = {one.name: getattr(row, one.name) for one in fields(row)}
    return DownloadView(**stored, device_name="Car stick")


def track(number: int, **facts: object) -> Item:
    values: dict[str, object] = {
        "id": f"{number:032x}",
        "type": ItemType.AUDIO,
        "title": f"Tone {number}",
        "artist": "The Sine Waves",
        "album": "First Light",
        "number": number,
        "extension": "flac",
        "size": 1000 * number,
        "is_favorite": True,
        "can_download": True,
    }
    return Item(**{**values, **facts})  # type: ignore[arg-type]
