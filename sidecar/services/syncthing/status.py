"""What people may see of other devices that Syncthing carries their folders to.

A device that is not theirs does not exist for them, and of a file they may not see nobody is told
where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sidecar.domain.downloads.states import Download
from sidecar.domain.syncthing.stignore import LINE, build_line
from sidecar.errors import DeviceError
from sidecar.messages import msg
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.devices.views import DeviceView
from sidecar.services.notices import Notice
from sidecar.services.problems import ProblemKind, Problems
from sidecar.services.syncthing.peers import PeerMonitor, SyncedFolder
from sidecar.sizes import rough_size
from sidecar.store.syncthing.arrivals import Arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerView:
    """Another device.

    Attributes:
        completion: Percent of the bytes of the folder that it has; None if nobody knows now.
        last_seen: None if it never was.
    """

    id: str
    name: str
    is_connected: bool
    is_paused: bool
    last_seen: datetime | None
    completion: float | None = None
    need_bytes: int | None = None
    need_items: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedView:
    """A device of ours and where it is carried to.

    Attributes:
        is_asked: Whether there is a Syncthing that can be asked, by the settings.
        folder: Its folder's name in Syncthing; None if Syncthing is not known to carry it.
        trouble: Why no more is known; None if nothing is wrong.
        waits: What removals wait for now; None if they do not.
    """

    device_id: str
    device_name: str
    is_asked: bool
    folder: str | None = None
    trouble: str | None = None
    waits: str | None = None
    peers: tuple[PeerView, ...] = ()


@dataclass(frozen=True, slots=True)
class ArrivalView:
    """Another device, and since when it is known to have a file; None while it has not."""

    peer: str
    known_at: datetime | None


@dataclass(frozen=True, slots=True)
class IgnoreView:
    """Whether Syncthing leaves our own folder on a device alone."""

    device_id: str
    is_there: bool
    line: str = LINE


class SyncStatus:
    """Shows where Syncthing carries each device; `NotVisible` for what this person may not see.

    Without Syncthing in the settings only `.stignore` is of use.
    """

    def __init__(
        self,
        peers: PeerMonitor | None,
        *,
        access: DeviceAccess,
        devices: Callable[[Person], Sequence[DeviceView]],
        visible: Callable[[Person, int], Download],
        arrivals: Arrivals,
        registry: DeviceRegistry,
        problems: Problems,
    ) -> None:
        self._peers = peers
        self._access = access
        self._devices = devices
        self._visible = visible
        self._arrivals = arrivals
        self._registry = registry
        self._problems = problems

    def shared(self, person: Person, device_id: str) -> SharedView:
        """Return where a device is carried to."""
        settings = self._access.settings(person, device_id)
        name, is_exact = settings.name, self._access.sees_all(person, settings)
        if self._peers is None:
            return SharedView(device_id=device_id, device_name=name, is_asked=False)
        carried = self._peers.of(device_id)
        trouble = self._peers.trouble(device_id)
        waiting = self._peers.waiting(device_id)
        peers = carried.peers if carried else self._arrivals.peers(device_id)
        return SharedView(
            device_id=device_id,
            device_name=name,
            is_asked=True,
            folder=carried.folder.label if carried else None,
            trouble=trouble.text if trouble else None,
            waits=waiting.text if waiting else None,
            peers=tuple(
                PeerView(
                    id=one.id,
                    name=one.name,
                    is_connected=one.is_connected and trouble is None,
                    is_paused=one.is_paused,
                    last_seen=one.last_seen,
                    completion=one.completion,
                    need_bytes=one.need_bytes
                    if is_exact or one.need_bytes is None
                    else rough_size(one.need_bytes),
                    need_items=one.need_items,
                )
                for one in peers
            ),
        )

    def of_file(self, person: Person, download_id: int) -> Sequence[ArrivalView]:
        """Return which other devices have a file, and since when that is known."""
        found = self._visible(person, download_id)
        return [ArrivalView(one.peer, one.known_at) for one in self._arrivals.of_file(found.id)]

    def ignoring(self, person: Person, device_id: str) -> IgnoreView:
        """Return whether the line is there.

        Raises:
            errors.DeviceError: The device cannot be read now.
        """
        self._access.settings(person, device_id)
        if carried := self._below(device_id):
            return IgnoreView(device_id, carried.is_left_alone, build_line(carried.folder.prefix))
        folder = self._registry.get(device_id).folder
        return IgnoreView(device_id, folder.ignore_file.is_there())

    def ignore(self, person: Person, device_id: str) -> IgnoreView:
        """Write the line.

        Raises:
            errors.NotAManager: They do not manage the device.
            errors.DeviceError: It cannot be written now.
        """
        self._access.managed(person, device_id)
        carried = self._below(device_id)
        if carried is None:
            self._registry.get(device_id).folder.ignore_file.write()
        elif not carried.is_left_alone:
            line, label = build_line(carried.folder.prefix), carried.folder.label
            text = msg(
                "The .stignore of Syncthing's folder {label} lies outside of this device",
                label=label,
            )
            raise DeviceError(
                "name-taken",
                msg("{text}: add the line {line} there yourself", text=text, line=line),
            )
        return self.ignoring(person, device_id)

    def notices(self, person: Person) -> Sequence[Notice]:
        """Return why it is not known what has arrived; Syncthing itself is an admin's business."""
        seen = {one.id: one.name for one in self._devices(person)}
        return [*self._troubled(person, seen), *self._travelling(seen)]

    def _travelling(self, seen: Mapping[str, str]) -> Sequence[Notice]:
        """Offer the line where Syncthing carries our own folder with the rest."""
        return [
            Notice(
                "syncthing",
                "info",
                msg(
                    "Syncthing carries unfinished files of {name} with the rest: it "
                    "leaves them alone once the line {line} is in its .stignore",
                    name=name,
                    line=build_line(carried.folder.prefix),
                ),
            )
            for device_id, name in seen.items()
            if self._peers is not None
            and (carried := self._peers.of(device_id)) is not None
            and not carried.is_left_alone
        ]

    def _troubled(self, person: Person, seen: Mapping[str, str]) -> Sequence[Notice]:
        return [
            Notice("syncthing", "warning", trouble.text)
            for subject, trouble in self._problems.all_of(ProblemKind.SYNCTHING).items()
            if subject in seen or person.is_admin
        ]

    def _below(self, device_id: str) -> SyncedFolder | None:
        """Return how a device is carried that is only a part of Syncthing's folder."""
        carried = self._peers.of(device_id) if self._peers else None
        return carried if carried and carried.folder.prefix else None
