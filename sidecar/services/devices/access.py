"""Decides who may use and who may manage each device. All access checks go through here.

A device that a person may not use is answered exactly like one that does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sidecar.config import DeviceSettings
from sidecar.domain.accounts import device_access
from sidecar.domain.accounts.device_access import Access
from sidecar.errors import NotAManager, NotVisible
from sidecar.services.accounts.person import Person
from sidecar.services.devices.settings import find_settings
from sidecar.store.accounts.accounts import Account
from sidecar.store.devices.devices import Devices

# Prefix of the id of a configured device that was never attached; its name follows.
NEW = "new:"


@dataclass(frozen=True, slots=True)
class Management:
    """Who manages a device, as one person sees it.

    Attributes:
        may_manage: Whether this person does.
        managers: Names; admins manage every device and are not listed.
        refusal: Why this person may not; empty if they may.
    """

    may_manage: bool
    managers: tuple[str, ...] = ()
    refusal: str = ""


class DeviceAccess:
    """Checks what each person may do with each device. Safe for many threads."""

    def __init__(
        self,
        settings: Callable[[], Iterable[DeviceSettings]],
        devices: Devices,
        accounts: Callable[[], Iterable[Account]],
    ) -> None:
        """Prepare.

        Args:
            settings: Returns the present settings of all devices.
            devices: The devices that were ever attached.
            accounts: Returns every account that ever signed in.
        """
        self._all_settings = settings
        self._devices = devices
        self._accounts = accounts

    def to(self, person: Person, settings: DeviceSettings) -> Access:
        """Return the access of a person to a device with these settings."""
        names = [one.name for one in self._accounts()]
        return device_access.decide_access(
            person.name, is_admin=person.is_admin, roles=settings.roles, accounts=names
        )

    def settings(self, person: Person, device_id: str) -> DeviceSettings:
        """Return the settings of a device, attached or not.

        Raises:
            errors.NotVisible: There is no such device that this person may use.
        """
        found = self._settings(device_id)
        if found is None or not self.to(person, found):
            raise NotVisible
        return found

    def may_use(self, person: Person, device_id: str) -> bool:
        """Return whether the device exists and this person may use it."""
        found = self._settings(device_id)
        return found is not None and bool(self.to(person, found))

    def managed(self, person: Person, device_id: str) -> DeviceSettings:
        """Return the settings of a device that this person manages.

        Raises:
            errors.NotVisible: There is no such device that they may use.
            errors.NotAManager: They may use it, but do not manage it.
        """
        found = self.settings(person, device_id)
        if self.to(person, found) is not Access.MANAGE:
            raise NotAManager(self._refusal(found))
        return found

    def management(self, person: Person, settings: DeviceSettings) -> Management:
        """Return who manages a device with these settings, and whether this person does."""
        may_manage = self.to(person, settings) is Access.MANAGE
        refusal = "" if may_manage else self._refusal(settings)
        return Management(may_manage, self._managers(settings), refusal)

    def management_of(self, person: Person, device_id: str) -> Management:
        """Return the same for a device id; names nobody if this person may not use it."""
        found = self._settings(device_id)
        if found is None or not self.to(person, found):
            return Management(may_manage=False)
        return self.management(person, found)

    def sees_all(self, person: Person, settings: DeviceSettings) -> bool:
        """Whether a person may see everything on a device: an admin, or its only user."""
        served = {one.user_id for one in self._accounts() if settings.serves(one.name)}
        return person.is_admin or served == {person.user_id}

    def _refusal(self, settings: DeviceSettings) -> str:
        return device_access.explain_refusal(settings.name, self._managers(settings))

    def _managers(self, settings: DeviceSettings) -> tuple[str, ...]:
        accounts = list(self._accounts())
        admins = {one.name for one in accounts if one.is_admin}
        named = device_access.list_managers(settings.roles, [one.name for one in accounts])
        return tuple(one for one in named if one not in admins)

    def _settings(self, device_id: str) -> DeviceSettings | None:
        now = list(self._all_settings())
        known = self._devices.get(device_id)
        if known is None and device_id.startswith(NEW):
            return find_settings(now, name=device_id.removeprefix(NEW))
        return find_settings(now, path=known.path, name=known.name) if known else None
