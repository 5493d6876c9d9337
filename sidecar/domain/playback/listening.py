"""Measures how many seconds of one playback were really heard.

    position │      ┌──┐ / stretch          A stretch is played without a pause or a jump. Heard
             │     /    /                   of it is what the position moved on, but never more
             │    /pause                    than the time that passed.
             └─────────────── time

Times are monotonic and passed in. The server's clock is never compared with ours: `checked_in` only
distinguishes a report of the client from the server's extrapolation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from sidecar.domain.playback.plays import Play
from sidecar.domain.playback.sessions import NowPlaying

# Reports may be so late or early without a jump.
JITTER_S = 3.0
# Of a longer time between two snapshots, not more than this counts as heard.
UNSEEN_S = 12.0
# Most clients report every ten seconds.
WORDLESS_S = 30.0
# Longer than the slowest client's reports (150 s).
SILENT_S = 180.0


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, on two clocks: for people, and monotonic for calculations."""

    at: datetime
    monotonic: float

    def since(self, earlier: Moment) -> float:
        """Return the seconds between, at least 0."""
        return max(0.0, self.monotonic - earlier.monotonic)


class PlaybackStep(Enum):
    """What a new snapshot of the same playback shows."""

    WENT_ON = auto()
    PAUSED = auto()
    RESUMED = auto()
    SEEKED = auto()
    ANOTHER = auto()
    """It is over, and this is another one."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """The last report of the client itself."""

    moment: Moment
    position_s: float
    heard_s: float


class Listening:
    """One playback in one client, from its start to its end."""

    def __init__(
        self,
        user_id: str,
        playing: NowPlaying,
        now: Moment,
        *,
        lead_s: float = 0.0,
        before: Play | None = None,
    ) -> None:
        """Begin.

        Args:
            user_id: Who listens.
            playing: As it was first seen.
            now: When that was.
            lead_s: Seconds played before that.
            before: The same playback's play from before it disappeared, if any.
        """
        self._user_id = user_id
        self.playing = playing
        self.started_at = before.started_at if before else now.at - timedelta(seconds=lead_s)
        self._seen = now
        self._heard_before = before.seconds_heard if before else lead_s
        self._from_s = before.position_s if before else playing.position_s
        self._since = now.monotonic - (seconds_unseen(before, now) if before else 0.0)
        self._report = _Mark(now, playing.position_s, self.heard_s)

    @property
    def heard_s(self) -> float:
        """Seconds heard until the last snapshot."""
        moved = self.playing.position_s - self._from_s
        return self._heard_before + min(max(0.0, moved), self._seen.monotonic - self._since)

    def look(self, playing: NowPlaying, now: Moment) -> PlaybackStep:
        """Update from a snapshot; ANOTHER changes nothing."""
        before, passed = self.playing, now.since(self._seen)
        if self._is_another(playing, now):
            return PlaybackStep.ANOTHER
        jumped = self._jumped(playing, passed)
        if jumped or (before.is_paused and playing.is_paused):
            # The moment of the jump is unknown, but it takes no time: until then it was heard.
            unseen = 0.0 if before.is_paused else min(passed, UNSEEN_S)
            self._begin_stretch(self.heard_s + unseen, playing, now)
        self.playing, self._seen = playing, now
        turned = before.is_paused != playing.is_paused
        if turned:
            self._begin_stretch(self.heard_s, playing, now)
        # The server by itself makes neither a jump nor a pause.
        if jumped or turned or before.checked_in != playing.checked_in:
            self._report = _Mark(now, playing.position_s, self.heard_s)
        if turned:
            return PlaybackStep.PAUSED if playing.is_paused else PlaybackStep.RESUMED
        return PlaybackStep.SEEKED if jumped else PlaybackStep.WENT_ON

    def is_silent(self, now: Moment) -> bool:
        """Whether the client has vanished: it plays only by the server's extrapolation."""
        return not self.playing.is_paused and now.since(self._report.moment) > SILENT_S

    def silent_since(self, now: Moment) -> datetime | None:
        """Return when the client last reported, if that is longer ago than most let pass."""
        is_silent = not self.playing.is_paused and now.since(self._report.moment) > WORDLESS_S
        return self._report.moment.at if is_silent else None

    def overtime_s(self, now: Moment) -> float:
        """Return the seconds since its expected end; negative before that, or if it has none."""
        run_time = self.playing.item.seconds
        if not run_time or self.playing.is_paused:
            return -1.0
        if self.playing.position_s + now.since(self._seen) < run_time - JITTER_S:
            return -1.0
        return max(0.0, now.monotonic - self._since - max(0.0, run_time - self._from_s))

    def end(self, now: Moment, *, at_most_s: float) -> Play:
        """Return the play, which ended between the last snapshot and now.

        Args:
            now: When it is known to be over.
            at_most_s: The most of the time between that counts as heard.
        """
        left = self.playing.item.seconds
        left = max(0.0, left - self.playing.position_s) if left else now.since(self._seen)
        unseen = 0.0 if self.playing.is_paused else min(left, at_most_s, now.since(self._seen))
        position = self.playing.position_s + unseen
        return self._play(now.at, position, self.heard_s + unseen)

    def end_at_report(self) -> Play:
        """Return the play, ended when the client last reported."""
        return self._play(self._report.moment.at, self._report.position_s, self._report.heard_s)

    def seen_ago_s(self, now: Moment) -> float:
        """Return the seconds since the last snapshot."""
        return now.since(self._seen)

    def _begin_stretch(self, heard_s: float, playing: NowPlaying, now: Moment) -> None:
        self._heard_before = heard_s
        self._from_s = playing.position_s
        self._since = now.monotonic

    def _is_another(self, playing: NowPlaying, now: Moment) -> bool:
        if (playing.user_id, playing.item.id) != (self._user_id, self.playing.item.id):
            return True
        passed = now.since(self._seen)
        begins = playing.position_s <= passed + JITTER_S
        if playing.playlist_item_id != self.playing.playlist_item_id and begins:
            return True
        if playing.position_s >= self.playing.position_s - JITTER_S:
            return False
        overtime = self.overtime_s(now)
        return overtime >= 0.0 and playing.position_s <= overtime + JITTER_S

    def _jumped(self, playing: NowPlaying, passed_s: float) -> bool:
        moved = playing.position_s - self.playing.position_s
        if self.playing.is_paused and playing.is_paused:
            return abs(moved) > JITTER_S
        if moved > passed_s + JITTER_S:
            return True
        # Back, but not before the last report: it played slower than the server extrapolated.
        return playing.position_s < min(self.playing.position_s, self._report.position_s) - JITTER_S

    def _play(self, ended_at: datetime, position_s: float, heard_s: float) -> Play:
        item = self.playing.item
        return Play(
            user_id=self._user_id,
            item_id=item.id,
            title=item.title,
            album_id=item.album_id,
            artist=item.artist,
            client=self.playing.client,
            device_name=self.playing.device_name,
            session_id=self.playing.session_id,
            playlist_item_id=self.playing.playlist_item_id,
            started_at=self.started_at,
            ended_at=max(self.started_at, ended_at),
            position_s=position_s,
            seconds_heard=heard_s,
            run_time=item.seconds,
        )


def seconds_unseen(play: Play, now: Moment) -> float:
    """Return the seconds since a play was last reported."""
    return max(0.0, (now.at - play.ended_at).total_seconds())
