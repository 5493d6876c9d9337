"""A play: one listening of one item by one user, with the seconds really heard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

ENOUGH_SHARE = 0.5
ENOUGH_S = 240.0
# Less is a client that started another item at once.
LEAST_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One listening, from its start to its end.

    A play that goes on after the sidecar was stopped has the same user, session, item and start as
    the stored one, and replaces it.

    Attributes:
        session_id, playlist_item_id: The client's session and queue entry, to find it again.
        ended_at: By our clock; for a client that vanished, when it last reported.
        position_s: Where in the item it ended.
        seconds_heard: Unpaused, jumps left out; never more than the time that passed.
        run_time: Of the item, in seconds; None if unknown.
    """

    user_id: str
    item_id: str
    title: str
    album_id: str | None
    artist: str | None
    client: str | None
    device_name: str | None
    session_id: str
    playlist_item_id: str | None
    started_at: datetime
    ended_at: datetime
    position_s: float
    seconds_heard: float
    run_time: float | None

    @property
    def counts(self) -> bool:
        """Whether enough was heard: half of it, or four minutes."""
        if self.seconds_heard >= ENOUGH_S:
            return True
        return bool(self.run_time) and self.seconds_heard >= ENOUGH_SHARE * (self.run_time or 0.0)

    @property
    def was_heard(self) -> bool:
        """Whether anything was heard at all."""
        return self.seconds_heard >= LEAST_S
