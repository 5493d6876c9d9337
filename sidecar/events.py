"""Events between the layers, and the bus that delivers them.

An event only says that something changed; the database has the current state, as changes of it are
published after the commit. Listeners run in the publisher's thread and must be quick (put the event
on a queue, set a flag); the error of a listener is logged and does not reach the publisher.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from sidecar.domain.downloads.download import Download, Status
from sidecar.process.threads import log_failure

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DownloadChanged:
    """A download is new (`was` is None), changed its status, or was deleted (`now` is None)."""

    download: Download
    was: Status | None
    now: Status | None


@dataclass(frozen=True, slots=True)
class HoldsChanged:
    """The holds on an item on a device have changed."""

    device_id: str
    item_id: str


@dataclass(frozen=True, slots=True)
class PlaylistChanged:
    """A playlist, as this account sees it, was reordered, renamed, deleted or restored."""

    user_id: str
    playlist_id: str


class Phase(StrEnum):
    """The current phase of a running download."""

    FETCHING = "fetching"
    CONVERTING = "converting"


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of one running transfer; sent for all together, at most twice a second.

    Attributes:
        bytes_held: Bytes in the part file.
        size: The whole file in bytes; None if unknown.
        speed: Bytes per second, averaged over the last seconds.
        seconds_left: At this speed; None if the size or the speed is unknown.
    """

    download_id: int
    bytes_held: int
    size: int | None
    speed: float
    seconds_left: float | None
    phase: Phase = Phase.FETCHING


@dataclass(frozen=True, slots=True)
class TransfersProgressed:
    """The progress of all running transfers."""

    transfers: tuple[Progress, ...]


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    """A device was attached or detached, or its state changed (full, failed, usable again)."""

    device_id: str


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """An account signed in or was signed out."""

    user_id: str


@dataclass(frozen=True, slots=True)
class DownloadsAllowed:
    """Jellyfin lets an account download that it did not let before."""

    user_id: str


@dataclass(frozen=True, slots=True)
class NoticesChanged:
    """The notices have changed (server away, signed out, device missing)."""


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """An admin has changed settings on the page."""


@dataclass(frozen=True, slots=True)
class WorkArrived:
    """There may be a download to claim: idle workers check at once."""


Event = (
    DownloadChanged
    | HoldsChanged
    | PlaylistChanged
    | TransfersProgressed
    | DeviceChanged
    | AccountChanged
    | DownloadsAllowed
    | NoticesChanged
    | SettingsChanged
    | WorkArrived
)
Listener = Callable[[Event], None]


class Bus:
    """Delivers each event to every listener, in the publisher's thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._listeners: tuple[Listener, ...] = ()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; return a function that removes it."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Call every listener with the event."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - it is logged
                log_failure(error, f"a listener to {type(event).__name__}")
