"""What plays now: one value for each session that plays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sidecar.domain.items.item import Item


class Repeat(StrEnum):
    """The repeat mode, by Jellyfin's names."""

    NONE = "RepeatNone"
    ONE = "RepeatOne"
    ALL = "RepeatAll"


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """One entry of a client's queue.

    Attributes:
        playlist_item_id: The id of this entry: unlike the item id it is unique in the queue.
    """

    item_id: str
    playlist_item_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NowPlaying:
    """One playback in one client.

    Attributes:
        user_id: None if the session belongs to nobody.
        item: As in the session: without size and permission.
        playlist_item_id: The queue's entry that plays.
        position_s: The server's extrapolation, which goes on after a client has vanished.
        checked_in: When the client itself last reported; None if it never did.
        queue: The reported queue from the current entry on, cut to a bounded length; empty if it
            does not hold the current entry (on 12.0 it is often the previous queue), or if the
            client reports none.
    """

    session_id: str
    user_id: str | None
    item: Item
    playlist_item_id: str | None = None
    device_id: str | None = None
    device_name: str | None = None
    client: str | None = None
    position_s: float = 0.0
    is_paused: bool = False
    checked_in: datetime | None = None
    repeat: Repeat = Repeat.NONE
    is_shuffled: bool = False
    queue: tuple[QueueEntry, ...] = ()
