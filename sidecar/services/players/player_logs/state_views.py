"""What people are shown of a player's positions, counts and ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sidecar.errors import SidecarError
from sidecar.services.players.player_logs.views import ImportView, RefusedView, RemarkView


class NotTheListener(SidecarError):
    """The player is somebody else's, nobody's, or nobody has said whose."""


@dataclass(frozen=True, slots=True)
class ChoiceView:
    """A user whose player a device may be; without an id it is nobody's."""

    user_id: str | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerView:
    """Whose player a device is.

    Attributes:
        is_chosen: Whether somebody has said so.
        user_id: None if it is nobody's.
        name: Of the user.
        is_you: Whether it is the person's who asks.
        choices: Whose the person may say it is; empty if they may not.
    """

    is_chosen: bool
    user_id: str | None
    name: str
    is_you: bool
    choices: Sequence[ChoiceView]


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """A position of the player, and Jellyfin's.

    Attributes:
        seconds: On the player.
        is_end: Whether that is the end: it becomes played.
        at: When it was set; None if nobody knows.
        path: The player's file that says so.
    """

    item_id: str
    title: str
    artist: str | None
    seconds: float
    is_end: bool
    at: datetime | None
    path: str
    jellyfin_seconds: float
    jellyfin_at: datetime | None
    jellyfin_is_played: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CountView:
    """Plays that the player has counted and that no log has told."""

    item_id: str
    title: str
    artist: str | None
    plays: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartView:
    """A rating of 8 or more without a heart in Jellyfin."""

    item_id: str
    title: str
    artist: str | None
    rating: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerView:
    """What a player knows that Jellyfin does not.

    Attributes:
        files: The player's files that were read.
        positions: Would be taken: they are newer than what Jellyfin knows.
        questions: Are taken only if the person says so.
        unknown: Lines about no file of ours, or about more than one.
        others: Lines about files of other users.
        has_more: There is more than one import takes.
        is_rockbox: Whether the device has the folder of a player with Rockbox.
    """

    device_id: str
    device_name: str
    listener: ListenerView
    files: Sequence[str] = ()
    positions: Sequence[PositionView] = ()
    questions: Sequence[PositionView] = ()
    counts: Sequence[CountView] = ()
    hearts: Sequence[HeartView] = ()
    unknown: int = 0
    others: int = 0
    remarks: Sequence[RemarkView] = ()
    imports: Sequence[ImportView] = ()
    has_more: bool = False
    is_rockbox: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenView:
    """What was written to a player: bookmarks, and tracks of its changelog."""

    bookmarks: int
    tracks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenStatesView:
    """The result of an import; `left` items are taken by the next one."""

    positions: int = 0
    plays: int = 0
    hearts: int = 0
    left: int = 0
    refused: Sequence[RefusedView] = ()
