"""The present settings of each device: those of the settings file, with people's changes on top.

    config.toml ──▶ DeviceSettingsService.current ◀── changes, checked as the file is
                        │
                        └──▶ budget, reserve, paused … wherever a device is used

It changes nothing on a device. `services.rules.preferences` checks who may change what.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from threading import Lock

from sidecar.config import DeviceSettings
from sidecar.errors import ConfigError
from sidecar.events import Bus, DeviceChanged, Event, NewsMissed, WorkArrived
from sidecar.messages import msg
from sidecar.store.devices.devices import Device, Devices
from sidecar.store.devices.settings import DeviceSettingsStore

log = logging.getLogger(__name__)


def find_settings(
    among: Iterable[DeviceSettings], *, name: str, path: str | None = None
) -> DeviceSettings | None:
    """Return the settings of the device at a path; of the one of this name, if none is there."""
    by_name: DeviceSettings | None = None
    for one in among:
        if str(one.path) == path:
            return one
        if one.name == name:
            by_name = one
    return by_name


def find_unused(devices: Iterable[Device], settings: Iterable[DeviceSettings]) -> frozenset[str]:
    """Return the ids of the devices that the settings name no more: no page shows their files."""
    now = tuple(settings)
    return frozenset(
        one.id for one in devices if find_settings(now, path=one.path, name=one.name) is None
    )


class DeviceSettingsService:
    """Looks up and changes the settings of devices. Safe for many threads."""

    def __init__(
        self,
        configured: Iterable[DeviceSettings],
        *,
        devices: Devices,
        store: DeviceSettingsStore,
        stop_on: Callable[[str], object],
        bus: Bus,
        may_be: Callable[[DeviceSettings], object] = lambda _settings: None,
    ) -> None:
        """Prepare.

        Args:
            configured: The devices of the settings file.
            devices: The devices that were ever attached.
            store: Stores the changes.
            stop_on: Stops the transfers of a device that has just been paused.
            bus: Where changes are published.
            may_be: Raises `ConfigError` for settings that are not possible on this machine.
        """
        self._configured = tuple(configured)
        self._devices = devices
        self._store = store
        self._stop_on = stop_on
        self._bus = bus
        self._may_be = may_be
        # Never held during a database query: the caller may hold other locks.
        self._lock = Lock()
        self._now: dict[str, DeviceSettings] = {}
        self._changes = 0

    def configure(self, configured: Iterable[DeviceSettings]) -> None:
        """Take other devices than those of the start."""
        with self._lock:
            self._configured = tuple(configured)
            self._changes += 1
            self._now.clear()

    def hear(self, event: Event) -> None:
        """Read again what another process may have changed; a listener for the bus."""
        match event:
            case DeviceChanged(device_id):
                only: set[str] | None = {device_id}
            case NewsMissed():
                only = None
            case _:
                return
        with self._lock:
            # Also what is being read is an old one then.
            self._changes += 1
            changed = [one for one in self._now if only is None or one in only]
            for device_id in changed:
                del self._now[device_id]
        for device_id in changed:
            settings = self.of(device_id)
            if settings is not None and settings.paused:
                self._stop_on(device_id)

    def read_again(self) -> None:
        """Look for what another process has changed, whose news may not have come."""
        with self._lock:
            before = dict(self._now)
        for device_id, settings in before.items():
            configured = self.configured(device_id)
            if configured is not None and self._worked_out(device_id, configured) != settings:
                self._bus.receive(DeviceChanged(device_id))
                self._bus.receive(WorkArrived())

    def configured(self, device_id: str) -> DeviceSettings | None:
        """Return the settings of the file for a device; None if it is not configured."""
        known = self._devices.get(device_id)
        return find_settings(self._configured, path=known.path, name=known.name) if known else None

    def of(self, device_id: str) -> DeviceSettings | None:
        """Return the present settings of a device; None if it is not configured."""
        with self._lock:
            known = self._now.get(device_id)
        if known is not None:
            return known
        configured = self.configured(device_id)
        return None if configured is None else self.current(device_id, configured)

    def current(self, device_id: str, configured: DeviceSettings) -> DeviceSettings:
        """Return the present settings of a device, from a cache: called very often.

        A stored change that is not allowed any more is ignored.
        """
        with self._lock:
            known, changes = self._now.get(device_id), self._changes
        if known is not None:
            return known
        worked_out = self._worked_out(device_id, configured)
        with self._lock:
            # Not for somebody who still has the device as it was configured before.
            if changes == self._changes and configured in self._configured:
                self._now[device_id] = worked_out
            # A change that was made meanwhile is newer.
            return self._now.get(device_id, worked_out)

    def check(self, device_id: str, changes: Mapping[str, object]) -> DeviceSettings:
        """Return the settings that some changes would give; change nothing. None undoes a change.

        Raises:
            ConfigError: One of them is not allowed.
        """
        return self._checked(device_id, self._store.of(device_id), changes)[0]

    def change(self, device_id: str, changes: Mapping[str, object]) -> DeviceSettings:
        """Change some settings of a device and return all; None undoes a change.

        Raises:
            ConfigError: One of them is not allowed; nothing was changed.
        """
        while True:
            seen = self._store.of(device_id)
            checked, after = self._checked(device_id, seen, changes)
            # Not what somebody changed meanwhile, perhaps in another process: that stays.
            if self._store.save(device_id, after, seen=seen):
                break
        with self._lock:
            self._changes += 1
            self._now.pop(device_id, None)
        # Not what was checked: the file may have been read again since.
        now = self.of(device_id) or checked
        if now.paused:
            self._stop_on(device_id)
        self._bus.publish(DeviceChanged(device_id))
        self._bus.publish(WorkArrived())
        return now

    def _checked(
        self, device_id: str, stored: Mapping[str, object], changes: Mapping[str, object]
    ) -> tuple[DeviceSettings, dict[str, object]]:
        configured = self.configured(device_id)
        if configured is None:
            raise ConfigError(
                "devices", device_id, None, msg("the settings do not know this device")
            )
        merged = {**self._allowed(stored, configured), **changes}
        after = {key: value for key, value in merged.items() if value is not None}
        checked = configured.with_changes(merged)
        self._may_be(checked)
        return checked, after

    def _worked_out(self, device_id: str, configured: DeviceSettings) -> DeviceSettings:
        changed = self._allowed(self._store.of(device_id), configured)
        return configured.with_changes(changed) if changed else configured

    def _allowed(
        self, stored: Mapping[str, object], configured: DeviceSettings
    ) -> dict[str, object]:
        """Return the stored changes, without those that are not allowed any more."""
        kept: dict[str, object] = {}
        for key, value in stored.items():
            try:
                self._may_be(configured.with_changes({key: value}))
            except ConfigError as wrong:
                log.warning("a change for %s is passed over: %s", configured.name, wrong)
            else:
                kept[key] = value
        return kept
