"""Builds the view of a device's settings and of each rule there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.config import DeviceSettings
from sidecar.config.rules import SECTIONS
from sidecar.config.schema import SettingKey, describe_keys, to_plain_value
from sidecar.config.settings import CHANGEABLE
from sidecar.domain.rules.context import Rule
from sidecar.domain.rules.registry import COMPUTED_RULES
from sidecar.errors import NotVisible
from sidecar.services.devices.access import Management
from sidecar.services.devices.settings import DeviceSettingsService
from sidecar.services.rules.settings.settings import RuleSettingsService
from sidecar.store.rules.holds import Holds

# A rule may have a reason for each of a thousand albums.
MOST_REASONS = 50

Remarks = Callable[[str, str], Mapping[str, tuple[str, ...]]]
DEVICE_KEYS = tuple(one for one in describe_keys(DeviceSettings) if one.name in CHANGEABLE)


Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that can be changed.

    Attributes:
        value: The current value; a duration as people write it, a size in bytes.
        default: The value from the settings file.
    """

    key: SettingKey
    value: Value
    default: Value


@dataclass(frozen=True, slots=True)
class RuleSettingsView:
    """The settings of one rule on one device, for one person.

    Attributes:
        remarks: What the rule cannot do now.
        files: How many files its holds keep.
        because: The reasons of its holds, e.g. "you played 3 of 11 tracks of First Light".
    """

    name: str
    settings: tuple[Setting, ...]
    remarks: tuple[str, ...]
    files: int
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeviceSettingsView:
    """The settings of a device and of its rules."""

    device_id: str
    name: str
    management: Management
    settings: tuple[Setting, ...]
    rules: tuple[RuleSettingsView, ...]


def device_settings_view(
    user_id: str,
    device_id: str,
    *,
    management: Management,
    devices: DeviceSettingsService,
    rules: RuleSettingsService,
    holds: Holds,
    remarks: Remarks,
) -> DeviceSettingsView:
    """Return the settings of a device, with the remarks and reasons of one account.

    Raises:
        NotVisible: The device is not in the settings file.
    """
    now, default = devices.of(device_id), devices.configured(device_id)
    if now is None or default is None:
        raise NotVisible
    said, reasons = remarks(user_id, device_id), holds.reasons_of(user_id, device_id)
    files = holds.files_of(user_id, device_id)

    def steering(rule: Rule[Any]) -> RuleSettingsView:
        return RuleSettingsView(
            name=rule.name,
            settings=_settings(
                describe_keys(SECTIONS[rule.name]), rules.of(rule, device_id), rules.default(rule)
            ),
            remarks=said.get(rule.name, ()),
            files=files.get(rule.name, 0),
            because=tuple(reasons.get(rule.name, ()))[:MOST_REASONS],
        )

    return DeviceSettingsView(
        device_id=device_id,
        name=now.name,
        management=management,
        settings=_settings(DEVICE_KEYS, now.with_usual_kinds(), default.with_usual_kinds()),
        rules=tuple(map(steering, COMPUTED_RULES)),
    )


def _settings(
    described: tuple[SettingKey, ...], now: object, default: object
) -> tuple[Setting, ...]:
    return tuple(
        Setting(
            one, to_plain_value(getattr(now, one.name)), to_plain_value(getattr(default, one.name))
        )
        for one in described
    )
