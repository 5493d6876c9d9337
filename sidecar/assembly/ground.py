"""What all use cases stand on: Jellyfin, its accounts, the devices and what may be fetched now."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property, partial

from sidecar.assembly.store import Store, account_desk
from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.config.zones import zone
from sidecar.events import Bus
from sidecar.services.accounts.accounts import AccountDesk
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.registry import DeviceShelf
from sidecar.services.devices.settings import DeviceBook
from sidecar.services.jellyfin_status import ServerWatch
from sidecar.services.problems import Troubles
from sidecar.services.system_status import RecentLog
from sidecar.services.transfers.claims import Claims
from sidecar.services.transfers.formats import Formats, check_format
from sidecar.services.transfers.network_policy import NetworkRule
from sidecar.services.transfers.originals import KeptOriginals
from sidecar.services.transfers.speed_limits import SpeedLimits
from sidecar.store.devices.settings import DeviceSettingsStore
from sidecar.store.downloads.formats import FormatStore
from sidecar.transfer.converting.availability import Workshop
from sidecar.transfer.network import WayOut


class Ground:
    """What all use cases stand on."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        bus: Bus,
        clock: Clock,
        is_healthy: Callable[[], bool],
        *,
        recent: RecentLog | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._bus = bus
        self._clock = clock
        self._is_healthy = is_healthy
        self._recent = recent or RecentLog(logging.Formatter())

    @cached_property
    def troubles(self) -> Troubles:
        """What stands in the way now."""
        return Troubles(self._bus)

    @cached_property
    def accounts(self) -> AccountDesk:
        """Who is signed in."""
        return account_desk(self._settings, self._store, self.troubles, self._bus, self._clock)

    @cached_property
    def server(self) -> ServerWatch:
        """Whether Jellyfin is there."""
        return ServerWatch(self.accounts.anonymous, self.troubles, self._clock)

    @cached_property
    def claims(self) -> Claims:
        """What the workers hold."""
        claims = Claims()
        self._bus.subscribe(claims.hear)
        return claims

    @cached_property
    def device_book(self) -> DeviceBook:
        """What is set of each device."""
        return DeviceBook(
            self._settings.devices,
            devices=self._store.devices,
            store=DeviceSettingsStore(self._store.db),
            stop_on=self.claims.stop_on,
            bus=self._bus,
            may_be=partial(check_format, can_make=self.workshop.check),
        )

    @cached_property
    def workshop(self) -> Workshop:
        """Where files are converted."""
        return Workshop(self._settings.transfer.ffmpeg, self._clock)

    def check_formats(self) -> None:
        """Make sure that the formats in the settings file can be made here.

        Raises:
            errors.ConfigError: One cannot.
        """
        for device in self._settings.devices:
            check_format(device, self.workshop.check)

    @cached_property
    def formats(self) -> Formats:
        """In which format music comes to the devices."""
        formats = Formats(
            self.device_book,
            store=FormatStore(self._store.db),
            devices=self._store.devices,
            downloads=self._store.downloads,
            shelf=self.shelf,
            meta=self._store.meta,
            item=lambda one: self.accounts.client(one.user_id).item(one.item_id),
            server_is_there=lambda: self.server.is_there,
        )
        self._bus.subscribe(formats.hear)
        return formats

    @cached_property
    def originals(self) -> KeptOriginals:
        """Those that are kept besides what was converted."""
        originals = KeptOriginals(self.shelf, FormatStore(self._store.db))
        self._bus.subscribe(originals.hear)
        return originals

    @cached_property
    def shelf(self) -> DeviceShelf:
        """The devices as they are now."""
        return DeviceShelf(
            self._settings.devices,
            current=self.device_book.current,
            devices=self._store.devices,
            downloads=self._store.downloads,
            troubles=self.troubles,
            clock=self._clock,
        )

    @cached_property
    def access(self) -> DeviceAccess:
        """Who may use and who may manage each device."""
        return DeviceAccess(self.shelf.settings, self._store.devices, self.accounts.all)

    @cached_property
    def network(self) -> NetworkRule:
        """What may be fetched now."""
        settings = self._settings.network
        return NetworkRule(
            settings,
            zone=zone(settings.time_zone),
            look=WayOut().look,
            shelf=self.shelf,
            claims=self.claims,
            holds=self._store.holds,
            meta=self._store.meta,
            bus=self._bus,
            clock=self._clock,
        )

    @cached_property
    def speed(self) -> SpeedLimits:
        """How fast transfers may be."""
        return SpeedLimits(
            self._settings.transfer,
            zone=zone(self._settings.network.time_zone),
            shelf=self.shelf,
            meta=self._store.meta,
            clock=self._clock,
        )
