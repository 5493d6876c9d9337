"""Where the objects meet: tables, then the use cases over them. Starts nothing.

`runtime` owns the threads; the command line uses the parts it needs.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.errors import ConfigError
from sidecar.events import Bus
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.accounts import AccountDesk
from sidecar.services.covers import Covers
from sidecar.services.devices import DeviceShelf
from sidecar.services.downloading import Claims, Worker
from sidecar.services.failing import Failing
from sidecar.services.following import Following
from sidecar.services.front_desk import FrontDesk
from sidecar.services.keeping import Keeping
from sidecar.services.planning import Planning
from sidecar.services.progress import Transfers
from sidecar.services.server import ServerWatch
from sidecar.services.settling import Settling
from sidecar.services.troubles import Troubles
from sidecar.services.unattended import Unattended
from sidecar.store.accounts import Accounts
from sidecar.store.api_keys import ApiKeys
from sidecar.store.database import Database
from sidecar.store.devices import Devices
from sidecar.store.downloads import Downloads
from sidecar.store.hearts import Hearts
from sidecar.store.holds import Holds
from sidecar.store.meta import Meta
from sidecar.store.sessions import Sessions
from sidecar.transfer.http import HttpEngine, Patience

DATABASE = "sidecar.db"
KEY_FILE = "token.key"
COVERS = "covers"


class Store:
    """The database and its tables, each with its own hand."""

    def __init__(self, db: Database, bus: Bus, clock: Clock) -> None:
        self.db = db
        self.accounts = Accounts(db)
        self.api_keys = ApiKeys(db, clock)
        self.devices = Devices(db)
        self.downloads = Downloads(db, bus, clock)
        self.hearts = Hearts(db, clock)
        self.holds = Holds(db, bus)
        self.meta = Meta(db)
        self.sessions = Sessions(db, clock)


def account_desk(
    settings: Settings, store: Store, troubles: Troubles, bus: Bus, clock: Clock
) -> AccountDesk:
    """Return what signs accounts in and out.

    Raises:
        errors.ConfigError: No Jellyfin server is set.
    """
    if settings.jellyfin.url is None:
        raise ConfigError("settings", "jellyfin.url", None, "must be given")
    return AccountDesk(
        settings.jellyfin.url,
        ca_file=settings.jellyfin.ca_file,
        accounts=store.accounts,
        meta=store.meta,
        box=TokenBox(settings.server.data_dir / KEY_FILE),
        troubles=troubles,
        bus=bus,
        clock=clock,
    )


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases, each with what it needs."""

    accounts: AccountDesk
    claims: Claims
    desk: FrontDesk
    following: Following
    keeping: Keeping
    shelf: DeviceShelf
    transfers: Transfers
    new_worker: Callable[[], Worker]


def assemble(
    settings: Settings,
    store: Store,
    bus: Bus,
    clock: Clock,
    is_healthy: Callable[[], bool],
) -> Services:
    """Let the use cases meet. Starts nothing.

    Raises:
        errors.ConfigError: No Jellyfin server is set.
    """
    troubles = Troubles(bus)
    accounts = account_desk(settings, store, troubles, bus, clock)
    server = ServerWatch(accounts.anonymous, troubles, clock)
    transfers = Transfers(bus, clock)
    claims = Claims()
    planning = Planning(store.db, store.holds, store.downloads, clock)
    shelf = DeviceShelf(
        settings.devices,
        devices=store.devices,
        downloads=store.downloads,
        troubles=troubles,
        clock=clock,
    )
    following = Following(
        accounts=accounts,
        hearts=store.hearts,
        planning=planning,
        shelf=shelf,
        server=server,
        settings=settings.rules.favourites,
        around=store.db.thread,
        clock=clock,
        chance=random.random,
    )
    unattended = Unattended(
        settings.jellyfin.username,
        settings.jellyfin.password,
        accounts=accounts,
        server=server,
        troubles=troubles,
    )
    keeping = Keeping(
        db=store.db,
        downloads=store.downloads,
        shelf=shelf,
        settling=Settling(store.downloads),
        planning=planning,
        server=server,
        sign_in=unattended.step,
        look_at_accounts=following.look,
        device_came=following.look_through_soon,
        clock=clock,
    )
    desk = FrontDesk(
        accounts=accounts,
        sessions=store.sessions,
        api_keys=store.api_keys,
        downloads=store.downloads,
        holds=store.holds,
        devices=store.devices,
        shelf=shelf,
        troubles=troubles,
        transfers=transfers,
        covers=Covers(settings.server.data_dir / COVERS),
        is_healthy=is_healthy,
        clock=clock,
    )
    failing = Failing(
        downloads=store.downloads,
        accounts=accounts,
        shelf=shelf,
        server=server,
        clock=clock,
        chance=random.random,
    )
    patience = Patience(
        connect=settings.transfer.connect_timeout.total_seconds(),
        read=settings.transfer.read_timeout.total_seconds(),
    )
    new_worker = partial(
        Worker,
        engine=HttpEngine(clock, patience=patience, ca_file=settings.jellyfin.ca_file),
        downloads=store.downloads,
        accounts=accounts,
        shelf=shelf,
        server=server,
        troubles=troubles,
        transfers=transfers,
        claims=claims,
        failing=failing,
        clock=clock,
    )
    return Services(accounts, claims, desk, following, keeping, shelf, transfers, new_worker)
