"""Lists the devices that each person may use, attached or not, with their use of space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from sidecar.domain.space.budget import DeviceRoom
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import NEW, DeviceAccess
from sidecar.services.devices.registry import DeviceRegistry, starting_text
from sidecar.services.devices.views import DeviceView
from sidecar.sizes import rough_size
from sidecar.store.downloads.queries import DeviceUse
from sidecar.store.stores import Stores

# The name of the choice.
DOWNLOAD_TO = "download-to"


class DeviceListing:
    """Lists devices for a person. Safe for many threads."""

    def __init__(
        self,
        *,
        stores: Stores,
        registry: DeviceRegistry,
        access: DeviceAccess,
        is_built_in: Callable[[Path], bool],
    ) -> None:
        self._db = stores.db
        self._choices = stores.choices
        self._devices = stores.devices
        self._downloads = stores.downloads
        self._registry = registry
        self._is_shared = registry.is_shared
        self._access = access
        self._is_built_in = is_built_in

    def devices(self, person: Person) -> Sequence[DeviceView]:
        """List the devices that this person may use, attached or not.

        Sizes are rounded where they would say something of other people's files.
        """
        return self._db.once((DeviceListing, person), partial(self._list, person))

    def chosen(self, person: Person, wanted: str | None = None) -> DeviceView | None:
        """Return the device to download to: `wanted` if it is one of theirs, or their last choice.

        Else their first one; None if they have none.
        """
        devices = self.devices(person)
        last = self._choices.of(person.user_id, DOWNLOAD_TO)
        fitting = [one for name in (wanted, last) for one in devices if one.id == name]
        return next(iter([*fitting, *devices]), None)

    def choose(self, person: Person, device_id: str) -> bool:
        """Remember the device to download to; return False if it is none of theirs."""
        is_theirs = any(one.id == device_id for one in self.devices(person))
        if is_theirs:
            self._choices.put(person.user_id, DOWNLOAD_TO, device_id)
        return is_theirs

    def _list(self, person: Person) -> Sequence[DeviceView]:
        attached = {one.settings.name: one for one in self._registry.all()}
        known_by_name = {one.name: one for one in reversed(self._devices.all())}
        use_of = self._downloads.queries.use_of_devices()
        views = []
        for settings in self._registry.settings():
            if not self._access.to(person, settings):
                continue
            management = self._access.management(person, settings)
            device = attached.get(settings.name)
            known = known_by_name.get(settings.name)
            device_id = device.id if device else known.id if known else f"{NEW}{settings.name}"
            trouble = self._registry.trouble_of(device_id)
            current = device.settings if device else settings
            elsewhere = None if device else self._registry.on_other_machine(device_id)
            space = elsewhere.state.space if elsewhere else None
            if device and trouble is None:
                space = self._registry.space(device)
            text = trouble.text if trouble else None
            # Of what nobody has looked at yet nothing is known, also not that it is not there.
            is_starting = text is None and device_id.startswith(NEW) and not self._is_shared
            use = use_of.get(device_id, DeviceUse())
            used = use.bytes - use.bytes_missing
            free, total = (space.free, space.total) if space else (None, None)
            most: int | None = current.budget
            if space is not None:
                most = DeviceRoom(
                    name=settings.name,
                    space=space,
                    budget=current.budget,
                    reserve=current.reserve,
                ).reach(used)
            if not self._access.sees_all(person, settings):
                used = rough_size(used)
                free, most = (None if one is None else rough_size(one) for one in (free, most))
            views.append(
                DeviceView(
                    id=device_id,
                    name=settings.name,
                    path=str(settings.path) if person.is_admin else "",
                    trouble=starting_text(settings.name) if is_starting else text,
                    is_starting=is_starting,
                    budget=current.budget,
                    used=used,
                    free=free,
                    total=total,
                    is_paused=current.paused,
                    is_built_in=device is not None
                    and text is None
                    and self._is_built_in(settings.path),
                    is_unplugged=self._registry.is_ejected(device_id),
                    machine=elsewhere.machine if elsewhere else None,
                    told_at=elsewhere.told_at if elsewhere else None,
                    files=use.files,
                    missing=use.missing,
                    takes=current.takes,
                    managers=management.managers,
                    may_manage=management.may_manage,
                    most=most,
                )
            )
        return views
