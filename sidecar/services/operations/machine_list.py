"""The machines of the installation: what runs there, which devices they have, what waits for them.

A machine is known by its name. One that is not heard of any more can be removed from the list, one
that has a password of its own at any time: it is locked out then. Its devices are still known as
having been there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sidecar import __version__
from sidecar.clock import Clock
from sidecar.domain.processes.machines import write_plainly
from sidecar.domain.processes.orders import is_silent
from sidecar.errors import NotPossible, NotVisible
from sidecar.messages import msg
from sidecar.services.operations.machine_keys import MachineKeys
from sidecar.services.operations.machines import JOIN_CODE
from sidecar.store.processes import Process
from sidecar.store.stores import Stores


@dataclass(frozen=True, slots=True)
class DeviceThere:
    """A device of a machine; `is_there` says whether that has it now, or had it last."""

    id: str
    name: str
    is_there: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineView:
    """A machine.

    Attributes:
        since: When it was heard of first.
        heard_at: When it was heard of last.
        is_silent: Whether that is too long ago.
        processes: What runs there.
        other_versions: The versions there that are not the one of this process.
        waiting: How many orders wait for its devices.
        has_own_key: Whether it can be locked out: it has passwords of its own.
        is_here: Whether this process runs there.
    """

    name: str
    since: datetime
    heard_at: datetime
    is_silent: bool
    processes: Sequence[Process]
    other_versions: Sequence[str]
    devices: Sequence[DeviceThere]
    waiting: int
    has_own_key: bool
    is_here: bool

    @property
    def may_go(self) -> bool:
        """Whether it can be removed now."""
        return self.is_silent or (self.has_own_key and not self.is_here)


class MachineList:
    """Lists machines for admins, and removes them. Safe for many threads."""

    def __init__(self, stores: Stores, keys: MachineKeys, clock: Clock, *, here: str) -> None:
        """Prepare; `here` is the machine of this process."""
        self._here = here
        self._keys = keys
        self._meta = stores.meta
        self._processes = stores.processes
        self._places = stores.device_machines
        self._devices = stores.devices
        self._orders = stores.orders
        self._clock = clock

    def all(self) -> Sequence[MachineView]:
        """Return all machines, in the order of their names."""
        processes = self._processes.all()
        times = {one.host: (one.started_at, one.seen_at) for one in reversed(processes)}
        times |= {one.name: (one.since, one.heard_at) for one in self._processes.machines()}
        # This process lives, although one that is alone tells nobody so.
        times |= {
            one.host: (times[one.host][0], self._clock.now())
            for one in processes
            if one.id == self._processes.own_id
        }
        have_keys, plain = self._keys.list_joined(), {write_plainly(one) for one in times}
        times |= {one: (at, at) for one, at in have_keys.items() if one not in plain}
        there = self._there()
        waiting = self._orders.count_open()
        return [
            self._view(
                name,
                *times[name],
                [one for one in processes if one.host == name],
                there.get(name, []),
                waiting=sum(waiting.get(one.id, 0) for one in there.get(name, [])),
                has_own_key=write_plainly(name) in have_keys,
            )
            for name in sorted(times)
        ]

    def are_keys_possible(self) -> bool:
        """Whether a machine that joins gets passwords of its own.

        Raises:
            DatabaseError: The database cannot be used.
        """
        return self._keys.are_possible()

    def runs(self, plain_name: str) -> bool:
        """Whether the sidecar runs on a machine whose name is written plainly like this."""
        return any(write_plainly(one.host) == plain_name for one in self._processes.all())

    def find(self, name: str) -> MachineView:
        """Return a machine.

        Raises:
            errors.NotVisible: There is none of this name.
        """
        found = next((one for one in self.all() if one.name == name), None)
        if found is None:
            raise NotVisible
        return found

    def remove(self, name: str) -> None:
        """Take a machine off the list, and lock it out if it has a password of its own.

        A code with which a machine could join is void from then on.
        One that shares the installation's is back if it runs again. Leases of what runs there end.

        Raises:
            errors.NotVisible: There is none of this name.
            errors.NotPossible: It is heard of, and cannot be locked out.
            DatabaseError: The database does not let us lock it out.
        """
        if not self.find(name).may_go:
            raise NotPossible(
                msg("{machine} still runs: stop the sidecar there first", machine=name)
            )
        self._keys.take_back(name)
        # It may have made one itself, with the key that it has read, to come in again.
        if code := self._meta.get(JOIN_CODE):
            self._meta.take(JOIN_CODE, code)
        self._processes.forget(name)

    def _there(self) -> dict[str, list[DeviceThere]]:
        names = {one.id: one.name for one in self._devices.all()}
        found: dict[str, list[DeviceThere]] = {}
        for one in self._places.all():
            there = DeviceThere(one.device_id, names.get(one.device_id, ""), one.is_held)
            found.setdefault(one.machine, []).append(there)
        return found

    def _view(
        self,
        name: str,
        since: datetime,
        heard_at: datetime,
        processes: Sequence[Process],
        devices: Sequence[DeviceThere],
        *,
        waiting: int,
        has_own_key: bool,
    ) -> MachineView:
        versions = {one.version for one in processes if one.version}
        return MachineView(
            name=name,
            since=since,
            heard_at=heard_at,
            is_silent=is_silent(heard_at, self._clock.now()),
            processes=processes,
            other_versions=sorted(versions - {__version__}),
            devices=sorted(devices, key=lambda one: one.name),
            waiting=waiting,
            has_own_key=has_own_key,
            is_here=name == self._here,
        )
