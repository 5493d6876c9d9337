"""Groups the sockets of the live connection by what they may see.

The sockets of an account form an audience, those of all admins another one. A socket belongs to
exactly one audience, which follows from its identity, never from what it asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from sidecar.domain.downloads.download import Status
from sidecar.events import Event
from sidecar.process.limits import SOCKETS_A_SESSION
from sidecar.services.accounts.person import Person
from sidecar.web.api.schemas.base import Json
from sidecar.web.security.auth import Identity

ADMINS = "admins"


Around = Callable[[], AbstractContextManager[object]]


NAMES: Mapping[Status | None, str] = MappingProxyType(
    {
        Status.PENDING: "download:queued",
        Status.PAUSED: "download:queued",
        Status.DOWNLOADING: "download:started",
        Status.COMPLETED: "download:completed",
        Status.FAILED: "download:failed",
        Status.REMOVED: "download:removed",
        None: "download:removed",
    }
)


@dataclass(frozen=True, slots=True)
class SocketOpened:
    """A socket has connected."""

    sid: str
    asker: Identity


@dataclass(frozen=True, slots=True)
class SocketClosed:
    """A socket was closed."""

    sid: str


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A session has ended; its sockets must be closed."""

    secret: str


News = Event | SocketOpened | SocketClosed | SessionEnded | None


class Wire(Protocol):
    """The transport that sends messages to browsers."""

    def begin(self, around: Around) -> None:
        """Start; long-lived threads enter the context `around` for each call of a service."""

    def send(self, to: str, event: str, payload: Json) -> None:
        """Send a message to a room, or to one socket by its id."""

    def join(self, sid: str, room: str) -> None:
        """Add a socket to a room."""

    def close(self, sid: str) -> None:
        """Close a socket; does nothing if it is closed already."""

    def end(self) -> None:
        """Close all connections, refuse new ones and end the threads."""


@dataclass(slots=True)
class Audience:
    """The sockets that get the same messages.

    Attributes:
        room: The Socket.IO room.
        person: Whose rights decide what is sent.
        sequence: The number of the last message; a page that misses one reloads its state.
        last_snapshot: The last message, if that was a snapshot: an equal one is not sent again.
        heard_progress: Whether the last progress message had any transfer.
    """

    room: str
    person: Person
    sids: set[str] = field(default_factory=set)
    sequence: int = 0
    last_snapshot: Json | None = None
    heard_progress: bool = False


class Audiences:
    """All sockets and their audiences. Not thread-safe."""

    def __init__(self) -> None:
        self._askers: dict[str, Identity] = {}
        self._audiences: dict[str, Audience] = {}

    def __iter__(self) -> Iterator[Audience]:
        return iter(tuple(self._audiences.values()))

    def add(self, sid: str, asker: Identity) -> Audience | None:
        """Add a socket and return its audience.

        None if it is refused: nobody is signed in, or the session has too many sockets.
        """
        person = asker.person
        alike = sum(one.credential == asker.credential for one in self._askers.values())
        if person is None or alike >= SOCKETS_A_SESSION:
            return None
        room = ADMINS if person.is_admin else f"user:{person.user_id}"
        audience = self._audiences.setdefault(room, Audience(room, person))
        audience.sids.add(sid)
        self._askers[sid] = asker
        return audience

    def remove(self, sid: str) -> None:
        """Remove a socket, and its audience if it was the last one."""
        self._askers.pop(sid, None)
        for room, audience in tuple(self._audiences.items()):
            audience.sids.discard(sid)
            if not audience.sids:
                del self._audiences[room]

    def sockets(self) -> tuple[tuple[str, Identity], ...]:
        """Return all sockets with their identities."""
        return tuple(self._askers.items())
