"""Creates all services of a running sidecar, group by group."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from sidecar.assembly.accounts import AccountServices, make_accounts
from sidecar.assembly.background import BackgroundServices, make_background
from sidecar.assembly.base import Base
from sidecar.assembly.devices import DeviceServices, make_devices
from sidecar.assembly.possible import check_engine, check_listening
from sidecar.assembly.rules import RuleServices, make_rules
from sidecar.assembly.store import page_configuration
from sidecar.assembly.transfers import TransferServices, make_transfers
from sidecar.assembly.web import make_web
from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.device.drives import DevicePlaces
from sidecar.domain.notifications.push_services import check_endpoint
from sidecar.domain.processes.roles import ALONE, Roles
from sidecar.errors import LockedOut
from sidecar.events import Bus, Sender
from sidecar.services.configuration.service import ConfigurationService
from sidecar.services.health.system_status import RecentLog
from sidecar.services.orders.runner import OrderRunner
from sidecar.services.processes.sharing import Sharing
from sidecar.services.transfers.finishing.formats import check_format
from sidecar.store.stores import Stores
from sidecar.web.services import WebServices


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """All services, one group for each capability.

    Attributes:
        orders: Carries out what other processes have ordered for devices that are here.
        sharing: What this process tells others, and hears of them.
    """

    configuration: ConfigurationService
    accounts: AccountServices
    devices: DeviceServices
    rules: RuleServices
    transfers: TransferServices
    background: BackgroundServices
    web: WebServices
    orders: OrderRunner
    sharing: Sharing


def assemble(
    settings: Settings,
    store: Stores,
    bus: Bus,
    clock: Clock,
    is_healthy: Callable[[], bool] = lambda: True,
    *,
    is_stopping: Callable[[], bool] = lambda: False,
    recent: RecentLog | None = None,
    configuration: ConfigurationService | None = None,
    roles: Roles = ALONE,
    places: DevicePlaces | None = None,
    check_push: Callable[[str], str | None] = check_endpoint,
    locked_out: Callable[[LockedOut], object] = lambda _error: None,
) -> Assembly:
    """Create all services; none is started.

    Args:
        settings: Those of the file and the environment.
        store: All stores.
        bus: Where news are published.
        clock: The time.
        is_healthy: Whether every thread is alive and the database answers.
        is_stopping: Whether threads are to end.
        recent: The last lines of the log.
        configuration: What the page adds to the settings; read from the store unless given.
        roles: What this process does.
        places: Where devices can be on this machine.
        check_push: Why the address of a browser's subscription may not be sent to; None if it may.
        locked_out: Called when an admin has removed this machine from the installation.

    Raises:
        errors.ConfigError: No Jellyfin server is set, a device's format cannot be made here, or
            the program that should transfer files is not installed.
    """
    configuration = configuration or page_configuration(settings, store, bus)
    bus.subscribe(configuration.hear, Sender.ELSEWHERE)
    configuration.check_with((check_engine, check_listening))
    settings = configuration.now()
    base = Base(
        settings=settings,
        configuration=configuration,
        store=store,
        bus=bus,
        clock=clock,
        is_healthy=is_healthy,
        is_stopping=is_stopping,
        recent=recent or RecentLog(logging.Formatter()),
        sharing=Sharing(store, bus, clock, roles),
        roles=roles,
        places=places or DevicePlaces(),
        check_push=check_push,
        locked_out=locked_out,
    )
    accounts = make_accounts(base)
    devices = make_devices(base, accounts)
    for device in settings.devices:
        check_format(device, devices.converting.check)
    rules = make_rules(base, accounts, devices)
    transfers = make_transfers(base, accounts, devices, rules)
    background = make_background(base, accounts, devices, rules, transfers)
    web = make_web(base, accounts, devices, rules, transfers, background=background)
    orders = OrderRunner(
        web.orders.kinds, store.orders, devices.registry, accounts.service.get, bus
    )
    bus.subscribe(orders.hear)
    return Assembly(
        configuration=configuration,
        accounts=accounts,
        devices=devices,
        rules=rules,
        transfers=transfers,
        background=background,
        web=web,
        orders=orders,
        sharing=base.sharing,
    )
