"""Parses the frames of the live connection; unknown frames are skipped.

Keys in frames are case-sensitive, unlike those in HTTP bodies. `UserDataChanged` also
carries the parent (album, season) of what changed and does not say what changed: compare with what
was known. `Sessions` comes only when something happens, and never as a first snapshot.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from sidecar.bounded_json import UnboundedJson
from sidecar.domain.playback.sessions import NowPlaying
from sidecar.errors import JellyfinError
from sidecar.jellyfin.client import FULL_QUEUES
from sidecar.jellyfin.http.parsing import Unfit, parse
from sidecar.jellyfin.http.skipping import WithoutList
from sidecar.jellyfin.live.commands import (
    Command,
    GeneralCommandFrame,
    PlayFrame,
    PlayOrder,
    PlaystateFrame,
)
from sidecar.jellyfin.mapping import list_now_playing
from sidecar.jellyfin.models import (
    TICKS_PER_SECOND,
    Id,
    JellyfinModel,
    Many,
    Sessions,
    UserItemData,
)

log = logging.getLogger(__name__)

# A client of 10.11 with a thousand tracks in its queue makes frames of 3.6 MB. Where one is
# larger, what plays is polled instead.
LARGEST_FRAME_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Connected:
    """The live connection is open. Earlier changes are not reported: fetch the state anew."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The live connection is lost or cannot be made; sent once until it is open again."""

    reason: str


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """The account is signed out, confirmed; the listener has ended."""

    reason: str


@dataclass(frozen=True, slots=True)
class SessionsUnavailable:
    """The poll for what plays failed; other requests may fail for the same reason."""

    trouble: JellyfinError


@dataclass(frozen=True, slots=True)
class ServerStopping:
    """The server is about to stop; the connection will close."""


@dataclass(frozen=True, slots=True)
class UserDataEntry:
    """The user data of one item as it is now."""

    item_id: str
    is_favorite: bool
    played: bool
    play_count: int
    last_played: datetime | None
    position_s: float


@dataclass(frozen=True, slots=True)
class UserDataChanged:
    """Comes half a second after a favourite, start, stop or played mark; close ones as one."""

    user_id: str
    entries: tuple[UserDataEntry, ...]


@dataclass(frozen=True, slots=True)
class SessionsNews:
    """All that plays now, without our own sessions.

    An admin's connection reports the playback of all users: check each `user_id`.
    """

    playing: tuple[NowPlaying, ...]


@dataclass(frozen=True, slots=True)
class LibraryChanged:
    """Items were added, changed or removed about half a minute ago."""

    added: tuple[str, ...]
    updated: tuple[str, ...]
    removed: tuple[str, ...]


News = (
    Connected
    | Disconnected
    | TokenRefused
    | SessionsUnavailable
    | ServerStopping
    | UserDataChanged
    | SessionsNews
    | LibraryChanged
    | PlayOrder
    | Command
)


class KeepAliveFrame(Enum):
    """Frames that keep the connection alive."""

    WANTED = auto()
    ECHO = auto()


class _Library(JellyfinModel):
    items_added: Many[Id] = ()
    items_updated: Many[Id] = ()
    items_removed: Many[Id] = ()


class _UserData(JellyfinModel):
    user_id: Id
    user_data_list: Many[UserItemData] = ()


class _LibraryFrame(JellyfinModel):
    message_type: Literal["LibraryChanged"]
    data: _Library


class _UserDataFrame(JellyfinModel):
    message_type: Literal["UserDataChanged"]
    data: _UserData


class _SessionsFrame(JellyfinModel):
    message_type: Literal["Sessions"]
    data: Sessions


class _StoppingFrame(JellyfinModel):
    message_type: Literal["ServerShuttingDown", "ServerRestarting"]


class _WantedFrame(JellyfinModel):
    message_type: Literal["ForceKeepAlive"]


class _EchoFrame(JellyfinModel):
    message_type: Literal["KeepAlive"]


_Frame = Annotated[
    _LibraryFrame
    | _UserDataFrame
    | _SessionsFrame
    | _StoppingFrame
    | _WantedFrame
    | _EchoFrame
    | PlayFrame
    | PlaystateFrame
    | GeneralCommandFrame,
    Field(discriminator="message_type"),
]
_FRAME: TypeAdapter[_Frame] = TypeAdapter(_Frame)


def decode(frame: bytes, *, own_device: str) -> News | KeepAliveFrame | None:
    """Parse a frame; None if it is of no interest or cannot be read."""
    try:
        read = parse(_without_full_queues(frame), _FRAME, most_bytes=LARGEST_FRAME_BYTES)
    except (UnboundedJson, Unfit) as why:
        log.debug("passed over a frame of %d bytes: %s", len(frame), why)
        return None
    return _to_news(read, own_device)


def _without_full_queues(frame: bytes) -> bytes:
    if FULL_QUEUES.key.encode() not in frame:
        return frame
    passing = WithoutList(FULL_QUEUES.key)
    return passing.feed(frame) + passing.end()


def _to_news(read: _Frame, own_device: str) -> News | KeepAliveFrame:
    match read:
        case _SessionsFrame(data=sessions):
            return SessionsNews(list_now_playing(sessions, except_device=own_device))
        case _UserDataFrame(data=told):
            return UserDataChanged(told.user_id, _read_entries(told))
        case _LibraryFrame(data=told):
            return LibraryChanged(
                added=_drop_unknown(told.items_added),
                updated=_drop_unknown(told.items_updated),
                removed=_drop_unknown(told.items_removed),
            )
        case PlayFrame() | PlaystateFrame() | GeneralCommandFrame():
            return read.to_value()
        case _StoppingFrame():
            return ServerStopping()
        case _WantedFrame() | _EchoFrame():
            return KeepAliveFrame.WANTED if isinstance(read, _WantedFrame) else KeepAliveFrame.ECHO


def _read_entries(told: _UserData) -> tuple[UserDataEntry, ...]:
    return tuple(
        UserDataEntry(
            item_id=one.item_id,
            is_favorite=one.is_favorite,
            played=one.played,
            play_count=one.play_count,
            last_played=one.last_played_date,
            position_s=one.playback_position_ticks / TICKS_PER_SECOND,
        )
        for one in told.user_data_list
        if one is not None
    )


def _drop_unknown(ids: tuple[str | None, ...]) -> tuple[str, ...]:
    return tuple(one for one in ids if one is not None)
