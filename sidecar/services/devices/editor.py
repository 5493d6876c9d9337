"""Adds devices on the page, renames them, changes their users, and forgets them.

A device of the settings file stays as the file has it; one that the page has added is stored with
the settings of the page. Adding and forgetting need no restart.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from threading import Lock

from sidecar.config import DeviceSettings, Settings
from sidecar.config.page import DEVICES, merge
from sidecar.device.drives import DevicePlaces, Drive, find_allowed, list_folders
from sidecar.device.own.marker import read_marker
from sidecar.errors import ConfigError, DeviceError, NotPossible, NotVisible
from sidecar.events import Bus, DeviceChanged
from sidecar.messages import Size, msg
from sidecar.services.configuration.service import ConfigurationService, SettingsRefused
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.devices.settings import find_settings
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.store.devices.devices import Devices
from sidecar.store.downloads.queries import DeviceUse
from sidecar.store.downloads.queue import Downloads
from sidecar.store.files.completed import CompletedFiles
from sidecar.store.meta import Meta

# A device of the page as it is stored, with its keys as in the settings file.
StoredDevice = Mapping[str, object]
EDITABLE = ("name", "users", "managers")
# The drives that nobody wants to be asked about again.
DECLINED = "drives.declined"
MOST_DECLINED = 100
# So many folders of a drive are looked at for a device that is in one of them.
FOLDERS_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class ChosenFolder:
    """A folder of the small browser.

    Attributes:
        above: The folder above it; None if that is not allowed.
        folders: The folders in it.
        can_write: Whether the sidecar may write there.
    """

    path: Path
    above: Path | None
    folders: Sequence[Path]
    can_write: bool


@dataclass(frozen=True, slots=True)
class MovedDevice:
    """A device whose drive was plugged in at another place than the settings say.

    Attributes:
        name: Its name.
        path: Where it is now.
        is_of_page: The page has added it, so it may be used there.
    """

    device_id: str
    name: str
    path: Path
    is_of_page: bool


@dataclass(frozen=True, slots=True)
class EditView:
    """What the page may change of a device.

    Attributes:
        is_of_page: The page has added it, so it may rename and remove it.
        is_configured: It is a device still; else only its files are known.
        files, size: Its finished files, and their bytes.
        is_attached: Its files can be reached now, here or by another machine.
        set_in: The settings file, or the variable of the environment, that has the devices; empty
            if the sidecar was started with them otherwise, as for the demo.
    """

    device_id: str
    settings: DeviceSettings | None
    name: str
    is_of_page: bool
    files: int
    size: int
    is_attached: bool
    set_in: str

    @property
    def is_configured(self) -> bool:
        """Whether it is a device still."""
        return self.settings is not None


class DeviceEditor:
    """Changes which devices there are. For admins alone. Safe for many threads."""

    def __init__(
        self,
        *,
        configuration: ConfigurationService,
        registry: DeviceRegistry,
        devices: Devices,
        downloads: Downloads,
        files: CompletedFiles,
        problems: Problems,
        stop_on: Callable[[str], object],
        bus: Bus,
        places: DevicePlaces,
        meta: Meta,
        unused: Callable[[], Collection[str]],
    ) -> None:
        """Prepare.

        Args:
            configuration: Stores the devices of the page.
            registry: The devices that are attached.
            devices: The devices that were ever attached.
            downloads: Counts the finished files on them.
            files: Lists the finished files on them.
            problems: Where problems of devices are cleared.
            stop_on: Stops the transfers of a device and waits for their end.
            bus: Told when a device has gone.
            places: Where devices can be on this machine.
            meta: Remembers which drives are not offered any more.
            unused: Returns the ids of the devices that are in use no more.
        """
        self._configuration = configuration
        self._registry = registry
        self._devices = devices
        self._downloads = downloads
        self._files = files
        self._problems = problems
        self._stop_on = stop_on
        self._bus = bus
        self._places = places
        self._meta = meta
        self._unused = unused
        self._saving = Lock()

    def drives(self) -> Sequence[Drive]:
        """Return the mounted drives on which there is no device yet."""
        taken = [one.path for one in self._configuration.now().devices]
        return [
            one
            for one in self._places.drives()
            if not any(path == one.path or one.path in path.parents for path in taken)
        ]

    def plugged_in(self) -> tuple[Sequence[Drive], Sequence[MovedDevice]]:
        """Look at the drives on which there is no device yet.

        Returns:
            Those that could become a device, without those that were declined, and the devices
            that were plugged in at another place than where they are used.
        """
        found = {one: self._find_moved_on(one) for one in self.drives() if one.can_write}
        fresh = [drive for drive, device in found.items() if device is None]
        declined = self._declined() if fresh else ()
        offered = [one for one in fresh if _mark(one) not in declined]
        return offered, [one for one in found.values() if one is not None]

    def move(self, device_id: str) -> None:
        """Use a device of the page where it was plugged in now.

        Raises:
            NotVisible: It is nowhere else, or not of the page.
        """
        _, moved = self.plugged_in()
        found = next((one for one in moved if one.device_id == device_id), None)
        if found is None or not found.is_of_page:
            raise NotVisible
        settings = self.view(device_id).settings
        before = str(settings.path) if settings else ""
        self._change_each(
            lambda one: {**one, "path": str(found.path)} if one.get("path") == before else one
        )

    def _find_moved_on(self, drive: Drive) -> MovedDevice | None:
        """Return the device that a drive is, or that is in a folder at its root."""
        folders = (drive.path, *list_folders(drive.path)[:FOLDERS_LOOKED_AT])
        return next((one for one in map(self._find_moved, folders) if one is not None), None)

    def _find_moved(self, path: Path) -> MovedDevice | None:
        """Return the device that a folder is by its marker, if it is not attached."""
        try:
            marker = read_marker(path)
        except DeviceError:
            return None
        if marker is None or marker.id in self._registry.ids_there():
            return None
        try:
            view = self.view(marker.id)
        except NotVisible:
            return None
        if view.settings is None or view.settings.path == path or view.is_attached:
            return None
        return MovedDevice(marker.id, view.name, path, view.is_of_page)

    def decline(self, path: str) -> None:
        """Offer a drive no more; in *Add a device* it is shown still.

        Raises:
            NotVisible: There is no such drive.
        """
        found = next((one for one in self.drives() if str(one.path) == path), None)
        if found is None:
            raise NotVisible
        kept = [one for one in self._declined() if one != _mark(found)]
        self._meta.set(DECLINED, json.dumps([*kept, _mark(found)][-MOST_DECLINED:]))

    def _declined(self) -> list[str]:
        stored = json.loads(self._meta.get(DECLINED) or "[]")
        return list(map(str, stored)) if isinstance(stored, list) else []

    def roots(self) -> Sequence[Path]:
        """Return the folders in which a device may be chosen, as far as they exist."""
        return [one for one in self._places.roots() if self._find(one) is not None]

    def browse(self, text: str) -> ChosenFolder:
        """Return a folder of the small browser.

        Raises:
            NotPossible: It is not there, or not in an allowed folder.
        """
        path = self._allowed(text)
        folders = [one for one in list_folders(path) if not self._is_own(one)]
        return ChosenFolder(
            path, self._find(path.parent), folders, os.access(path, os.W_OK | os.X_OK)
        )

    def make_folder(self, above: str, name: str) -> Path:
        """Make a folder in one of the small browser, for a device; it may be there already.

        Raises:
            NotPossible: It cannot be made, or could not be chosen then.
        """
        path = self._allowed(above)
        if not name or name.startswith(".") or "/" in name or "\0" in name:
            raise NotPossible(msg("Give the folder a name without / that begins with no dot"))
        try:
            (path / name).mkdir(exist_ok=True)
        except OSError as error:
            text = msg("{folder} cannot be made: {reason}", folder=name, reason=error.strerror)
            raise NotPossible(text) from error
        return self._allowed(str(path / name))

    def drive_at(self, path: str) -> Drive | None:
        """Return the drive that a folder is on; None if the folder cannot be chosen."""
        found = self._find(Path(path)) if path.startswith("/") else None
        return None if found is None else self._places.at(found)

    def has_no_drive(self, path: str) -> bool:
        """Whether a folder looks like the place of a drive, and none is mounted there."""
        found = self._find(Path(path)) if path.startswith("/") else None
        return found is not None and self._places.has_no_drive(found)

    def other_name(self, path: str) -> str | None:
        """Return what a folder is called by a sidecar that has filled it and is not this one.

        It may also be this one with a new database. None if no other one has.
        """
        found = self._find(Path(path)) if path.startswith("/") else None
        try:
            marker = read_marker(found) if found is not None else None
        except DeviceError:
            return None
        if marker is None or self._devices.get(marker.id) is not None:
            return None
        return marker.name or Path(path).name

    def add(self, given: Mapping[str, object]) -> DeviceSettings:
        """Add a device.

        Args:
            given: Its keys as in the settings file; `name` and `path` at least.

        Raises:
            SettingsRefused: Something is wrong; the reasons are by key.
        """
        reasons: dict[str, str] = {}
        if not str(given.get("name", "")).strip():
            reasons["name"] = msg("Give the device a name")
        elif self._is_name_taken(str(given["name"])):
            reasons["name"] = msg("Another device has this name: give this one another")
        try:
            path = self._allowed(str(given.get("path", "")))
            if taken := self._why_taken(path):
                reasons["path"] = taken
            if not os.access(path, os.W_OK | os.X_OK):
                reasons["path"] = msg(
                    "The sidecar may not write to this folder: choose another one, or let the user "
                    "that the sidecar runs as write there"
                )
        except NotPossible as refused:
            reasons["path"] = str(refused)
        if reasons:
            raise SettingsRefused(reasons)
        one = {**given, "path": str(path)}
        self._check_limit(self._checked([*self._of_page(), one]).devices[-1])
        self._save(lambda devices: [*devices, one])
        return next(added for added in self._configuration.now().devices if added.path == path)

    def _why_taken(self, path: Path) -> str | None:
        """Return why a folder can be no new device because of another one; None if it can.

        Where one is in another, files would be of both: imported, counted and removed twice.
        """
        if (moved := self._find_moved(path)) is not None:
            return msg("This is {name}, which is a device already", name=moved.name)
        for one in self._configuration.now().devices:
            other = one.path.resolve()
            if other == path:
                return msg("This is {name}, which is a device already", name=one.name)
            if other.is_relative_to(path):
                return msg("{name} is in this folder: choose another one", name=one.name)
            if path.is_relative_to(other):
                return msg("This folder is in {name}: choose another one", name=one.name)
        return None

    def unused(self) -> Sequence[EditView]:
        """Return the devices that were attached once and are in use no more."""
        unused = self._unused()
        return [self.view(one.id) for one in self._devices.all() if one.id in unused]

    def view(self, device_id: str) -> EditView:
        """Return what may be changed of a device.

        Raises:
            NotVisible: It was never attached.
        """
        known = self._devices.get(device_id)
        if known is None:
            raise NotVisible
        now = self._configuration.now().devices
        settings = find_settings(now, path=known.path, name=known.name)
        path = str(settings.path) if settings else known.path
        use = self._downloads.queries.use_of_devices().get(device_id, DeviceUse())
        return EditView(
            device_id=device_id,
            settings=settings,
            name=settings.name if settings else known.name,
            is_of_page=any(one.get("path") == path for one in self._of_page()),
            files=use.files,
            size=use.bytes,
            is_attached=any(one.id == device_id for one in self._registry.all())
            or self._registry.machine_to_ask(device_id) is not None,
            set_in=self._find_source(),
        )

    def _find_source(self) -> str:
        base = self._configuration.base
        if DEVICES in base.from_environment:
            return "SIDECAR_DEVICES"
        return "" if base.file is None else str(base.file)

    def change(self, device_id: str, given: Mapping[str, object]) -> None:
        """Change the name, the users or the managers of a device of the page.

        Raises:
            NotVisible: It was never attached.
            NotPossible: The settings file has it.
            SettingsRefused: A value is refused.
        """
        view = self.view(device_id)
        if view.settings is None or not view.is_of_page:
            raise NotPossible(_of_file(view.name))
        path = str(view.settings.path)
        changes = {key: value for key, value in given.items() if key in EDITABLE}
        if "name" in changes and not str(changes["name"]).strip():
            raise SettingsRefused({"name": msg("Give the device a name")})
        self._change_each(lambda one: {**one, **changes} if one.get("path") == path else one)

    def forget(self, device_id: str, *, with_files: bool) -> int:
        """Use a device no more, and forget all that is known of it.

        Args:
            device_id: The device.
            with_files: Delete our files there; those of others stay in any case.

        Returns:
            How many files were deleted.

        Raises:
            NotVisible: It was never attached.
            NotPossible: The settings file has it, or its files cannot be deleted now.
        """
        view = self.view(device_id)
        if view.settings is not None and not view.is_of_page:
            raise NotPossible(_of_file(view.name))
        if with_files and not view.is_attached:
            raise NotPossible(
                msg("{name} is not there: plug it in to delete its files", name=view.name)
            )
        if view.settings is not None and not self._configuration.may_save():
            # Else its files were deleted, and it were filled anew.
            raise NotPossible(
                msg(
                    "{name} was added on a page, and its machine may not change the settings: "
                    "delete its downloads first, then remove it without them",
                    name=view.name,
                )
            )
        # Else what waits would come meanwhile, to the room that is made, and stay there.
        with self._registry.emptying(device_id):
            self._stop_on(device_id)
            deleted = self._delete_files(device_id) if with_files else 0
            if view.settings is not None:
                path = str(view.settings.path)
                self._save(lambda devices: [one for one in devices if one.get("path") != path])
        self._problems.clear(ProblemKind.DEVICE, device_id)
        self._devices.forget(device_id)
        self._bus.publish(DeviceChanged(device_id))
        return deleted

    def suggest_name(self, folder: str) -> str:
        """Return a name for a device in a folder: that of the folder, which no other device has."""
        name = Path(folder).name
        tried = chain([name], (f"{name} {number}" for number in count(2)))
        return next(one for one in tried if not self._is_name_taken(one))

    def _is_name_taken(self, name: str) -> bool:
        names = {one.name.casefold() for one in self._configuration.now().devices}
        return name.strip().casefold() in names

    def _delete_files(self, device_id: str) -> int:
        try:
            folder = self._registry.get(device_id).folder
            deleted = sum(
                folder.remove(
                    one.path,
                    size=one.size,
                    content_hash=one.content_hash,
                    completed_at=one.completed_at,
                )
                for one in list(self._files.each_file(device_id))
            )
            for path in folder.own_files.names():
                folder.own_files.remove(path)
        except DeviceError as trouble:
            raise NotPossible(str(trouble)) from trouble
        return deleted

    def _of_page(self) -> list[dict[str, object]]:
        given = self._configuration.set_on_page(DEVICES)
        return [dict(one) for one in given] if isinstance(given, list) else []

    def _change_each(self, change: Callable[[StoredDevice], StoredDevice]) -> None:
        self._save(lambda devices: [change(one) for one in devices])

    def _save(self, change: Callable[[Sequence[StoredDevice]], Sequence[StoredDevice]]) -> None:
        """Change the devices of the page as they are now: somebody else may have changed some."""
        with self._saving:
            devices = change(self._of_page())
            self._checked(devices)
            self._configuration.save({DEVICES: [dict(one) for one in devices] or None})

    def _checked(self, devices: Sequence[Mapping[str, object]]) -> Settings:
        """Return what the settings would be.

        Raises:
            SettingsRefused: A value is refused.
        """
        try:
            return merge(self._configuration.base, {DEVICES: [dict(one) for one in devices]})
        except ConfigError as error:
            key = error.key.rpartition(".")[2]
            reason = msg("Enter a size such as 10 GB") if key == "budget" else error.reason
            raise SettingsRefused({key: reason}) from None

    def _check_limit(self, device: DeviceSettings) -> None:
        drive = self._places.at(device.path)
        if device.budget is not None and drive is not None and device.budget > drive.total:
            reason = msg(
                "This is more than the {size} of the drive: enter less, or leave it empty for all",
                size=Size(drive.total),
            )
            raise SettingsRefused({"budget": reason})

    def _allowed(self, text: str) -> Path:
        found = self._find(Path(text)) if text.startswith("/") else None
        if found is None:
            raise NotPossible(
                msg("This is no folder in which a device can be: choose one of those shown")
            )
        return found

    def _find(self, path: Path) -> Path | None:
        """Return the real path of an allowed folder; else None."""
        found = find_allowed(path, self._places.roots())
        return None if found is None or self._is_own(found) else found

    def _is_own(self, path: Path) -> bool:
        """Whether a folder is the sidecar's own data folder, or in it."""
        own = self._configuration.base.server.data_dir.resolve()
        return path == own or own in path.parents


def _of_file(name: str) -> str:
    return msg("{name} is in the settings file: change or remove it there, and restart", name=name)


def _mark(drive: Drive) -> str:
    """Return what a drive is known again by: another stick at its place is another drive."""
    return f"{drive.path} {drive.total}"
