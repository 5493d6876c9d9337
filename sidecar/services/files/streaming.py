"""Streams media files to players: from a device if it has the file, else from Jellyfin.

source ─▶ local: /media/{download}          a file on a device
       └▶ remote: /media/item/{item}        Jellyfin's file, relayed, so that no token is exposed
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.items.media_types import guess_media_type
from sidecar.errors import (
    DatabaseError,
    NotAllowed,
    NotFound,
    NotPossible,
    NotVisible,
    SidecarError,
)
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.streaming import FileStream, FileUnavailable, open_stream
from sidecar.messages import msg
from sidecar.process.shares import Shares
from sidecar.services.accounts.person import Person
from sidecar.services.files.presence import FilePresence, changed, gone
from sidecar.services.files.search import FileSearch
from sidecar.services.library.lookup import get_item

log = logging.getLogger(__name__)

# A player fetches a file in many pieces; a request after such a pause counts as a new use.
PAUSE_S = 600.0


class UsageTracker:
    """Records uses of files, one for the many requests of a player. Safe for many threads."""

    def __init__(self, used: Callable[[str], object], clock: Clock) -> None:
        """Prepare; `used` stores that an item was used now."""
        self._used = used
        self._clock = clock
        self._lock = Lock()
        self._asked: dict[tuple[str, int], float] = {}

    def record(self, user_id: str, download_id: int, item_id: str) -> bool:
        """Note a request for a piece of a file; return whether it counts as a new use."""
        now = self._clock.monotonic()
        with self._lock:
            self._asked = {key: at for key, at in self._asked.items() if now - at < PAUSE_S}
            is_open = (user_id, download_id) in self._asked
            self._asked[user_id, download_id] = now
        if not is_open:
            self._tell(item_id)
        return not is_open

    def _tell(self, item_id: str) -> None:
        """Store a use; a database error is only logged, so that playing goes on."""
        try:
            self._used(item_id)
        except DatabaseError as trouble:
            log.warning("a use could not be noted: %s", trouble)


class TooManyStreams(SidecarError):
    """The limit of streams at one time is reached.

    Attributes:
        is_own: It is the limit for one person, not the one for all.
    """

    def __init__(self, *, is_own: bool) -> None:
        whose = msg("You play too many files") if is_own else msg("Too many files are played")
        super().__init__(
            msg(
                "{whose} through the sidecar at once: close one, or try again in a while",
                whose=whose,
            )
        )
        self.is_own = is_own


class NoFile(SidecarError):
    """The file is not available; says why."""


@dataclass(frozen=True, slots=True)
class Local:
    """A source on a device: its path on this machine and the download to stream."""

    download_id: int
    path: Path


@dataclass(frozen=True, slots=True)
class Remote:
    """A source in Jellyfin, relayed by us."""

    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFile:
    """A file that is open for reading. Must be closed.

    Attributes:
        size: Bytes.
        modified_ns: Modification time, nanoseconds since 1970.
        etag: Changes with the file; without quotes.
        name: File name without folders.
    """

    download_id: int
    item_id: str
    file: BinaryIO
    size: int
    modified_ns: int
    etag: str
    name: str
    mime_type: str


class MediaStreaming:
    """Serves files to be played, from a device or from Jellyfin. Safe for many threads.

    The methods raise `NotVisible` for what this person may not see, and `JellyfinError` if
    Jellyfin has to be asked and cannot be.
    """

    def __init__(
        self,
        *,
        offline: FileSearch,
        looking: FilePresence,
        visible: Callable[[Person, int], Download],
        client: Callable[[str], Jellyfin],
        streams: Shares,
        uses: UsageTracker,
    ) -> None:
        """Prepare.

        Args:
            offline: Finds files on the devices.
            looking: Finds readable devices.
            visible: Returns a download that a person may see; raises `NotVisible`.
            client: Returns the Jellyfin client of an account; raises `SignedOut`.
            streams: Of the open streams, in total and for each account.
            uses: Records the use of files.
        """
        self._offline = offline
        self._looking = looking
        self._visible = visible
        self._client = client
        self._streams = streams
        self._uses = uses

    def source(self, person: Person, item_id: str) -> Local | Remote:
        """Return where an item is played from now.

        Raises:
            NotPossible: The item cannot be played, as a container.
        """
        local = self._offline.local(person, item_id)
        if local is not None:
            return Local(*local)
        item = get_item(self._client(person.user_id), item_id)
        if not item.is_playable:
            raise NotPossible(
                msg(
                    "{title} is nothing that plays by itself: ask for what is in it",
                    title=item.title,
                )
            )
        return Remote(item.id)

    def open(self, person: Person, download_id: int) -> OpenFile:
        """Open a finished file.

        Raises:
            NoFile: It is not finished, does not exist or is not the one that was fetched.
            errors.DeviceError: Its device cannot be read.
        """
        download = self._finished(person, download_id)
        device = self._looking.device(download.device_id)
        # The device is readable here, so a missing file is really missing.
        if download.missing_since is not None or device.folder.stat(download.file_path) is None:
            raise NoFile(gone(download, device))
        file = device.folder.open(download.file_path)
        facts = os.fstat(file.fileno())
        if facts.st_size != download.file_size:
            file.close()
            raise NoFile(changed(download, device))
        name = download.file_path.rpartition("/")[2]
        return OpenFile(
            download_id=download.id,
            item_id=download.item_id,
            file=file,
            size=facts.st_size,
            modified_ns=facts.st_mtime_ns,
            etag=f"{download.content_hash or ''}-{facts.st_mtime_ns:x}-{facts.st_size:x}",
            name=name,
            mime_type=guess_media_type(name, download.mime_type),
        )

    def stream(self, person: Person, item_id: str, asked: Mapping[str, str]) -> FileStream:
        """Open a stream of an item's file from Jellyfin.

        Args:
            person: Who asks.
            item_id: Of Jellyfin.
            asked: Request headers to pass on, as for a range.

        Raises:
            NoFile: The item is known, but its file is not on the server's disk now.
        """
        try:
            return open_stream(self._client(person.user_id), item_id, asked)
        except FileUnavailable as away:
            raise NoFile(str(away)) from None
        except (NotFound, NotAllowed):
            raise NotVisible from None

    def begin(self, person: Person) -> Callable[[], None]:
        """Count a new stream of a person; return a function that ends it, which may be repeated.

        Raises:
            TooManyStreams: The limit is reached.
        """
        end = self._streams.take(person.user_id)
        if end is None:
            raise TooManyStreams(is_own=self._streams.is_full(person.user_id))
        return end

    def note_use(self, person: Person, found: OpenFile) -> None:
        """Note a request of a player for a piece of a file."""
        self._uses.record(person.user_id, found.download_id, found.item_id)

    def _finished(self, person: Person, download_id: int) -> Download:
        download = self._visible(person, download_id)
        if download.status is not Status.COMPLETED:
            raise NoFile(
                msg("{title} has not arrived, or is not kept any more", title=download.title)
            )
        return download
