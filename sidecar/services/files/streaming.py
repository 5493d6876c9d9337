"""Where something is played from, and the file itself: from a device if it can be, else Jellyfin.

source ─▶ local: /media/{download}          the device, opened beneath its root
       └▶ remote: /media/item/{item}        Jellyfin's file, through us, so no token shows
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from sidecar.clock import Clock
from sidecar.domain.downloads.states import Download, Status
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
from sidecar.limits import FILES, FILES_AN_ACCOUNT
from sidecar.messages import msg
from sidecar.services.accounts.person import Person
from sidecar.services.files.presence import FilePresence, changed, gone
from sidecar.services.files.search import FileSearch
from sidecar.services.library.lookup import get_item

log = logging.getLogger(__name__)

# A player asks again and again for pieces of what it plays; after such a pause it is opened anew.
PAUSE_S = 600.0


class UsageTracker:
    """Tells the openings from the pieces. Safe for many threads."""

    def __init__(self, used: Callable[[str], object], clock: Clock) -> None:
        """Prepare; `used` notes that an item was used last of all."""
        self._used = used
        self._clock = clock
        self._lock = Lock()
        self._asked: dict[tuple[str, int], float] = {}

    def record(self, user_id: str, download_id: int, item_id: str) -> bool:
        """Somebody fetches a piece of a file; return whether they just opened it."""
        now = self._clock.monotonic()
        with self._lock:
            self._asked = {key: at for key, at in self._asked.items() if now - at < PAUSE_S}
            is_open = (user_id, download_id) in self._asked
            self._asked[user_id, download_id] = now
        if not is_open:
            self._tell(item_id)
        return not is_open

    def _tell(self, item_id: str) -> None:
        """Playing does not fail because nobody can write down that it was played."""
        try:
            self._used(item_id)
        except DatabaseError as trouble:
            log.warning("a use could not be noted: %s", trouble)


class TooManyStreams(SidecarError):
    """There is no room for another one now.

    Attributes:
        is_own: It is the person's own streams that are too many.
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


class StreamLimit:
    """Counts them. Safe for many threads."""

    def __init__(self, *, most: int = FILES, most_each: int = FILES_AN_ACCOUNT) -> None:
        self._most = most
        self._most_each = most_each
        self._lock = Lock()
        self._open: Counter[str] = Counter()

    def begin(self, user_id: str) -> Callable[[], None]:
        """Take a place; return what gives it back, once, however often it is called.

        Raises:
            TooManyStreams: There is none.
        """
        with self._lock:
            if self._open[user_id] >= self._most_each:
                raise TooManyStreams(is_own=True)
            if self._open.total() >= self._most:
                raise TooManyStreams(is_own=False)
            self._open[user_id] += 1
        return partial(self._end, [user_id])

    def _end(self, place: list[str]) -> None:
        with self._lock:
            if place:
                self._open[place.pop()] -= 1
                self._open += Counter()


class NoFile(SidecarError):
    """The file should be there and is not; says why."""


@dataclass(frozen=True, slots=True)
class Local:
    """It is on a device: as a file of this machine, and to be fetched from us."""

    download_id: int
    path: Path


@dataclass(frozen=True, slots=True)
class Remote:
    """It comes from Jellyfin, through us."""

    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFile:
    """A file that is open for reading. Must be closed.

    Attributes:
        size: Bytes.
        modified_ns: Nanoseconds since 1970, by the device.
        etag: Changes with the file; quotes not included.
        name: Without its folders.
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

    Every call raises `NotVisible` for what this person may not see, and `JellyfinError` if
    Jellyfin had to be asked and cannot be.
    """

    def __init__(
        self,
        *,
        offline: FileSearch,
        looking: FilePresence,
        visible: Callable[[Person, int], Download],
        client: Callable[[str], Jellyfin],
        streams: StreamLimit,
        uses: UsageTracker,
    ) -> None:
        """Prepare.

        Args:
            offline: What is on the devices.
            looking: Finds the devices.
            visible: Gives a download that a person may see; raises `NotVisible`.
            client: Gives the Jellyfin client of an account; raises `SignedOut`.
            streams: Those who play now.
            uses: Told what is used.
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
            NotPossible: It is nothing that plays.
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
            NoFile: It is not there, or not the one that arrived.
            errors.DeviceError: Its device is not there.
        """
        download = self._finished(person, download_id)
        device = self._looking.device(download.device_id)
        # Only then does "not there" say something of the file and not of the device.
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
        """Ask Jellyfin for an item's file, or for the part that these headers name.

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
        """Take a place among those who play; return what gives it back.

        Raises:
            TooManyStreams: There is none.
        """
        return self._streams.begin(person.user_id)

    def note_use(self, person: Person, found: OpenFile) -> None:
        """A piece of a file is fetched to be played."""
        self._uses.record(person.user_id, found.download_id, found.item_id)

    def _finished(self, person: Person, download_id: int) -> Download:
        download = self._visible(person, download_id)
        if download.status is not Status.COMPLETED:
            raise NoFile(
                msg("{title} has not arrived, or is not kept any more", title=download.title)
            )
        return download
