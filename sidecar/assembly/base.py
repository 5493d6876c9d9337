"""What every group of services is created from: settings, stores, bus, clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from socket import gethostname

from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.device.drives import DevicePlaces
from sidecar.domain.notifications.push_services import check_endpoint
from sidecar.domain.processes.roles import ALONE, Roles
from sidecar.errors import LockedOut
from sidecar.events import Bus
from sidecar.services.configuration.service import ConfigurationService
from sidecar.services.devices.settings import find_unused
from sidecar.services.health.system_status import RecentLog
from sidecar.services.processes.sharing import Sharing
from sidecar.store.stores import Stores


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What every group of services is created from.

    Attributes:
        settings: As they were at the start.
        configuration: The present settings, and what the page changes.
        is_healthy: Whether every thread is alive and the database answers.
        is_stopping: Whether threads are to end: what takes long looks now and then.
        recent: The last lines of the log, for the admins' page.
        roles: What this process does.
        places: Where devices can be on this machine.
        check_push: Why the address of a browser's subscription may not be sent to.
        locked_out: Called when an admin has removed this machine from the installation.
        sharing: What it tells other processes, and hears of them.
    """

    settings: Settings
    configuration: ConfigurationService
    store: Stores
    bus: Bus
    clock: Clock
    is_healthy: Callable[[], bool]
    recent: RecentLog
    sharing: Sharing
    is_stopping: Callable[[], bool] = lambda: False
    roles: Roles = ALONE
    places: DevicePlaces = field(default_factory=DevicePlaces)
    check_push: Callable[[str], str | None] = check_endpoint
    locked_out: Callable[[LockedOut], object] = lambda _error: None

    @property
    def machine(self) -> str:
        """What this machine is called."""
        return name_machine(self.settings)

    def unused_devices(self) -> frozenset[str]:
        """Return the ids of the devices that are in use no more: no machine's settings name them.

        Each machine that has ever had a device tells it, until its settings name it no more.
        """
        unused = find_unused(self.store.devices.all(), self.configuration.now().devices)
        if self.roles.is_alone or not unused:
            return unused
        return unused - self.store.device_machines.list_had()


def name_machine(settings: Settings) -> str:
    """Return what this machine is called among those that share a database."""
    return settings.server.machine or gethostname()
