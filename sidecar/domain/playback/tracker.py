"""Turns snapshots of what plays into events and plays.

    snapshot, snapshot, … ──▶ Tracker ──▶ started · paused · resumed · seeked · moved on · ended
                                                                                       └─▶ Play

A snapshot is *all* that plays: what is not in it has ended. A playback that continues soon where it
ended is the same play, and is reported as started and ended once more. It sends no request and
reads no clock. It judges only by how positions change, not by a single position or played mark.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sidecar.domain.playback.listening import (
    JITTER_S,
    UNSEEN_S,
    Listening,
    Moment,
    PlaybackStep,
    seconds_unseen,
)
from sidecar.domain.playback.plays import Play
from sidecar.domain.playback.sessions import NowPlaying

__all__ = ["Current", "EventKind", "Moment", "PlaybackEvent", "Tracker"]

# After a longer absence it is a new play.
REMEMBERED_S = 600.0
# Between two tracks a session has nothing that plays, for up to two seconds.
BETWEEN_S = 4.0


class EventKind(StrEnum):
    """The kind of an event."""

    STARTED = "started"
    MOVED_ON = "moved on"
    """Started right after another one, which has ended."""
    PAUSED = "paused"
    RESUMED = "resumed"
    SEEKED = "seeked"
    ENDED = "ended"


STEPS = {
    PlaybackStep.PAUSED: EventKind.PAUSED,
    PlaybackStep.RESUMED: EventKind.RESUMED,
    PlaybackStep.SEEKED: EventKind.SEEKED,
}


@dataclass(frozen=True, slots=True)
class PlaybackEvent:
    """An event of one playback.

    Attributes:
        playing: The last snapshot of it.
        play: What was heard, only for `ENDED`.
    """

    what: EventKind
    playing: NowPlaying
    play: Play | None = None


@dataclass(frozen=True, slots=True)
class Current:
    """A current playback, and how much of it was heard.

    Attributes:
        silent_since: When its client last reported, if that is unusually long ago.
    """

    playing: NowPlaying
    started_at: datetime
    heard_s: float
    silent_since: datetime | None = None


class Tracker:
    """Tracks all playbacks in the snapshots. Not safe for several threads."""

    def __init__(self, lately: Iterable[Play] = ()) -> None:
        """Begin.

        Args:
            lately: Plays that ended shortly before, newest last: one that still goes on is
                continued.
        """
        self._listening: dict[str, Listening] = {}
        self._vanished: dict[str, NowPlaying] = {}
        self._lost = {play.session_id: play for play in lately}
        self._looked: Moment | None = None
        self._left: dict[str, tuple[Current, float]] = {}

    def take(self, playing: Iterable[NowPlaying], now: Moment) -> list[PlaybackEvent]:
        """Take a snapshot of all that plays, and return the events since the last one.

        Sessions without a user are ignored.
        """
        now = self._advance(now)
        told = {one.session_id: one for one in playing if one.user_id is not None}
        gone = [one for one in self._listening if one not in told]
        self._left = {one: it for one, it in self._left.items() if one not in told}
        self._left |= {one: (_to_current(self._listening[one], now), now.monotonic) for one in gone}
        events = [self._end(session_id, now) for session_id in gone]
        self._vanished = {name: one for name, one in self._vanished.items() if name in told}
        for one in told.values():
            events += self._update(one, now)
        events += self._end_silent(now)
        self._looked = now
        return events

    def tick(self, now: Moment) -> list[PlaybackEvent]:
        """End playbacks without a report for too long; for times without snapshots."""
        return self._end_silent(self._advance(now))

    def close(self) -> list[PlaybackEvent]:
        """End all playbacks where the clients last reported."""
        return [self._end_unseen(session_id) for session_id in list(self._listening)]

    def current(self, now: Moment) -> list[Current]:
        """Return what plays now."""
        return [_to_current(one, now) for one in self._listening.values()]

    def shown(self, now: Moment) -> list[Current]:
        """Return what plays now, with what ended a moment ago: between two tracks is no end."""
        self._left = {
            one: it
            for one, it in self._left.items()
            if one not in self._listening and now.monotonic - it[1] < BETWEEN_S
        }
        return self.current(now) + [one for one, _ in self._left.values()]

    def partial_plays(self) -> list[Play]:
        """Return the plays so far of what plays now, as `close` would."""
        return [one.end_at_report() for one in self._listening.values()]

    def _update(self, playing: NowPlaying, now: Moment) -> list[PlaybackEvent]:
        listening = self._listening.get(playing.session_id)
        if listening is None:
            return self._start(playing, now)
        step = listening.look(playing, now)
        if step is PlaybackStep.ANOTHER:
            return self._move_on(listening, playing, now)
        return [PlaybackEvent(STEPS[step], playing)] if step in STEPS else []

    def _start(self, playing: NowPlaying, now: Moment) -> list[PlaybackEvent]:
        ghost = self._vanished.get(playing.session_id)
        if ghost is not None and _is_same_report(ghost, playing):
            return []
        self._vanished.pop(playing.session_id, None)
        before = self._lost.pop(playing.session_id, None)
        if before is not None and not _continues(before, playing, now):
            before = None
        unseen = now.since(self._looked) if self._looked else 0.0
        self._begin(playing, now, lead_s=_played_before(playing, unseen), before=before)
        return [PlaybackEvent(EventKind.STARTED, playing)]

    def _move_on(
        self, listening: Listening, playing: NowPlaying, now: Moment
    ) -> list[PlaybackEvent]:
        unseen = listening.seen_ago_s(now)
        if _is_same_item(listening.playing, playing):
            unseen = max(listening.overtime_s(now), 0.0)
        lead = _played_before(playing, min(unseen, listening.seen_ago_s(now)))
        between = min(UNSEEN_S, listening.seen_ago_s(now) - lead)
        ended = _end_event(listening, now, at_most_s=between)
        self._begin(playing, now, lead_s=lead)
        return [ended, PlaybackEvent(EventKind.MOVED_ON, playing)]

    def _begin(
        self, playing: NowPlaying, now: Moment, *, lead_s: float, before: Play | None = None
    ) -> None:
        self._listening[playing.session_id] = Listening(
            playing.user_id or "", playing, now, lead_s=lead_s, before=before
        )

    def _end(self, session_id: str, now: Moment) -> PlaybackEvent:
        return self._remember(_end_event(self._listening.pop(session_id), now, at_most_s=JITTER_S))

    def _end_silent(self, now: Moment) -> list[PlaybackEvent]:
        silent = [name for name, one in self._listening.items() if one.is_silent(now)]
        for name in silent:
            self._vanished[name] = self._listening[name].playing
        return [self._end_unseen(name) for name in silent]

    def _end_unseen(self, session_id: str) -> PlaybackEvent:
        """End a playback where its client last reported."""
        listening = self._listening.pop(session_id)
        return self._remember(
            PlaybackEvent(EventKind.ENDED, listening.playing, listening.end_at_report())
        )

    def _remember(self, ended: PlaybackEvent) -> PlaybackEvent:
        """Remember an ended play, to recognise it if it continues after a lost connection."""
        if ended.play is not None:
            self._lost[ended.play.session_id] = ended.play
        return ended

    def _advance(self, now: Moment) -> Moment:
        for session_id in [
            one for one, it in self._lost.items() if seconds_unseen(it, now) > REMEMBERED_S
        ]:
            del self._lost[session_id]
        last = self._looked.monotonic if self._looked else now.monotonic
        return Moment(now.at, max(last, now.monotonic))


def _to_current(one: Listening, now: Moment) -> Current:
    return Current(one.playing, one.started_at, one.heard_s, one.silent_since(now))


def _end_event(listening: Listening, now: Moment, *, at_most_s: float) -> PlaybackEvent:
    if listening.is_silent(now):
        return PlaybackEvent(EventKind.ENDED, listening.playing, listening.end_at_report())
    play = listening.end(now, at_most_s=at_most_s)
    return PlaybackEvent(EventKind.ENDED, listening.playing, play)


def _played_before(playing: NowPlaying, unseen_s: float) -> float:
    """Return what was played of a new playback before its first snapshot: its position, or 0."""
    short = playing.position_s <= min(unseen_s, UNSEEN_S)
    return playing.position_s if short and not playing.is_paused else 0.0


def _continues(before: Play, playing: NowPlaying, now: Moment) -> bool:
    same = (before.user_id, before.item_id, before.playlist_item_id) == (
        playing.user_id,
        playing.item.id,
        playing.playlist_item_id,
    )
    moved = playing.position_s - before.position_s
    return same and -JITTER_S <= moved <= seconds_unseen(before, now) + JITTER_S


def _is_same_item(one: NowPlaying, other: NowPlaying) -> bool:
    return one.item.id == other.item.id and one.playlist_item_id == other.playlist_item_id


def _is_same_report(one: NowPlaying, other: NowPlaying) -> bool:
    return _is_same_item(one, other) and one.checked_in == other.checked_in
