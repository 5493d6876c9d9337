"""What plays now: one value for each session that plays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sidecar.domain.items.item import Item
from sidecar.messages import msg

# Most clients report every ten seconds. One that is slower shows with its next report.
FRESH_S = 30.0


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
        silent_s: Seconds since then by the server's own clock, at least; None if it is not known.
        before: The items that this session played before, oldest first, as far as we saw it.
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
    silent_s: float | None = None
    before: tuple[str, ...] = ()
    repeat: Repeat = Repeat.NONE
    is_shuffled: bool = False
    queue: tuple[QueueEntry, ...] = ()

    @property
    def player(self) -> str:
        """The client and what it runs on, as people know them: `Feishin on Chrome`."""
        return name_player(self.client, self.device_name)


def name_player(client: str | None, device: str | None) -> str:
    """Return the name of a client with that of its device, where they are two."""
    if client and device and client.casefold() not in device.casefold():
        return msg("{client} on {device}", client=client, device=device)
    return device or client or msg("this client")


class StaleSessions:
    """Leaves out what was not really playing when we began to listen.

    A client that was closed without a word is listed for minutes, and plays on by the server's
    calculation. So what had no fresh report then plays nothing until its client reports again.
    """

    def __init__(self) -> None:
        self._stale: dict[str, tuple[str, datetime | None]] | None = None

    def leave_out(self, playing: Iterable[NowPlaying]) -> tuple[NowPlaying, ...]:
        """Return the sessions without the stale ones; the first call decides which are."""
        told = tuple(playing)
        if self._stale is None:
            self._stale = {
                one.session_id: _report(one)
                for one in told
                if one.silent_s is not None and one.silent_s > FRESH_S
            }
        now = {one.session_id: _report(one) for one in told}
        self._stale = {name: it for name, it in self._stale.items() if now.get(name) == it}
        return tuple(one for one in told if one.session_id not in self._stale)


def _report(playing: NowPlaying) -> tuple[str, datetime | None]:
    return playing.item.id, playing.checked_in
