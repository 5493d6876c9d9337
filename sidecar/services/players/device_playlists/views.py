"""What people see of the playlists that they may take home from a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sidecar.errors import SidecarError


class ListInUse(SidecarError):
    """Playlists of this device are being taken home at this moment."""


class ListChanged(SidecarError):
    """A list is not any more as the person saw it."""


class ListKind(StrEnum):
    """What a list on the device is."""

    CHANGED = "changed"
    NEW = "new"
    HEARTS = "hearts"


class ListDecision(StrEnum):
    """What becomes of a list.

    `take` writes what was changed to Jellyfin; in a conflict it takes what both changed, and
    `device` exactly what is on the device. `ignore` leaves Jellyfin as it is.
    """

    TAKE = "take"
    DEVICE = "device"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What differs, by titles; long lists are cut.

    Attributes:
        added_total, removed_total: How many they are in all.
    """

    added: Sequence[str] = ()
    added_total: int = 0
    removed: Sequence[str] = ()
    removed_total: int = 0
    is_reordered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedList:
    """A list that may be taken home.

    Attributes:
        path: On the device.
        mark: Identifies what was looked at: another one means that the list has changed again.
        text: What happened, in one sentence.
        changes: Made on the device.
        in_jellyfin: Made in Jellyfin meanwhile; None unless both were changed.
        unknown: Lines that name no file of the device.
        trouble: Why it cannot be taken now; None if it can.
    """

    path: str
    name: str
    kind: ListKind
    mark: str
    text: str
    changes: Differences
    in_jellyfin: Differences | None
    unknown: int
    trouble: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedLists:
    """All of a device.

    Attributes:
        may_take: Whether the person is one of its users: whose account they would come to.
        may_undo: The paths of those that this person took lately.
    """

    device_id: str
    device_name: str
    lists: Sequence[ReturnedList]
    may_take: bool
    may_undo: Sequence[str] = ()
