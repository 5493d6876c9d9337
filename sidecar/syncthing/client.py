"""A read-only Syncthing client: folders, devices, completion, events.

Of its configuration only folders and devices are read: the whole has keys and passwords in it.
"""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sidecar.errors import SyncthingError
from sidecar.messages import msg
from sidecar.syncthing.connection import Query, SyncthingConnection

T = TypeVar("T")
FILES_A_PAGE = 10_000
MOST_PAGES = 100
LONGEST_TEXT = 4096
# Events after which the other devices may have, or lack, something else.
NEWS = (
    "FolderCompletion,RemoteIndexUpdated,LocalIndexUpdated,DeviceConnected,DeviceDisconnected,"
    "DevicePaused,DeviceResumed,ConfigSaved"
)


class _SyncthingModel(BaseModel):
    model_config = ConfigDict(
        # Most have no Syncthing.
        defer_build=True,
        frozen=True,
        extra="ignore",
        str_max_length=LONGEST_TEXT,
    )


class _Me(_SyncthingModel):
    id: str = Field(alias="myID")
    tilde: str = ""


class _Share(_SyncthingModel):
    device_id: str = Field(alias="deviceID")


class _Versioning(_SyncthingModel):
    type: str = ""


class _Folder(_SyncthingModel):
    id: str
    label: str = ""
    path: str
    type: str = ""
    paused: bool = False
    devices: tuple[_Share, ...] = ()
    versioning: _Versioning = _Versioning()


class _Device(_SyncthingModel):
    device_id: str = Field(alias="deviceID")
    name: str = ""
    paused: bool = False


class _Link(_SyncthingModel):
    connected: bool = False


class _Links(_SyncthingModel):
    connections: dict[str, _Link] = {}


class _Seen(_SyncthingModel):
    last_seen: datetime | None = Field(default=None, alias="lastSeen")


class Completion(_SyncthingModel):
    """How much of a folder another device has.

    Attributes:
        percent: Of the bytes.
        sequence: Grows with every change that the other device reports.
    """

    percent: float = Field(alias="completion")
    need_bytes: int = Field(alias="needBytes")
    need_items: int = Field(default=0, alias="needItems")
    sequence: int = 0


class FolderState(_SyncthingModel):
    """How a folder is.

    Attributes:
        error: Why it has stopped; empty if it has not.
        failing: How many files it could not bring here.
    """

    error: str = ""
    failing: int = Field(default=0, alias="pullErrors")


class _File(_SyncthingModel):
    name: str
    size: int = 0
    deleted: bool = False


class _Local(_SyncthingModel):
    ignored: bool = False


class _Known(_SyncthingModel):
    local: _Local = _Local()


class _Files(_SyncthingModel):
    files: tuple[_File, ...] | None = None


class _Entry(_SyncthingModel):
    name: str
    size: int = 0
    type: str


class _Ignores(_SyncthingModel):
    ignore: tuple[str, ...] | None = None


class _Event(_SyncthingModel):
    id: int


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """A folder that Syncthing shares.

    Attributes:
        path: On this machine, as Syncthing sees it.
        shared_with: The ids of the other devices.
        type: `sendreceive`, `sendonly`, `receiveonly` or `receiveencrypted`.
        keeps_versions: Whether it keeps what other devices replace or delete.
    """

    id: str
    label: str
    path: Path
    shared_with: tuple[str, ...]
    type: str = "sendreceive"
    is_paused: bool = False
    keeps_versions: bool = False


@dataclass(frozen=True, slots=True)
class OtherDevice:
    """A device that Syncthing knows."""

    id: str
    name: str
    is_paused: bool
    is_connected: bool
    last_seen: datetime | None


