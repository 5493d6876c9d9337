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
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.devices.settings import DeviceSettingsService
from sidecar.services.jellyfin_status import JellyfinStatus
from sidecar.services.problems import Problems
from sidecar.services.system_status import RecentLog
from sidecar.services.transfers.claims import Claims
from sidecar.services.transfers.formats import DeviceFormats, check_format
from sidecar.services.transfers.network_policy import NetworkPolicy
from sidecar.services.transfers.originals import KeptOriginals
from sidecar.services.transfers.speed_limits import SpeedLimits
from sidecar.store.devices.settings import DeviceSettingsStore
from sidecar.store.downloads.formats import FormatStore
from sidecar.transfer.converting.availability import ConverterAvailability
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
    def problems(self) -> Problems:
        """What stands in the way now."""
        return Problems(self._bus)

    @cached_property
    def accounts(self) -> AccountService:
        """Who is signed in."""
        return account_desk(self._settings, self._store, self.problems, self._bus, self._clock)

    @cached_property
    def server(self) -> JellyfinStatus:
        """Whether Jellyfin is there."""
        return JellyfinStatus(self.accounts.anonymous, self.problems, self._clock)

    @cached_property
    def claims(self) -> Claims:
        """What the workers hold."""
        claims = Claims()
        self._bus.subscribe(claims.hear)
        return claims

    @cached_property
    def device_book(self) -> DeviceSettingsService:
        """What is set of each device."""
        return DeviceSettingsService(
            self._settings.devices,
            devices=self._store.devices,
            store=DeviceSettingsStore(self._store.db),
            stop_on=self.claims.stop_on,
            bus=self._bus,
            may_be=partial(check_format, can_make=self.workshop.check),
        )

    @cached_property
    def workshop(self) -> ConverterAvailability:
        """Where files are converted."""
        return ConverterAvailability(self._settings.transfer.ffmpeg, self._clock)

    def check_formats(self) -> None:
        """Make sure that the formats in the settings file can be made here.

        Raises:
            errors.ConfigError: One cannot.
        """
        for device in self._settings.devices:
            check_format(device, self.workshop.check)

    @cached_property
    def formats(self) -> DeviceFormats:
        """In which format music comes to the devices."""
        formats = DeviceFormats(
            self.device_book,
            store=FormatStore(self._store.db),
            devices=self._store.devices,
            downloads=self._store.downloads,
            registry=self.registry,
            meta=self._store.meta,
            item=lambda one: self.accounts.client(one.user_id).item(one.item_id),
            server_is_there=lambda: self.server.is_there,
        )
        self._bus.subscribe(formats.hear)
        return formats

    @cached_property
    def originals(self) -> KeptOriginals:
        """Those that are kept besides what was converted."""
        originals = KeptOriginals(self.registry, FormatStore(self._store.db))
        self._bus.subscribe(originals.hear)
        return originals

    @cached_property
    def registry(self) -> DeviceRegistry:
        """The devices as they are now."""
        return DeviceRegistry(
            self._settings.devices,
            current=self.device_book.current,
            devices=self._store.devices,
            downloads=self._store.downloads,
            problems=self.problems,
            clock=self._clock,
        )

    @cached_property
    def access(self) -> DeviceAccess:
        """Who may use and who may manage each device."""
        return DeviceAccess(self.registry.settings, self._store.devices, self.accounts.all)

    @cached_property
    def network(self) -> NetworkPolicy:
        """What may be fetched now."""
        settings = self._settings.network
        return NetworkPolicy(
            settings,
            zone=zone(settings.time_zone),
            look=WayOut().look,
            registry=self.registry,
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
            registry=self.registry,
            meta=self._store.meta,
            clock=self._clock,
        )
