"""What people may ask about the logs of music players on their devices.

A device of others is as if it did not exist, and on a shared one nobody reads what others heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sidecar.errors import SidecarError


class LogInUse(SidecarError):
    """Its plays are being taken over at this moment."""


@dataclass(frozen=True, slots=True)
class LogFileView:
    """A log on the device: its path there, which kind it is, its bytes."""

    path: str
    kind: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardView:
    """A play that would be taken over."""

    item_id: str
    title: str
    artist: str | None
    started_at: datetime
    seconds_heard: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarkView:
    """A line that is not taken over: where it is, what it says, and why not."""

    path: str
    line: int
    text: str
    why: str


@dataclass(slots=True, kw_only=True)
class LineCounts:
    """What became of the lines.

    Attributes:
        known: Taken over before, or told by the player's other log as well.
        skipped: Not enough was heard.
        unknown: Of no file of ours.
        ambiguous: Of more than one.
        undated: The player's clock was wrong.
        gone: The server does not have it any more, or hides it.
        others: Of somebody else's files.
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
class LogView:
    """What an import would do.

    Attributes:
        time_zone: Of the player's clock, where its log does not say UTC; None is the machine's.
        plays: Of what would be taken over the first ones.
        remarks: Of what would not the first ones.
        has_more: There are more plays than are taken over at once: import again afterwards.
    """

    device_id: str
    device_name: str
    time_zone: str | None
    files: Sequence[LogFileView] = ()
    counts: LineCounts
    plays: Sequence[HeardView] = ()
    remarks: Sequence[RemarkView] = ()
    has_more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedView:
    """A title whose plays Jellyfin does not take, and why."""

    item_id: str
    title: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenView:
    """What was taken over.

    Attributes:
        taken: Plays that Jellyfin knows now.
        left: Plays that are still to be taken over: ask again.
        refused: What Jellyfin does not take.
    """

    taken: int
    left: int
    refused: Sequence[RefusedView] = ()
