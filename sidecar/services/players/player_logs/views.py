"""What the import of player logs returns to people.

On a shared device nobody sees what others have played.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sidecar.errors import SidecarError
from sidecar.services.accounts.person import Person
from sidecar.store.playback.player_states import PlayerStates


class LogInUse(SidecarError):
    """An import from this device is already running."""


@dataclass(frozen=True, slots=True)
class LogFileView:
    """A log on the device: its path there, its kind, its size in bytes."""

    path: str
    kind: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardView:
    """A play that would be imported."""

    item_id: str
    title: str
    artist: str | None
    started_at: datetime
    seconds_heard: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarkView:
    """A line that is not imported: where it is, what it says, and why not."""

    path: str
    line: int
    text: str
    why: str


@dataclass(slots=True, kw_only=True)
class LineCounts:
    """How many lines of the logs were classified as what.

    Attributes:
        plays: Would be imported.
        known: Imported before, or in the player's other log as well.
        skipped: Not enough was heard.
        unknown: Match no file of ours.
        ambiguous: Match more than one file.
        undated: The date cannot be true.
        gone: The server does not have the item any more, or hides it from the account.
        others: Match somebody else's file.
        bad: Not readable.
    """

    plays: int = 0
    known: int = 0
    skipped: int = 0
    unknown: int = 0
    ambiguous: int = 0
    undated: int = 0
    gone: int = 0
    others: int = 0
    bad: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportView:
    """An import that can be taken back."""

    id: int
    made_at: datetime
    items: int
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogView:
    """What an import would do.

    Attributes:
        time_zone: Time zone of the player's clock, for logs that are not in UTC; None is that of
            this machine.
        plays: The newest plays that would be imported, limited in number.
        remarks: The first lines that would not be imported.
        has_more: There is more than one import takes: import again afterwards.
        imports: What the person took from this device before, and may take back.
    """

    device_id: str
    device_name: str
    time_zone: str | None
    files: Sequence[LogFileView] = ()
    counts: LineCounts
    plays: Sequence[HeardView] = ()
    remarks: Sequence[RemarkView] = ()
    has_more: bool = False
    imports: Sequence[ImportView] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedView:
    """An item whose plays Jellyfin refused, and why."""

    item_id: str
    title: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenView:
    """The result of an import.

    Attributes:
        taken: How many plays were reported to Jellyfin.
        left: How many plays are left, at least: import again.
        refused: The items whose plays Jellyfin refused.
    """

    taken: int
    left: int
    refused: Sequence[RefusedView] = ()


def view_imports(states: PlayerStates, person: Person, device_id: str) -> Sequence[ImportView]:
    """Return what a person took from a device and may take back, the newest first."""
    return [
        ImportView(id=one.id, made_at=one.made_at, items=one.items, title=one.title)
        for one in states.imports(person.user_id, device_id)
    ]
