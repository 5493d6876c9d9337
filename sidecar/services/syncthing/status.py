"""Shows people to which other devices Syncthing copies their devices.

Devices and files that a person may not see are hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sidecar.domain.downloads.download import Download
from sidecar.domain.syncthing.stignore import LINE, build_line
from sidecar.errors import DeviceError
from sidecar.messages import msg
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.devices.views import DeviceView
from sidecar.services.health.notices import Notice
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.services.syncthing.peers import SyncedFolder, SyncReport
from sidecar.sizes import rough_size
from sidecar.store.syncthing.arrivals import Arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerView:
    """Another device, as Syncthing knows it.

    Attributes:
        last_seen: None if it was never seen.
        completion: Percent of the folder's bytes that it has; None if not known.
        need_bytes, need_items: What it still needs; None if not known.
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
    """A device of ours and the other devices to which Syncthing copies it.

    Attributes:
        is_asked: Whether Syncthing is configured.
        folder: Name of the Syncthing folder; None if the device is in none that is known.
        trouble: The problem with Syncthing; None if there is none.
        waits: What removals wait for now; None if they do not wait.
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
    """Another device, and since when it is known to have a file; None if it is not."""

    peer: str
    known_at: datetime | None


@dataclass(frozen=True, slots=True)
class IgnoreView:
    """Whether Syncthing ignores the `.sidecar` folder on a device, and the line for that."""

    device_id: str
    is_there: bool
    line: str = LINE


class SyncStatus:
    """Shows where Syncthing copies each device. Raises `NotVisible` for what a person may not see.

    Without Syncthing in the settings only the methods for `.stignore` are useful.
    """

    def __init__(
        self,
        report: Callable[[str], SyncReport | None],
        *,
        waits: Callable[[str], str | None],
        access: DeviceAccess,
        devices: Callable[[Person], Sequence[DeviceView]],
        visible: Callable[[Person, int], Download],
        arrivals: Arrivals,
        registry: DeviceRegistry,
        problems: Problems,
    ) -> None:
        """Prepare.

        Args:
            report: Returns what is known of a device; None without Syncthing where it is.
            waits: Returns what removals wait for there; None if they do not wait.
            access: Who may see and change what.
            devices: Lists the devices that a person uses.
            visible: Returns a download that a person may see.
            arrivals: What has arrived where.
            registry: The devices that are attached here.
            problems: Those with Syncthing.
        """
        self._report = report
        self._waits = waits
        self._access = access
        self._devices = devices
        self._visible = visible
        self._arrivals = arrivals
        self._registry = registry
        self._problems = problems

    def shared(self, person: Person, device_id: str) -> SharedView:
        """Return to which other devices a device is copied."""
        settings = self._access.settings(person, device_id)
        name, is_exact = settings.name, self._access.sees_all(person, settings)
        found = self._report(device_id)
        if found is None:
            return SharedView(device_id=device_id, device_name=name, is_asked=False)
        carried, trouble = found.synced, found.trouble
        peers = carried.peers if carried else self._arrivals.peers(device_id)
        return SharedView(
            device_id=device_id,
            device_name=name,
            is_asked=True,
            folder=carried.folder.label if carried else None,
            trouble=trouble.text if trouble else None,
            waits=self._waits(device_id),
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
        """Return whether `.stignore` has the line for the `.sidecar` folder.

        Raises:
            errors.DeviceError: The device cannot be read now.
        """
        self._access.settings(person, device_id)
        if carried := self._below(device_id):
            return IgnoreView(device_id, carried.is_left_alone, build_line(carried.folder.prefix))
        if self._registry.on_other_machine(device_id) and (carried := self._synced(device_id)):
            return IgnoreView(device_id, carried.is_left_alone)
        folder = self._registry.get(device_id).folder
        return IgnoreView(device_id, folder.ignore_file.is_there())

    def ignore(self, person: Person, device_id: str) -> IgnoreView:
        """Write the line for the `.sidecar` folder to `.stignore`.

        Raises:
            errors.NotAManager: This person does not manage the device.
            errors.DeviceError: It cannot be written now, or lies outside of the device.
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
        """Return notices about Syncthing; only admins get those about Syncthing itself."""
        seen = {one.id: one.name for one in self._devices(person)}
        return [*self._troubled(person, seen), *self._travelling(seen)]

    def _travelling(self, seen: Mapping[str, str]) -> Sequence[Notice]:
        """Suggest the `.stignore` line where Syncthing copies the `.sidecar` folder."""
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
            if (carried := self._synced(device_id)) is not None and not carried.is_left_alone
        ]

    def _troubled(self, person: Person, seen: Mapping[str, str]) -> Sequence[Notice]:
        return [
            Notice("syncthing", "warning", trouble.text)
            for subject, trouble in self._problems.all_of(ProblemKind.SYNCTHING).items()
            if subject in seen or person.is_admin
        ]

    def _below(self, device_id: str) -> SyncedFolder | None:
        """Return the state of a device that is a subfolder of a Syncthing folder, else None."""
        carried = self._synced(device_id)
        return carried if carried and carried.folder.prefix else None

    def _synced(self, device_id: str) -> SyncedFolder | None:
        found = self._report(device_id)
        return found.synced if found else None
