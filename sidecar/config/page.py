"""The settings that admins change on the page, and how they combine with all others.

    defaults < page < file < environment < demo

What the file, the environment or the demo sets is shown on the page, but cannot be changed there.
Changes have the keys and the values of the file: "transfer.workers" → 4, "network.quiet_hours" →
["22:00-06:30"].
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType

from pydantic import ValidationError

from sidecar.config.base import Section, explain_invalid
from sidecar.config.rules import SECTIONS as RULE_SECTIONS
from sidecar.config.schema import is_secret
from sidecar.config.settings import (
    Aria2Settings,
    BackupSettings,
    DatabaseSettings,
    DeviceSettings,
    JellyfinSettings,
    LogSettings,
    MetricsSettings,
    NetworkSettings,
    RedisSettings,
    ServerSettings,
    Settings,
    SyncthingSettings,
    TransferSettings,
    check_devices,
)
from sidecar.errors import ConfigError
from sidecar.messages import msg

Changes = Mapping[str, object]
DEVICES = "devices"
# Whoever may change these could run programs and read files on this machine; the data folder is
# where the changes are stored.
FILE_ONLY = frozenset(
    {
        "jellyfin.username",
        "jellyfin.password",
        "jellyfin.ca_file",
        "backup.folder",
        "database.url",
        "redis.url",
        "server.data_dir",
        "server.machine",
        "transfer.ffmpeg",
        "transfer.aria2.program",
        "syncthing.api_key_file",
        "syncthing.certificate",
    }
)
# The secrets that are sent to an address. Who may change the address alone could have them sent to
# a machine of their own.
SECRETS_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "jellyfin.url": ("jellyfin.password",),
        "transfer.aria2.url": ("transfer.aria2.secret",),
        "syncthing.url": ("syncthing.api_key", "syncthing.api_key_file"),
    }
)
# These are looked up whenever they are needed; all others only at the start.
_AT_ONCE = ("network.", "rules.", "log.", "backup.", "metrics.")
_AT_ONCE_KEYS = frozenset(
    {"transfer.speed_limit", "transfer.busy_hours", "transfer.busy_speed_limit", DEVICES}
)
SECTIONS: Mapping[str, type[Section]] = MappingProxyType(
    {
        "jellyfin": JellyfinSettings,
        "transfer": TransferSettings,
        "transfer.aria2": Aria2Settings,
        "network": NetworkSettings,
        **{f"rules.{name}": section for name, section in RULE_SECTIONS.items()},
        "syncthing": SyncthingSettings,
        "backup": BackupSettings,
        "server": ServerSettings,
        "database": DatabaseSettings,
        "redis": RedisSettings,
        "log": LogSettings,
        "metrics": MetricsSettings,
    }
)


class Origin(StrEnum):
    """Where the value of a setting comes from."""

    DEFAULT = "default"
    PAGE = "page"
    FILE = "file"
    ENVIRONMENT = "environment"
    DEMO = "demo"

    @property
    def is_locked(self) -> bool:
        """Whether the page cannot change the setting."""
        return self in {Origin.FILE, Origin.ENVIRONMENT, Origin.DEMO}


def keys_of(section: str) -> Iterator[str]:
    """Yield the names of the keys of a section, without those of the sections in it."""
    for name in SECTIONS[section].model_fields:
        if f"{section}.{name}" not in SECTIONS:
            yield name


def find_section(settings: Settings, section: str) -> Section:
    """Return a section of the settings by its name, such as "transfer.aria2"."""
    found: Section = settings
    for part in section.split("."):
        found = getattr(found, part)
    return found


def find_origin(base: Settings, changes: Changes, section: str, key: str) -> Origin:
    """Return where the value of a setting comes from.

    Args:
        base: The settings of the file, the environment and the demo.
        changes: What the page changes.
        section: The name of the section.
        key: The name of the key in the section.
    """
    place = f"{section}.{key}"
    if place in base.from_demo:
        return Origin.DEMO
    if place in base.from_environment:
        return Origin.ENVIRONMENT
    if key in find_section(base, section).model_fields_set:
        return Origin.FILE
    return Origin.PAGE if place in changes else Origin.DEFAULT


def needs_restart(place: str) -> bool:
    """Whether a change of this setting counts only after a restart."""
    return not place.startswith(_AT_ONCE) and place not in _AT_ONCE_KEYS


def merge(base: Settings, changes: Changes) -> Settings:
    """Return the settings with what the page changes and neither file nor environment sets.

    Raises:
        ConfigError: A key or a value is wrong.
    """
    updates: dict[str, object] = {}
    for name in {place.partition(".")[0] for place in changes} - {DEVICES}:
        section = getattr(base, name, None)
        if not isinstance(section, Section):
            raise ConfigError("page", name, None, msg("there is no such setting"))
        updates[name] = _with_changes(section, name, changes)
    merged = base.model_copy(update=updates)
    return _with_devices(merged, changes[DEVICES]) if DEVICES in changes else merged


def merge_valid(base: Settings, changes: Changes) -> tuple[Settings, dict[str, ConfigError]]:
    """Merge what is valid; return the rest with the reasons, by key.

    What was valid may not be any more: after an update, or beside what the file says now.
    """
    valid: dict[str, object] = {}
    refused: dict[str, ConfigError] = {}
    for place, value in changes.items():
        if place == DEVICES:
            continue
        try:
            merge(base, {place: value})
        except ConfigError as error:
            refused[place] = error
        else:
            valid[place] = value
    devices: list[object] = []
    for one in _as_list(changes.get(DEVICES, ())):
        try:
            merge(base, {DEVICES: [*devices, one]})
        except ConfigError as error:
            refused[DEVICES] = error
        else:
            devices.append(one)
    return merge(base, {**valid, DEVICES: devices} if devices else valid), refused


def _with_changes(section: Section, path: str, changes: Changes) -> Section:
    prefix = f"{path}."
    inside = {
        one.removeprefix(prefix): two for one, two in changes.items() if one.startswith(prefix)
    }
    if not inside:
        return section
    own: dict[str, object] = {}
    deeper: dict[str, object] = {}
    for place, value in inside.items():
        name, dot, _ = place.partition(".")
        below = getattr(section, name, None)
        if dot and isinstance(below, Section):
            deeper[name] = _with_changes(below, f"{prefix}{name}", changes)
        elif name not in section.model_fields_set or name not in type(section).model_fields:
            own[place] = value
    if own:
        given = {name: getattr(section, name) for name in section.model_fields_set}
        try:
            section = type(section).model_validate({**given, **own})
        except ValidationError as error:
            shown = {name: own[name] for name in own if not is_secret(type(section), (name,))}
            raise explain_invalid(path, error, shown) from None
    return section.model_copy(update=deeper) if deeper else section


def _with_devices(settings: Settings, given: object) -> Settings:
    devices = list(settings.devices)
    for one in _as_list(given):
        try:
            devices.append(DeviceSettings.model_validate(one))
        except ValidationError as error:
            raise explain_invalid(DEVICES, error, one if isinstance(one, Mapping) else {}) from None
    merged = settings.model_copy(update={"devices": tuple(devices)})
    check_devices(merged, "page")
    return merged


def _as_list(given: object) -> list[object]:
    return list(given) if isinstance(given, list | tuple) else []
