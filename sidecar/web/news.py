"""What the live connection hears of, and what pages are told it is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sidecar.domain.downloads.states import Status
from sidecar.events import Event
from sidecar.web.security import Asker

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
class Came:
    """A socket has connected."""

    sid: str
    asker: Asker


@dataclass(frozen=True, slots=True)
class Left:
    """A socket is over."""

    sid: str


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """Somebody signed out."""

    secret: str


News = Event | Came | Left | SessionEnded | None
