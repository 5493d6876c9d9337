"""Whose devices are whose: a device of others is as if it did not exist."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sidecar.config import DeviceSettings
from sidecar.services.desk import Person
from sidecar.services.devices import DeviceShelf
from sidecar.store.accounts import Account
from sidecar.store.devices import Devices


class Reach:
    """Knows which devices a person reaches. Safe for many threads."""

    def __init__(
        self,
        shelf: DeviceShelf,
        devices: Devices,
        accounts: Callable[[], Iterable[Account]],
    ) -> None:
        """Prepare; `accounts` gives everybody who ever signed in."""
        self._shelf = shelf
        self._devices = devices
        self._accounts = accounts

    def name(self, person: Person, device_id: str) -> str | None:
        """Return the name of a device, attached or not; None if it is none of this person's."""
        known = self._devices.get(device_id)
        return next(
            (
                one.name
                for one in self._shelf.settings()
                if known is not None
                and str(one.path) == known.path
                and (person.is_admin or one.serves(person.name))
            ),
            None,
        )

    def sees_all(self, person: Person, settings: DeviceSettings) -> bool:
        """Whether nothing on the device can be anybody else's, or the person may know it."""
        served = {one.user_id for one in self._accounts() if settings.serves(one.name)}
        return person.is_admin or served == {person.user_id}
