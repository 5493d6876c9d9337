"""The settings of a device and its rules: shown to its users, changed by its managers.

change ──▶ all keys checked ──▶ all stored ──▶ the rules of all its users run
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType

from sidecar.config.rules import SECTIONS
from sidecar.config.schema import SettingKey, describe_keys
from sidecar.domain.rules.registry import COMPUTED_RULES
from sidecar.domain.space.space import Space
from sidecar.domain.undo import Reversal
from sidecar.errors import ConfigError, NotPossible
from sidecar.messages import Size, msg
from sidecar.services.accounts.person import Person
from sidecar.services.configuration.explain import explain_refusal
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.settings import DeviceSettingsService
from sidecar.services.rules.settings.settings import RuleSettingsService
from sidecar.services.rules.settings.view import (
    DEVICE_KEYS,
    DeviceSettingsView,
    Remarks,
    device_settings_view,
)
from sidecar.store.accounts.accounts import Account
from sidecar.store.rules.holds import Holds

RESERVE = "reserve"
# Each person's favourites are the same on all devices.
SET_FOR_DEVICE = MappingProxyType({one.name: one for one in COMPUTED_RULES})


class SettingsEditor:
    """Shows and changes the settings of devices and of their rules. Thread-safe.

    Every call raises `NotVisible` for a device that is unknown or does not serve the person.
    """

    def __init__(
        self,
        *,
        access: DeviceAccess,
        devices: DeviceSettingsService,
        rules: RuleSettingsService,
        holds: Holds,
        accounts: Callable[[], Iterable[Account]],
        remarks: Remarks,
        space_on: Callable[[str], Space | None],
        wake: Callable[[str], object],
    ) -> None:
        """Prepare.

        Args:
            access: Who may use and who may manage a device.
            devices: The settings of the devices.
            rules: The settings of the rules.
            holds: The holds of the rules.
            accounts: Returns the accounts that are signed in.
            remarks: Returns what the rules cannot do now for an account on a device.
            space_on: Returns the space on a device; None while it is not known.
            wake: Has all rules of an account run, and its favourites listed.
        """
        self._access = access
        self._devices = devices
        self._rules = rules
        self._holds = holds
        self._accounts = accounts
        self._remarks = remarks
        self._space_on = space_on
        self._wake = wake

    def settings(self, person: Person, device_id: str) -> DeviceSettingsView:
        """Return the settings of a device and of each rule there."""
        return device_settings_view(
            person.user_id,
            device_id,
            management=self._access.management(person, self._access.settings(person, device_id)),
            devices=self._devices,
            rules=self._rules,
            holds=self._holds,
            remarks=self._remarks,
        )

    def change(
        self,
        person: Person,
        device_id: str,
        device: Mapping[str, object],
        rules: Mapping[str, Mapping[str, object]],
    ) -> DeviceSettingsView:
        """Change some keys of a device and of rules there, all or none; None resets a key.

        Raises:
            errors.NotAManager: The person does not manage the device.
            errors.ConfigError: A change is not valid; nothing was changed.
            NotPossible: There is no such rule.
        """
        self._access.managed(person, device_id)
        for name in rules:
            if name not in SET_FOR_DEVICE:
                raise NotPossible(msg("There is no rule of this name that is set for a device"))
        self._devices.check(device_id, device)
        if why := self._why_nothing_fits(device_id, device):
            raise ConfigError("devices", RESERVE, device[RESERVE], why)
        for name, changes in rules.items():
            self._rules.check(SET_FOR_DEVICE[name], device_id, changes)
        for name, changes in rules.items():
            self._rules.change(SET_FOR_DEVICE[name], device_id, changes)
        if device:
            self._devices.change(device_id, device)
        now = self._access.settings(person, device_id)
        for account in self._accounts():
            if now.serves(account.name):
                self._wake(account.user_id)
        return self.settings(person, device_id)

    def use(
        self, person: Person, device_id: str, rules: Mapping[str, Mapping[str, object]]
    ) -> Reversal:
        """Change some keys of rules on a device, and return how that is undone.

        Raises:
            errors.NotAManager, errors.ConfigError, NotPossible: As for `change`.
        """
        self._access.managed(person, device_id)
        before = tuple(
            (device_id, name, key, kept.get(key), value)
            for name, changes in rules.items()
            if name in SET_FOR_DEVICE
            for kept in [self._rules.changes_of(SET_FOR_DEVICE[name], device_id)]
            for key, value in changes.items()
        )
        self.change(person, device_id, {}, rules)
        return Reversal(settings=before)

    def take_back(self, person: Person, reversal: Reversal) -> int:
        """Set what `use` has changed as it was; return how many keys somebody has changed since.

        Those stay as they are.

        Raises:
            errors.NotAManager, errors.ConfigError: As for `change`.
        """
        by_device: dict[str, dict[str, dict[str, object]]] = {}
        left = 0
        for device_id, name, key, before, after in reversal.settings:
            now = self._rules.changes_of(SET_FOR_DEVICE[name], device_id).get(key)
            if now == after:
                by_device.setdefault(device_id, {}).setdefault(name, {})[key] = before
            else:
                left += now != before
        for device_id, rules in by_device.items():
            self.change(person, device_id, {}, rules)
        return left

    def refusals(
        self,
        person: Person,
        device_id: str,
        device: Mapping[str, object],
        rules: Mapping[str, Mapping[str, object]],
    ) -> Mapping[str, str]:
        """Return the sentence for each value that `change` would refuse, by its key.

        Raises:
            errors.NotAManager: The person does not manage the device.
        """
        self._access.managed(person, device_id)
        reasons = _refusals("devices", DEVICE_KEYS, device, partial(self._devices.check, device_id))
        if RESERVE not in reasons and (why := self._why_nothing_fits(device_id, device)):
            reasons[RESERVE] = why
        for name, changes in rules.items():
            check = partial(self._rules.check, SET_FOR_DEVICE[name], device_id)
            reasons |= _refusals(f"rules.{name}", describe_keys(SECTIONS[name]), changes, check)
        return reasons

    def _why_nothing_fits(self, device_id: str, changes: Mapping[str, object]) -> str | None:
        """Return why so much may not stay free on a device; None if it may."""
        space = self._space_on(device_id) if changes.get(RESERVE) is not None else None
        if space is None:
            return None
        reserve = self._devices.check(device_id, {RESERVE: changes[RESERVE]}).reserve
        if reserve is None or reserve < space.total:
            return None
        return msg(
            "The drive holds only {size}, so nothing could be downloaded to it: enter less, or "
            "leave it empty for a hundredth",
            size=Size(space.total),
        )


def _refusals(
    section: str,
    keys: Iterable[SettingKey],
    changes: Mapping[str, object],
    check: Callable[[Mapping[str, object]], object],
) -> dict[str, str]:
    """Return the sentences for the values that a check refuses; it tells of one at a time."""
    known, left = {one.name: one for one in keys}, dict(changes)
    reasons: dict[str, str] = {}
    while True:
        try:
            check(left)
        except ConfigError as error:
            key = known.get(error.key)
            place = f"{section}.{error.key}"
            reasons[error.key] = explain_refusal(place, key, error) if key else error.reason
            # What was not typed cannot be left out: a bitrate that another format does not take.
            if left.pop(error.key, None) is None:
                return reasons
        else:
            return reasons
