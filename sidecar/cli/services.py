"""Creates the services over the database for a short command; none of their threads runs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sidecar.assembly.accounts import AccountServices, make_accounts
from sidecar.assembly.base import Base
from sidecar.assembly.devices import DeviceServices, make_devices
from sidecar.assembly.rules import RuleServices, make_rules
from sidecar.assembly.store import page_configuration
from sidecar.cli.opening import open_database
from sidecar.clock import SystemClock
from sidecar.config import Settings
from sidecar.domain.processes.roles import ALONE
from sidecar.errors import ConfigError
from sidecar.events import Bus
from sidecar.services.health.system_status import RecentLog
from sidecar.services.processes.sharing import Sharing
from sidecar.store.stores import Stores


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandServices:
    """The services that a command uses."""

    base: Base
    accounts: AccountServices
    devices: DeviceServices
    rules: RuleServices


@contextmanager
def open_services(settings: Settings) -> Iterator[CommandServices]:
    """Open the database, also beside a running sidecar, and create the services over it.

    Args:
        settings: All of them, with those of the page.

    Raises:
        errors.ConfigError: No Jellyfin server is set.
        errors.DatabaseError: The file cannot be used.
    """
    if settings.jellyfin.url is None:
        raise ConfigError("settings", "jellyfin.url", None, "must be given")
    clock, bus = SystemClock(), Bus()
    with open_database(settings, clock) as db:
        store = Stores(db, bus, clock)
        base = Base(
            settings=settings,
            # What the page sets is in the settings already.
            configuration=page_configuration(
                settings, store, bus, ignored=store.page_settings.all()
            ),
            store=store,
            bus=bus,
            clock=clock,
            is_healthy=lambda: True,
            recent=RecentLog(logging.Formatter()),
            sharing=Sharing(store, bus, clock, ALONE),
        )
        accounts = make_accounts(base)
        devices = make_devices(base, accounts)
        rules = make_rules(base, accounts, devices)
        yield CommandServices(base=base, accounts=accounts, devices=devices, rules=rules)
