"""The activity log that administrators read; in memory, latest first."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from sidecar.demo.library.items import DemoItem
from sidecar.demo.protocol.formats import NO_ID, Json, drop_nulls, format_date, now
from sidecar.demo.state.sessions import DemoSession
from sidecar.demo.state.users import DemoUser

_KEPT = 10_000


class ActivityType(StrEnum):
    """The kinds of entries, by their names in the API."""

    DOWNLOADING = "UserDownloadingContent"
    PLAYBACK = "AudioPlayback"
    STOPPED = "AudioPlaybackStopped"
    VIDEO_PLAYBACK = "VideoPlayback"
    VIDEO_STOPPED = "VideoPlaybackStopped"
    SIGNED_IN = "AuthenticationSucceeded"
    SIGN_IN_FAILED = "AuthenticationFailed"
    SESSION_STARTED = "SessionStarted"
    SESSION_ENDED = "SessionEnded"


@dataclass(slots=True)
class ActivityLog:
    """The entries, and their number so far."""

    entries: deque[Json] = field(default_factory=lambda: deque(maxlen=_KEPT))
    written: int = 0

    def write(
        self,
        event: ActivityType,
        text: str,
        overview: str | None,
        *,
        user_id: str = NO_ID,
        item_id: str | None = None,
    ) -> None:
        """Write an entry; `overview` is the small print below it, None for none."""
        self.written += 1
        entry: Json = {
            "Id": self.written,
            "Name": text,
            "ShortOverview": overview,
            "Type": event.value,
            "ItemId": item_id,
            "Date": format_date(now()),
            "UserId": user_id,
            "Severity": "Error" if event is ActivityType.SIGN_IN_FAILED else "Information",
        }
        self.entries.appendleft(drop_nulls(entry))

    def download(self, user: DemoUser, item: DemoItem, client: str, device: str) -> None:
        """Record the download of an original file, or of a part of it."""
        self.write(
            ActivityType.DOWNLOADING,
            f"{user.name} is downloading {item.name}",
            f"App: {client}, Device: {device}",
            user_id=user.id,
            item_id=item.id,
        )

    def visit(
        self, user: DemoUser, session: DemoSession, remote: str | None, *, has_begun: bool
    ) -> None:
        """Record that a session began or ended."""
        event = ActivityType.SESSION_STARTED if has_begun else ActivityType.SESSION_ENDED
        verb = "is online" if has_begun else "has disconnected"
        self.write(
            event,
            f"{user.name} {verb} from {session.device}",
            f"IP address: {remote}",
            user_id=user.id,
        )

    def playback(
        self, user: DemoUser, item: DemoItem, session: DemoSession, *, has_begun: bool
    ) -> None:
        """Record that a playback began or ended."""
        began, ended = (
            (ActivityType.VIDEO_PLAYBACK, ActivityType.VIDEO_STOPPED)
            if item.kind.is_video
            else (ActivityType.PLAYBACK, ActivityType.STOPPED)
        )
        verb = "is playing" if has_begun else "has finished playing"
        artist = next(iter(item.music.artists), None) if item.music else None
        title = f"{artist} - {item.name}" if artist else item.name
        self.write(
            began if has_begun else ended,
            f"{user.name} {verb} {title} on {session.device}",
            None,
            user_id=user.id,
            item_id=item.id,
        )
