"""Keeps one live connection per account open and delivers its events.

    dial ──▶ SessionsStart ──▶ Connected ──▶ frames, KeepAlive every 25 s ──┐
      ▲                                                                     │ lost, silent
      └──────────── 1 s … 60 s, with jitter ◀── Disconnected ◀──────────────┘

A refused token, confirmed by `/Users/Me`, ends it. It stores nothing and fetches nothing. Its
`second_look` (`SessionPolling`), run in another thread, polls what plays: it stands in while there
is no connection, and detects one that is open but reports nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import partial
from threading import Event

from sidecar.clock import Clock
from sidecar.errors import JellyfinError, ServerAway, SignedOut
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.live.events import (
    Connected,
    Disconnected,
    KeepAliveFrame,
    News,
    TokenRefused,
    decode,
)
from sidecar.jellyfin.live.keepalive import KeepAlive
from sidecar.jellyfin.live.session_polling import SessionPolling
from sidecar.jellyfin.live.websocket import (
    ConnectionLost,
    ConnectionRefused,
    LiveConnection,
    open_connection,
)
from sidecar.messages import msg
from sidecar.process.threads import attempt

log = logging.getLogger(__name__)

FIRST_REST_S = 1.0
LONGEST_REST_S = 60.0
SETTLED_AFTER_S = 60.0

KEEP_ALIVE = json.dumps({"MessageType": "KeepAlive"})
SESSIONS_START = json.dumps({"MessageType": "SessionsStart", "Data": "0,1500"})

Greet = Callable[[LiveConnection], None]


def reconnect_delay(failures: int, *, roll: float, retry_after_s: float | None = None) -> float:
    """Return the seconds to wait before connecting again.

    Args:
        failures: How many connections have failed in a row, from 1.
        roll: A number in [0, 1), so that many sidecars do not reconnect together.
        retry_after_s: What the server asked for: a minimum, capped at the longest wait.
    """
    ceiling = min(LONGEST_REST_S, FIRST_REST_S * 2.0 ** min(failures, 10))
    asked = min(retry_after_s or 0.0, LONGEST_REST_S)
    return max(FIRST_REST_S, ceiling * (0.5 + 0.5 * roll), asked)


class Listener:
    """Listens for one account until it is stopped or the account is signed out.

    `deliver` is called in the listener's own thread or in that of `second_look`, never in both
    at once; it must be quick: while it works, no KeepAlive is sent.

    Attributes:
        second_look: Polls what plays; to be run in a thread of its own.
    """

    def __init__(
        self,
        client: Jellyfin,
        deliver: Callable[[News], None],
        *,
        clock: Clock,
        chance: Callable[[], float],
        open_line: Callable[[], LiveConnection] | None = None,
        greet: Greet | None = None,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            client: The account's client, with its token.
            deliver: Takes the events.
            clock: For all waits.
            chance: Gives numbers in [0, 1).
            open_line: How to open a connection, if not to the client's own server.
            greet: Called first on each connection, in place of subscribing to sessions; may
                raise any `JellyfinError`.
        """
        self._client = client
        self.second_look = SessionPolling(client.sessions, deliver, clock, self.end)
        self._clock = clock
        self._chance = chance
        self._open_line = open_line or partial(open_connection, client.connection)
        self._greet = greet or self._subscribe
        self._line: LiveConnection | None = None
        self._pulse = KeepAlive(clock.monotonic())
        self._connected_at = 0.0
        self._failures = 0
        self._told: News | None = None
        self._wants_sessions = True

    @property
    def has_ended(self) -> bool:
        """Whether the account turned out to be signed out: the listener does not run again."""
        return isinstance(self._told, TokenRefused)

    def run(self, stop: Event) -> None:
        """Listen until the account is signed out, or until `stop` is set and `end` called.

        It ends within a second. Only a connection attempt without an answer takes longer, up to
        `OPEN_TIMEOUT_S`.
        """
        try:
            while not (stop.is_set() or self.has_ended):
                lose = partial(self._disconnect, "The live connection failed unexpectedly")
                self._clock.wait(stop, attempt(self.step, "the live connection", lose))
        finally:
            self._close_connection()

    def end(self) -> None:
        """Have `run` look at once whether it is to go on: it waits for frames that may never come.

        To be called by another thread, after what it is to see was set.
        """
        if (line := self._line) is not None:
            line.wake()

    def step(self) -> float:
        """Open the connection or take one frame; return the seconds until the next step."""
        return self._connect() if self._line is None else self._listen(self._line)

    def _connect(self) -> float:
        try:
            line = self._open_line()
        except ConnectionRefused as refused:
            return self._find_cause(refused)
        except JellyfinError as trouble:
            return self._disconnect(str(trouble), _retry_after(trouble))
        self._line = line
        self._connected_at = self._clock.monotonic()
        self._pulse = KeepAlive(self._connected_at)
        try:
            self._greet(line)
        except JellyfinError as trouble:
            return self._disconnect(str(trouble), _retry_after(trouble))
        self._publish(Connected())
        return 0.0

    def _subscribe(self, line: LiveConnection) -> None:
        if self._wants_sessions:
            line.send(SESSIONS_START)

    def _find_cause(self, refused: ConnectionRefused) -> float:
        """Ask `/Users/Me` whether the token or a proxy is the cause of a refused connection."""
        try:
            self._client.me()
        except SignedOut as gone:
            self._publish(TokenRefused(str(gone)))
            return 0.0
        except JellyfinError as trouble:
            return self._disconnect(str(trouble), _retry_after(trouble))
        return self._disconnect(str(refused))

    def _listen(self, line: LiveConnection) -> float:
        now = self._clock.monotonic()
        if self._pulse.is_dead(now):
            return self._disconnect(msg("The live connection to Jellyfin does not answer any more"))
        if self.second_look.take_missed_news():
            return self._disconnect(
                msg("The live connection to Jellyfin does not tell what happens any more")
            )
        try:
            if self._pulse.is_due(now):
                self._keep_alive(line)
            frame = line.receive(self._pulse.rest(now))
            if frame is not None:
                self._handle_frame(frame, line)
        except ConnectionLost as lost:
            if lost.frame_too_big:
                log.warning("a client's queue is very large: what plays is only asked for")
                self._wants_sessions = False
                self.second_look.note_oversized_frame()
            return self._disconnect(str(lost))
        return 0.0

    def _handle_frame(self, frame: bytes, line: LiveConnection) -> None:
        match decode(frame, own_device=self._client.connection.identity.device_id):
            case None:
                return
            case KeepAliveFrame.WANTED:
                self._keep_alive(line)
            case KeepAliveFrame.ECHO:
                self._pulse.record_echo()
            case news:
                self._publish(news)

    def _keep_alive(self, line: LiveConnection) -> None:
        line.send(KEEP_ALIVE)
        self._pulse.record_sent(self._clock.monotonic())

    def _disconnect(self, reason: str, retry_after_s: float | None = None) -> float:
        """Close the connection, publish that once, and return how long to wait."""
        lived_s = self._clock.monotonic() - self._connected_at
        if self._line is not None and lived_s >= SETTLED_AFTER_S:
            self._failures = 0
        self._close_connection()
        self._failures += 1
        if not isinstance(self._told, Disconnected):
            self._publish(Disconnected(reason))
        return reconnect_delay(self._failures, roll=self._chance(), retry_after_s=retry_after_s)

    def _close_connection(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _publish(self, news: News) -> None:
        self._told = news
        attempt(partial(self.second_look.handle_news, news), f"delivering {type(news).__name__}")


def _retry_after(trouble: JellyfinError) -> float | None:
    return trouble.retry_after_s if isinstance(trouble, ServerAway) else None
