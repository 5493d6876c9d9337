"""One track being played, and what a player reports of it: the bodies of the three reports.

Shaped as the web client's are; sends nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sidecar.demo.robot.client import TICKS_A_SECOND, ListedItem

Body = dict[str, Any]


@dataclass(slots=True)
class Playback:
    """What is playing. Only `position_s` moves.

    Attributes:
        session: The player's own name for this playback.
        entry: The track's place in the queue (`PlaylistItemId`), unique for each enqueueing.
        queue: All entries, in order, as the server wants them.
    """

    track: ListedItem
    session: str
    entry: str
    queue: list[dict[str, str]]
    position_s: float = 0.0

    def body_with_queue(self, *, is_paused: bool = False) -> Body:
        """Return the body of a report of start or stop: only these carry the queue."""
        return {**self._body(is_paused=is_paused), "NowPlayingQueue": self.queue}

    def body_with_event(self, event: str, *, is_paused: bool = False) -> Body:
        """Return the body of a progress report, and why it is sent (`timeupdate`, `pause` …)."""
        return {**self._body(is_paused=is_paused), "EventName": event}

    def _body(self, *, is_paused: bool) -> Body:
        return {
            "ItemId": self.track.id,
            "MediaSourceId": self.track.id,
            "PositionTicks": round(self.position_s * TICKS_A_SECOND),
            "IsPaused": is_paused,
            "IsMuted": False,
            "VolumeLevel": 100,
            "CanSeek": True,
            "RepeatMode": "RepeatNone",
            "PlaybackOrder": "Default",
            "PlayMethod": "DirectPlay",
            "PlaySessionId": self.session,
            "PlaylistItemId": self.entry,
        }
