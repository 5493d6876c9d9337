"""A robot that listens to music on the demo server, so that newcomers see something happen.

It plays albums as the web client does, and is as fickle as a person: it skips, pauses, has had
enough, presses a heart or takes one away. It knows the server only through its public HTTP API,
and it never asks twice for a sign-in that was refused.

    album ─▶ Playing ─▶ Progress (0.25 s, then every 10 s) ─▶ Stopped ─▶ next track … ─▶ rest
              queue       pause, unpause, hearts between        queue; twice at a natural end:
                                                                the full length, then 0
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from itertools import count, takewhile
from operator import itemgetter
from random import Random
from threading import Event

from sidecar.demo.robot.client import (
    ListedItem,
    Player,
    PlayerError,
    PlayerSignInRefused,
    PlayerTokenRefused,
    Report,
    ServerUnavailable,
)
from sidecar.demo.robot.playback import Playback

log = logging.getLogger(__name__)

FIRST_PROGRESS_S = 0.25
PROGRESS_EVERY_S = 10.0
_SHORTEST_LISTEN_S = 2.0
_LONGEST_LISTEN_S = 90.0
_BETWEEN_TRACKS_S = 0.3
_PAUSE_S = (3.0, 8.0)
_REST_S = (4.0, 12.0)
_FIRST_BACKOFF_S = 1.0
_LONGEST_BACKOFF_S = 60.0
_LONGEST_ASKED_S = 300.0


@dataclass(frozen=True, slots=True)
class Habits:
    """The robot's probabilities, each from 0 (never) to 1 (always).

    Attributes:
        skip: To skip a track early.
        pause: To pause once in a track.
        press_heart: To press a heart that is off, in a track or on an album.
        take_heart_away: The same for one that is on; higher, so that hearts stay few.
        have_enough: To leave an album after a track.
    """

    skip: float = 0.12
    pause: float = 0.15
    press_heart: float = 0.1
    take_heart_away: float = 0.3
    have_enough: float = 0.08


USUAL = Habits()


class _Step(Enum):
    TELL = auto()
    PAUSE = auto()
    TOUCH_HEART = auto()
    SKIP = auto()
    END = auto()


class Robot:
    """One robot listener. It runs once, in one thread.

    Args:
        url: The server's address.
        user: Who listens.
        password: Their password.
        chance: Where its moods come from; the same seed has the same moods.
        wait: Waits for the event at most so many seconds, and returns whether it is set.
        pace: Seconds of its life that pass in one second. Above 1 the server, which knows only
            real seconds, sees it jump ahead: for tests.
        habits: How often it does what.
        timeout_s: Seconds to wait for one answer.
    """

    def __init__(
        self,
        url: str,
        *,
        user: str,
        password: str,
        chance: Random,
        wait: Callable[[Event, float], bool] = Event.wait,
        pace: float = 1.0,
        habits: Habits = USUAL,
        timeout_s: float = 10.0,
    ) -> None:
        self._player = Player(url, user=user, password=password, timeout_s=timeout_s)
        self._chance, self._wait, self._pace, self._habits = chance, wait, pace, habits
        self._life = self._run_sessions()
        self._playing: Playback | None = None
        self._backoff_s = _FIRST_BACKOFF_S
        self._entries, self._sessions = count(), count(1)

    def run(self, stop: Event) -> None:
        """Listen until `stop` is set; survives the server's absence, not a refused sign-in."""
        try:
            while not stop.is_set():
                self._wait(stop, self.step())
        except PlayerSignInRefused as refusal:
            log.warning("the robot goes home: %s", refusal)
        finally:
            self.sign_off()

    def step(self) -> float:
        """Do the next thing, and return the seconds until the one after it.

        Raises:
            PlayerSignInRefused: The server does not let the user in.
        """
        try:
            pause = next(self._life) / self._pace
        except ServerUnavailable as trouble:
            return self._try_later(trouble, trouble.retry_after_s)
        except PlayerTokenRefused as trouble:
            return self._try_later(trouble, None)
        self._backoff_s = _FIRST_BACKOFF_S
        return pause

    def sign_off(self) -> None:
        """Report a stop if the server answers, and close the connection."""
        self._life.close()
        playing, self._playing = self._playing, None
        if playing is not None:
            with suppress(PlayerError):
                self._player.report(Report.STOPPED, playing.body_with_queue())
        self._player.close()

    def _try_later(self, trouble: PlayerError, asked_s: float | None) -> float:
        """Start a new session later; the current playback is dropped."""
        pause = max(self._backoff_s, min(asked_s or 0.0, _LONGEST_ASKED_S))
        log.info("the robot waits %.0f s: %s", pause, trouble)
        self._backoff_s = min(self._backoff_s * 2, _LONGEST_BACKOFF_S)
        self._playing, self._life = None, self._run_sessions()
        return pause

    def _run_sessions(self) -> Generator[float]:
        """Yield the seconds to wait after each thing done, for ever."""
        last = ""
        while True:
            if not self._player.is_signed_in:
                self._player.sign_in()
            albums = self._player.albums()
            album = self._choose([one for one in albums if one.id != last] or albums)
            if album is not None:
                last = album.id
                yield from self._listen_to(album)
            yield self._chance.uniform(*_REST_S)

    def _choose(self, albums: list[ListedItem]) -> ListedItem | None:
        if not albums:
            return None
        album = self._chance.choice(albums)
        if self._is_inclined_to(self._choose_heart(album)):
            self._player.set_heart(album.id, is_on=not album.has_heart)
        return album

    def _listen_to(self, album: ListedItem) -> Iterator[float]:
        tracks = [track for track in self._player.tracks(album.id) if track.seconds > 0]
        entries = [f"playlistItem{next(self._entries)}" for _ in tracks]
        queue = [
            {"Id": track.id, "PlaylistItemId": entry}
            for track, entry in zip(tracks, entries, strict=True)
        ]
        log.info("the robot plays %s, %d tracks", album.name, len(tracks))
        for track, entry in zip(tracks, entries, strict=True):
            yield from self._play(Playback(track, str(next(self._sessions)), entry, queue))
            if self._is_inclined_to(self._habits.have_enough):
                return
            yield _BETWEEN_TRACKS_S

    def _play(self, playback: Playback) -> Iterator[float]:
        self._playing = playback
        self._player.report(Report.STARTED, playback.body_with_queue())
        for position_s, deed in self._plan(playback.track):
            yield position_s - playback.position_s
            playback.position_s = position_s
            yield from self._act(playback, deed)
        self._playing = None

    def _plan(self, track: ListedItem) -> list[tuple[float, _Step]]:
        """Return the events of this track in order, each with its position in seconds."""
        end_s, last = track.seconds, _Step.END
        if self._is_inclined_to(self._habits.skip) or track.seconds > _LONGEST_LISTEN_S:
            end_s, last = self._random_position(min(track.seconds, _LONGEST_LISTEN_S)), _Step.SKIP
        tells = takewhile(lambda at: at < end_s, count(FIRST_PROGRESS_S, PROGRESS_EVERY_S))
        plan = [(at, _Step.TELL) for at in tells]
        if self._is_inclined_to(self._habits.pause):
            plan.append((self._random_position(end_s), _Step.PAUSE))
        if self._is_inclined_to(self._choose_heart(track)):
            plan.append((self._random_position(end_s), _Step.TOUCH_HEART))
        return [*sorted(plan, key=itemgetter(0)), (end_s, last)]

    def _act(self, playback: Playback, deed: _Step) -> Iterator[float]:
        match deed:
            case _Step.TELL:
                self._report(playback, "timeupdate")
            case _Step.PAUSE:
                self._report(playback, "pause", is_paused=True)
                yield self._chance.uniform(*_PAUSE_S)
                self._report(playback, "unpause")
            case _Step.TOUCH_HEART:
                track = playback.track
                self._player.set_heart(track.id, is_on=not track.has_heart)
            case _Step.SKIP:
                self._player.report(Report.STOPPED, playback.body_with_queue())
            case _Step.END:
                # The web client does the same: whoever judges by the last position is misled.
                for position_s in (playback.track.seconds, 0.0):
                    playback.position_s = position_s
                    self._player.report(Report.STOPPED, playback.body_with_queue(is_paused=True))

    def _report(self, playback: Playback, event: str, *, is_paused: bool = False) -> None:
        self._player.report(Report.PROGRESS, playback.body_with_event(event, is_paused=is_paused))

    def _choose_heart(self, found: ListedItem) -> float:
        return self._habits.take_heart_away if found.has_heart else self._habits.press_heart

    def _is_inclined_to(self, share: float) -> bool:
        return self._chance.random() < share

    def _random_position(self, end_s: float) -> float:
        """Return a position somewhere inside a track, not at its very start if it is not tiny."""
        return self._chance.uniform(min(_SHORTEST_LISTEN_S, end_s / 2), end_s)
