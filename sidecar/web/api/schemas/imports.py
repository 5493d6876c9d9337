"""Schemas of imports from devices: plays from players' logs, and adopted files."""

from typing import Literal

from sidecar.web.api.schemas.base import ItemId, Moment, OfDevice, Schema, Tenths
from sidecar.web.api.schemas.devices import Managed


class LogFile(Schema):
    """A music player's log file on a device."""

    path: str
    kind: Literal["scrobbler", "playback"]
    size: int


class LineCounts(Schema):
    """How many lines of the logs are plays, and how many were skipped for which reason."""

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
    """A play that would be imported."""

    item_id: ItemId
    title: str
    artist: str | None
    started_at: Moment
    seconds_heard: Tenths


class LogRemark(Schema):
    """A line of a log that is not imported, and why."""

    path: str
    line: int
    text: str
    why: str


class DeviceLog(OfDevice):
    """Preview of an import; `plays` and `remarks` may be cut short (`has_more`)."""

    time_zone: str | None
    files: list[LogFile]
    counts: LineCounts
    plays: list[HeardPlay]
    remarks: list[LogRemark]
    has_more: bool


class RefusedPlays(Schema):
    """An item whose plays Jellyfin refused."""

    item_id: ItemId
    title: str
    why: str


class TakenPlays(Schema):
    """The result of an import; if `left` is not 0, call again for the rest."""

    taken: int
    left: int
    refused: list[RefusedPlays]


class ListenerChoice(Schema):
    """A user whose player a device may be; without an id it is nobody's."""

    user_id: str | None
    name: str


class PlayerListener(Schema):
    """Whose player a device is; `choices` are those that you may name."""

    is_chosen: bool
    user_id: str | None
    name: str
    is_you: bool
    choices: list[ListenerChoice]


class PlayerPosition(Schema):
    """A position on a player, and what Jellyfin knows; `at` is null if nobody knows it."""

    item_id: ItemId
    title: str
    artist: str | None
    seconds: Tenths
    is_end: bool
    at: Moment | None
    path: str
    jellyfin_seconds: Tenths
    jellyfin_at: Moment | None
    jellyfin_is_played: bool


class UndatedPlays(Schema):
    """Plays that a player has counted and that none of its logs has told."""

    item_id: ItemId
    title: str
    artist: str | None
    plays: int


class RatedTrack(Schema):
    """A rating of 8 or more, from 0 to 10, of something without a heart."""

    item_id: ItemId
    title: str
    artist: str | None
    rating: int


class PlayerImport(Schema):
    """An import that can be taken back, and the title of one of its items."""

    id: int
    made_at: Moment
    items: int
    title: str


class PlayerKnows(OfDevice):
    """What a player knows that Jellyfin does not; empty for everybody but its listener."""

    listener: PlayerListener
    files: list[str]
    positions: list[PlayerPosition]
    questions: list[PlayerPosition]
    counts: list[UndatedPlays]
    hearts: list[RatedTrack]
    unknown: int
    others: int
    remarks: list[LogRemark]
    imports: list[PlayerImport]
    has_more: bool
    is_rockbox: bool


class TakenStates(Schema):
    """The result of an import; if `left` is not 0, call again for the rest."""

    positions: int
    plays: int
    hearts: int
    left: int
    refused: list[RefusedPlays]


class Given(Schema):
    """How many bookmarks, and tracks of its changelog, were written to a player."""

    bookmarks: int
    tracks: int


class UndoneImport(Schema):
    """How many items an import had changed that was taken back."""

    items: int


class FileMatch(Schema):
    """A file on a device that matches, or may match, an item of the library."""

    id: str
    path: str
    size: int
    item_id: ItemId
    title: str
    artist: str | None
    album: str | None
    why: str


class AdoptionOffer(OfDevice, Managed):
    """Files on a device that could be adopted; `matched` and `doubtful` may be cut short."""

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
    """The result of an adoption; if `left` is not 0, call again for the rest."""

    adopted: int
    left: int
    refused: list[NotAdopted]


class ListDifferences(Schema):
    """What differs between two lists, by titles; `added` and `removed` may be cut short."""

    added: list[str]
    added_total: int
    removed: list[str]
    removed_total: int
    is_reordered: bool


class ReturnedList(Schema):
    """A playlist on a device that may be taken home; send `mark` back with the answer."""

    path: str
    name: str
    kind: str
    mark: str
    text: str
    changes: ListDifferences
    in_jellyfin: ListDifferences | None
    unknown: int


class ReturnedLists(Schema):
    """The playlists of a device that people made or changed there."""

    device_id: str
    device_name: str
    lists: list[ReturnedList]
    may_take: bool
    may_undo: list[str]


class ListAnswered(Schema):
    """What was done."""

    text: str
