"""The view of a device that a person gets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sidecar.domain.items.kinds import ALL_MEDIA, MediaKind


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A device as a person sees it.

    Attributes:
        trouble: A sentence when the device cannot be used now; None when all is well.
        is_starting: It was added and was not looked at yet; `trouble` says so.
        is_built_in: It is on a disk that nobody takes out.
        is_unplugged: It was ejected and may be unplugged: no file is open there.
        budget, used, free: Bytes; `budget` None means as much as the reserve leaves.
        files: How many finished files should be there.
        missing: How many of them the last check did not find.
        takes: The kinds of media that it takes.
        managers: Names of those who manage it, besides the admins.
        may_manage: Whether this person does.
        most: Bytes that our files can come to, as on the page of devices; None if unknown now.
        machine: The other machine that has it; None if it is here, or nowhere.
        told_at: When that machine said so last.
    """

    id: str
    name: str
    path: str
    trouble: str | None
    budget: int | None
    used: int
    free: int | None
    total: int | None
    is_paused: bool = False
    is_starting: bool = False
    is_built_in: bool = False
    is_unplugged: bool = False
    files: int = 0
    missing: int = 0
    takes: frozenset[MediaKind] = ALL_MEDIA
    managers: tuple[str, ...] = ()
    may_manage: bool = False
    machine: str | None = None
    told_at: datetime | None = None
    most: int | None = None