class Syncthing:
    """One Syncthing. For one thread. Every call may raise `SyncthingError`."""

    def __init__(self, connection: SyncthingConnection) -> None:
        self._connection = connection
        self._about_folder = TypeAdapter(tuple[_Folder, ...])
        self._about_device = TypeAdapter(tuple[_Device, ...])
        self._about_seen = TypeAdapter(dict[str, _Seen])
        self._about_entries = TypeAdapter(tuple[_Entry, ...])
        self._about_events = TypeAdapter(tuple[_Event, ...])

    def folders(self) -> Sequence[SharedFolder]:
        """Return all folders, paused ones too."""
        me = self._read(TypeAdapter(_Me), "system/status")
        return [
            SharedFolder(
                one.id,
                one.label or one.id,
                _expand(one.path, me.tilde),
                tuple(share.device_id for share in one.devices if share.device_id != me.id),
                one.type,
                one.paused,
                bool(one.versioning.type),
            )
            for one in self._read(self._about_folder, "config/folders")
        ]

    def devices(self) -> Mapping[str, OtherDevice]:
        """Return all devices that Syncthing knows, by their ids."""
        links = self._read(TypeAdapter(_Links), "system/connections").connections
        seen = self._read(self._about_seen, "stats/device")
        return {
            one.device_id: OtherDevice(
                one.device_id,
                one.name or one.device_id[:7],
                one.paused,
                one.device_id in links and links[one.device_id].connected,
                _parse_time(seen[one.device_id].last_seen) if one.device_id in seen else None,
            )
            for one in self._read(self._about_device, "config/devices")
        }

    def state(self, folder: str) -> FolderState:
        """Return how a folder is."""
        return self._read(TypeAdapter(FolderState), "db/status", {"folder": folder})

    def knows(self, folder: str, path: str) -> bool:
        """Whether a file is among those that Syncthing carries, or will."""
        try:
            asked: Query = {"folder": folder, "file": path}
            told = self._read(TypeAdapter(_Known), "db/file", asked)
        except SyncthingError as trouble:
            if trouble.code != "unknown-file":
                raise
            return False
        return not told.local.ignored

    def completion(self, folder: str, device: str) -> Completion:
        """Return how much of a folder another device has."""
        asked = {"folder": folder, "device": device}
        return self._read(TypeAdapter(Completion), "db/completion", asked)

    def needed(self, folder: str, device: str) -> frozenset[str]:
        """Return the paths of the files that another device still needs."""
        needed: set[str] = set()
        page = 1
        while True:
            asked: Query = {
                "folder": folder,
                "device": device,
                "page": page,
                "perpage": FILES_A_PAGE,
            }
            files = self._read(TypeAdapter(_Files), "db/remoteneed", asked).files or ()
            needed.update(one.name for one in files if not one.deleted)
            if len(files) < FILES_A_PAGE:
                return frozenset(needed)
            if len(files) > FILES_A_PAGE or page == MOST_PAGES:
                raise _odd()
            page += 1

    def sizes(self, folder: str, below: str) -> Mapping[str, int]:
        """Return the bytes of each file directly in one directory of a folder, by name."""
        asked: Query = {"folder": folder, "prefix": below, "levels": 0}
        entries = self._read(self._about_entries, "db/browse", asked)
        return {one.name: one.size for one in entries if one.type == "FILE_INFO_TYPE_FILE"}

    def ignored(self, folder: str) -> Sequence[str]:
        """Return the lines of a folder's `.stignore`."""
        asked: Query = {"folder": folder}
        return self._read(TypeAdapter(_Ignores), "db/ignores", asked).ignore or ()

    def wait_for_event(self, since: int, *, wait_s: int) -> int:
        """Wait for an event; return the id of the latest one.

        Args:
            since: The id that was returned before; 0 to begin with.
            wait_s: The most seconds to wait.
        """
        asked: Query = {"since": since, "timeout": wait_s, "events": NEWS, "limit": 1}
        told = self._connection.get("events", asked, wait_s=wait_s)
        events = self._parse(self._about_events, told)
        return max((one.id for one in events), default=since)

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        self._connection.close()

    def _read(
        self, kind: TypeAdapter[T], path: str, query: Mapping[str, str | int] | None = None
    ) -> T:
        return self._parse(kind, self._connection.get(path, query))

    def _parse(self, kind: TypeAdapter[T], told: Any) -> T:  # noqa: ANN401 - JSON
        try:
            return kind.validate_python(told)
        except ValidationError as error:
            raise _odd() from error


def _odd() -> SyncthingError:
    text = msg("What answers in Syncthing's place is not Syncthing as we know it")
    return SyncthingError("odd", text)


def _expand(path: str, home: str) -> Path:
    return Path(posixpath.join(home, path[2:]) if path.startswith("~/") else path)


def _parse_time(value: datetime | None) -> datetime | None:
    """Return the time in UTC; 1970 is Syncthing's value for never."""
    if value is None or value.year <= 1970:  # noqa: PLR2004 - a year
        return None
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:  # the last hours of the year 9999, somewhere
        return None
