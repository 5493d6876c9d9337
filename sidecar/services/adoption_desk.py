"""What people may ask about files that were on their devices before us.

Adopting moves, renames and overwrites nothing. What is not adopted stays a stranger, untouched.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from sidecar.errors import SidecarError
from sidecar.services.desk import Person
from sidecar.services.device_access import Management


class AdoptionInUse(SidecarError):
    """The device is looked through, or files there are adopted, at this moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMatch:
    """A file and the item that it is, or may be.

    Attributes:
        id: Of this pair; for `adopt`.
        path: Below the device's root.
        why: A sentence for people.
    """

    id: str
    path: str
    size: int
    item_id: str
    title: str
    artist: str | None
    album: str | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferView:
    """What is on a device that is not ours.

    Attributes:
        management: Who may adopt them.
        found: Files that may be music or film.
        matched: Those that are files of the library for sure; the first of many.
        matched_total: How many these are in all.
        doubtful: Those that may be; their bytes are compared before one is adopted.
        strangers: How many are neither.
        examples: Paths of a few of them, for whom they cannot be anybody else's.
        unread: Files whose tags were not read yet: ask again.
    """

    device_id: str
    device_name: str
    management: Management
    found: int = 0
    matched: Sequence[FileMatch] = ()
    matched_total: int = 0
    doubtful: Sequence[FileMatch] = ()
    doubtful_total: int = 0
    strangers: int = 0
    examples: Sequence[str] = ()
    unread: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAdopted:
    """A file that was not adopted, and why."""

    id: str
    path: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedView:
    """What was adopted; with `left`, ask again for the rest."""

    adopted: int
    left: int
    refused: Sequence[NotAdopted] = ()


class AdoptionDesk(Protocol):
    """Where they ask."""

    def offer(self, person: Person, device_id: str) -> OfferView | None:
        """Look a device through; None if it is no device of this person.

        Raises:
            AdoptionInUse: That happens already.
            errors.DeviceTrouble: The device cannot be read now.
            errors.JellyfinTrouble: Jellyfin cannot be asked.
        """

    def management(self, person: Person, device_id: str) -> Management | None:
        """Return who may adopt files on a device; None if it is no device of this person."""

    def adopt(
        self, person: Person, device_id: str, ids: Collection[str] | None
    ) -> AdoptedView | None:
        """Adopt files, each held for this person from now on; None as above.

        Args:
            person: Who asks.
            device_id: Where they are.
            ids: Of matches; None for all that are sure.

        Raises:
            errors.NotAManager: They do not manage the device.
            AdoptionInUse, errors.DeviceTrouble, errors.JellyfinTrouble: As `offer`; what was
                adopted before stays so.
        """
