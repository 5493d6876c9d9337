"""The registry of WebSocket clients, with their subscriptions and keep-alive.

    session ── its sockets ── a message goes to one of them: the one that spoke last

Every call is made under the server's lock, those of the scheduler included.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from sidecar.demo.protocol.formats import Json, new_id, to_json
from sidecar.demo.protocol.version import Version
from sidecar.demo.state.sessions import DemoSession
from sidecar.demo.state.timers import Scheduler

_LOOKS_PER_LIMIT = 5
_WARNED_FROM = 0.75
_MS = 1000


class SocketWriter(Protocol):
    """Sends messages to a client."""

    def send(self, text: str) -> None:
        """Queue a message."""

    def close(self) -> None:
        """Close after the queued messages."""


@dataclass(slots=True)
class Subscription:
    """A subscription to all sessions; two on one socket get everything twice."""

    period_s: float
    last_s: float = 0.0


@dataclass(slots=True, eq=False)
class SocketClient:
    """One socket.

    Attributes:
        alive_s: When it last said KeepAlive; `active_s`: when it last said anything.
        is_deaf: It stays open and is told nothing, for ever.
        wants_activity: It is rung when the activity log grows.
    """

    writer: SocketWriter
    session: DemoSession
    user_id: str
    token: str
    alive_s: float = field(default_factory=time.monotonic)
    active_s: float = field(default_factory=time.monotonic)
    is_deaf: bool = False
    wants_activity: bool = False
    subscriptions: list[Subscription] = field(default_factory=list)

    def send(self, kind: str, content: object = None) -> None:
        """Send a message, unless the client missed its keep-alive."""
        if self.is_deaf:
            return
        message: Json = {"MessageId": new_id()}
        if content is not None:
            message["Data"] = content
        self.writer.send(to_json(message | {"MessageType": kind}).decode())


class SocketRegistry:
    """All sockets."""

    def __init__(self, scheduler: Scheduler, *, keep_alive_s: float, speaks: Version) -> None:
        self._scheduler = scheduler
        self._keep_alive_s = keep_alive_s
        self._speaks = speaks
        self.clients: list[SocketClient] = []

    def join(self, listener: SocketClient) -> None:
        """Register a socket and tell it how often it must send KeepAlive."""
        self.clients.append(listener)
        listener.session.sockets += 1
        listener.send("ForceKeepAlive", round(self._keep_alive_s))
        self._subscribe(listener)

    def leave(self, listener: SocketClient) -> None:
        """Remove a closed socket."""
        self.clients.remove(listener)
        listener.session.sockets -= 1

    def receive(self, listener: SocketClient, text: str) -> None:
        """Handle a message; unknown ones are ignored."""
        try:
            message = json.loads(text)
            kind, content = message["MessageType"], message.get("Data")
        except (ValueError, LookupError, TypeError, AttributeError):
            return
        listener.active_s = time.monotonic()
        if kind == "KeepAlive":
            listener.alive_s = listener.active_s
            listener.send("KeepAlive")
        elif kind == "SessionsStart":
            listener.subscriptions.append(Subscription(_period_s(content)))
        elif kind == "SessionsStop":
            listener.subscriptions.clear()
        elif kind in {"ActivityLogEntryStart", "ActivityLogEntryStop"}:
            listener.wants_activity = kind.endswith("Start")

    def send_to_session(self, session: DemoSession, kind: str, content: object = None) -> None:
        """Send a message to a session, through one of its sockets."""
        sockets = [one for one in self.clients if one.session is session]
        if sockets:
            max(sockets, key=lambda one: one.active_s).send(kind, content)

    def send_to_user(self, user_id: str, kind: str, content: object) -> None:
        """Send a message to every session of a user."""
        for session in {one.session.id: one.session for one in self.clients}.values():
            if session.user_id == user_id:
                self.send_to_session(session, kind, content)

    def push_sessions(self, told: Callable[[SocketClient], list[Json]], *, at_once: bool) -> None:
        """Send to all subscribers the sessions that they may see.

        Args:
            told: Returns what a listener may see.
            at_once: Something happened; otherwise only time went by, and each one's own
                period since the last message must be over.
        """
        moment = time.monotonic()
        for listener in self.clients:
            for subscription in listener.subscriptions:
                if at_once or moment - subscription.last_s >= subscription.period_s:
                    subscription.last_s = moment
                    listener.send("Sessions", told(listener))

    def close_token(self, token: str) -> None:
        """Close the sockets of a revoked token."""
        for listener in self.clients:
            if listener.token == token:
                listener.writer.close()

    def close(self) -> None:
        """Close every socket."""
        for listener in self.clients:
            listener.send("ServerShuttingDown")
            listener.writer.close()

    def _subscribe(self, listener: SocketClient) -> None:
        if listener not in self.clients:
            return
        silent = time.monotonic() - listener.alive_s
        if silent >= self._keep_alive_s * _WARNED_FROM:
            listener.send("ForceKeepAlive", round(self._keep_alive_s))
        if silent >= self._keep_alive_s:
            # The older server merely stops watching; the newer one forgets whom it talks to.
            listener.is_deaf = self._speaks.goes_deaf
            return
        pause = self._keep_alive_s / _LOOKS_PER_LIMIT
        self._scheduler.after(pause, ("watch", id(listener)), lambda: self._subscribe(listener))


def _period_s(content: object) -> float:
    numbers = str(content or "").split(",")
    last = numbers[-1].strip()
    return int(last) / _MS if last.isdigit() else 0.0
