"""News between the layers. An event says *look again*; the database says what is true.

Publishing never blocks on a listener's work and never fails the publisher: listeners must be
quick (put the event on a queue, set a flag), and one that raises is logged and passed over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from threading import Lock

from sidecar.domain.downloads.states import Download, Status
from sidecar.threads import attempt

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DownloadChanged:
    """A download is new (`was` is None), moved, or is gone (`now` is None); after the commit."""

    download: Download
    was: Status | None
    now: Status | None


@dataclass(frozen=True, slots=True)
class HoldsChanged:
    """Who holds an item on a device has changed."""

    device_id: str
    item_id: str


@dataclass(frozen=True, slots=True)
class PlaylistChanged:
    """A playlist, as this account sees it, has another order or name, or is gone or back."""

    user_id: str
    playlist_id: str


class Phase(StrEnum):
    """What is being done with a download that runs."""

    FETCHING = "fetching"
    CONVERTING = "converting"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where one running transfer stands. Sent for all transfers together, at most twice a second.

    Attributes:
        bytes_held: Bytes in the part file.
        size: The whole file in bytes, or None if nobody knows.
        speed: Bytes a second, averaged over the last seconds.
        seconds_left: At this speed; None if the size or the speed is unknown.
        phase: What is being done with it: "fetching" or "converting".
    """

    download_id: int
    bytes_held: int
    size: int | None
    speed: float
    seconds_left: float | None
    phase: Phase = Phase.FETCHING


@dataclass(frozen=True, slots=True)
class TransfersProgressed:
    """One message for all running transfers."""

    transfers: tuple[Progress, ...]


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    """A device came, went, filled up or was cured."""

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
    """What a person should know has changed (server away, signed out, device missing)."""


@dataclass(frozen=True, slots=True)
class WorkArrived:
    """There may be something to claim: idle workers look again at once."""


Event = (
    DownloadChanged
    | HoldsChanged
    | PlaylistChanged
    | TransfersProgressed
    | DeviceChanged
    | AccountChanged
    | DownloadsAllowed
    | NoticesChanged
    | WorkArrived
)
Listener = Callable[[Event], None]


class Bus:
    """Delivers each event to every listener, in the publisher's thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._listeners: tuple[Listener, ...] = ()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener and return the call that takes it away again."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Tell every listener."""
        for listener in self._listeners:
            attempt(partial(listener, event), f"a listener to {type(event).__name__}")
