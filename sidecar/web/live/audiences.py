"""Who listens on the live connection, and what each group has been told.

People of one account hear the same; administrators hear one thing together. A socket belongs to
exactly one audience, chosen here from who it is, never by what it asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from sidecar.domain.downloads.states import Status
from sidecar.events import Event
from sidecar.limits import SOCKETS_A_SESSION
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
    """A socket is over."""

    sid: str


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """Somebody signed out."""

    secret: str


News = Event | SocketOpened | SocketClosed | SessionEnded | None


class Wire(Protocol):
    """What carries messages to browsers."""

    def begin(self, around: Around) -> None:
        """Enter `around` whenever a thread that lives long asks a service something."""

    def send(self, to: str, event: str, payload: Json) -> None:
        """Send to a room, or to one socket by its id."""

    def join(self, sid: str, room: str) -> None:
        """Put a socket into a room."""

    def close(self, sid: str) -> None:
        """End a socket's connection; nothing happens if it is over."""

    def end(self) -> None:
        """End all connections, take no further ones and let go of every thread."""


@dataclass(slots=True)
class Audience:
    """All sockets that hear the same.

    Attributes:
        sequence: The number of the last message to all of them; a hole means: look again.
        last_snapshot: What the last snapshot said, to tell whether another says anything.
        heard_progress: Whether the last progress message named a transfer.
    """

    room: str
    person: Person
    sids: set[str] = field(default_factory=set)
    sequence: int = 0
    last_snapshot: Json | None = None
    heard_progress: bool = False


class Audiences:
    """All sockets, by session and by audience. Used by one thread only."""

    def __init__(self) -> None:
        self._askers: dict[str, Identity] = {}
        self._audiences: dict[str, Audience] = {}

    def __iter__(self) -> Iterator[Audience]:
        return iter(tuple(self._audiences.values()))

    def add(self, sid: str, asker: Identity) -> Audience | None:
        """Return the audience that this socket now belongs to.

        None if it may belong to none: nobody is signed in or the session has too many sockets.
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
        """A socket is over."""
        self._askers.pop(sid, None)
        for room, audience in tuple(self._audiences.items()):
            audience.sids.discard(sid)
            if not audience.sids:
                del self._audiences[room]

    def sockets(self) -> tuple[tuple[str, Identity], ...]:
        """Return every socket with who opened it."""
        return tuple(self._askers.items())
