"""Events between the layers, and the bus that delivers them.

An event only says that something changed; the database has the current state, as changes of it are
published after the commit. Listeners run in the publisher's thread and must be quick (put the event
on a queue, set a flag); the error of a listener is logged and does not reach the publisher.
`sidecar.shared_events` hands the events of this process to the others, and theirs to this one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
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
    """Holds on items on a device have changed."""

    device_id: str


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
    """The progress of all running transfers of a process.

    Attributes:
        process: Names the process; empty for this one.
    """

    transfers: tuple[Progress, ...]
    process: str = ""


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


@dataclass(frozen=True, slots=True)
class OrdersArrived:
    """There may be an order for a device: the process that has it looks at once."""


@dataclass(frozen=True, slots=True)
class NewsMissed:
    """Events of other processes may be lost: whoever keeps what they change reads it again."""


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
    | OrdersArrived
    | NewsMissed
)
Listener = Callable[[Event], None]


class Sender(Enum):
    """Which process has published an event."""

    HERE = auto()
    ELSEWHERE = auto()


class Bus:
    """Delivers each event to every listener, in the order in which they came."""

    def __init__(self) -> None:
        self._hears_others: Callable[[], bool] = lambda: False
        self._lock = Lock()
        self._listeners: tuple[tuple[Listener, Sender | None], ...] = ()

    def subscribe(self, listener: Listener, only: Sender | None = None) -> Callable[[], None]:
        """Add a listener; return a function that removes it.

        Args:
            listener: Takes the events.
            only: Which events it takes, if not all. What somebody here changed is known here: for
                those of other processes alone is whoever must read it again.
        """
        added = (listener, only)
        with self._lock:
            self._listeners = (*self._listeners, added)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not added)

        return unsubscribe

    def connect(self, hears_others: Callable[[], bool]) -> None:
        """Say how it is known whether events of other processes come."""
        self._hears_others = hears_others

    def hears_others(self) -> bool:
        """Whether events of other processes come at once; after a gap `NewsMissed` does."""
        return self._hears_others()

    def publish(self, event: Event) -> None:
        """Call every listener with an event of this process, in the publisher's thread."""
        self._deliver(event, Sender.HERE)

    def receive(self, event: Event) -> None:
        """Call every listener with an event of another process."""
        self._deliver(event, Sender.ELSEWHERE)

    def _deliver(self, event: Event, sender: Sender) -> None:
        for listener, only in self._listeners:
            try:
                if only is None or only is sender:
                    listener(event)
            except Exception as error:  # noqa: BLE001 - it is logged
                log_failure(error, f"a listener to {type(event).__name__}")
