"""The schemas of what comes back from devices: plays from their logs, files that are adopted."""

from __future__ import annotations

from typing import Literal

from sidecar.web.api.schemas.base import ItemId, Moment, OfDevice, Schema, Tenths
from sidecar.web.api.schemas.devices import Managed


class LogFile(Schema):
    """A player's log on the device."""

    path: str
    kind: Literal["scrobbler", "playback"]
    size: int


class LineCounts(Schema):
    """What became of the lines of all logs."""

    plays: int
    known: int
    skipped: int
    unknown: int
    ambiguous: int
    undated: int
    gone: int
    others: int
    bad: int


class HeardPlay(Schema):
    """A play that would be taken over."""

    item_id: ItemId
    title: str
    artist: str | None
    started_at: Moment
    seconds_heard: Tenths


class LogRemark(Schema):
    """A line that is not taken over, and why."""

    path: str
    line: int
    text: str
    why: str


class DeviceLog(OfDevice):
    """What an import would do; `plays` and `remarks` are the first ones of many."""

    time_zone: str | None
    files: list[LogFile]
    counts: LineCounts
    plays: list[HeardPlay]
    remarks: list[LogRemark]
    has_more: bool


class RefusedPlays(Schema):
    """A title whose plays Jellyfin does not take."""

    item_id: ItemId
    title: str
    why: str


class TakenPlays(Schema):
    """What was taken over; with `left`, ask again for the rest."""

    taken: int
    left: int
    refused: list[RefusedPlays]


class FileMatch(Schema):
    """A file that is, or may be, one of the library's."""

    id: str
    path: str
    size: int
    item_id: ItemId
    title: str
    artist: str | None
    album: str | None
    why: str


class AdoptionOffer(OfDevice, Managed):
    """What is on a device that is not ours; `matched` and `doubtful` are the first of many."""

    found: int
    matched: list[FileMatch]
    matched_total: int
    doubtful: list[FileMatch]
    doubtful_total: int
    strangers: int
    examples: list[str]
    unread: int


class NotAdopted(Schema):
    """A file that was not adopted, and why."""

    id: str
    path: str
    why: str


class Adopted(Schema):
    """What was adopted; with `left`, ask again for the rest."""

    adopted: int
    left: int
    refused: list[NotAdopted]
