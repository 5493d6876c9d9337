"""The views of downloads that a person gets, and the queries for lists of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sidecar.domain.downloads.download import MISSING, Download, Status
from sidecar.domain.downloads.sorting import Sort
from sidecar.domain.downloads.waits import Wait
from sidecar.events import Phase
from sidecar.services.accounts.hidden_files import HiddenSentence


@dataclass(frozen=True, slots=True)
class ReasonView:
    """Why a file is here, and for whom."""

    rule: str
    account: str
    text: str


@dataclass(frozen=True, slots=True)
class SyncedTo:
    """A Syncthing peer that has a file, and since when that is known."""

    peer: str
    known_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadView(Download):
    """A download as a person sees it: its row, and the progress of its transfer.

    `bytes_downloaded` and `expected_size` are those of the running transfer, if there is one.

    Attributes:
        speed: Bytes per second; 0 when it is not running.
        phase: The phase of the transfer; None when it is not running.
        reasons, owners: These name other people only for an admin.
        carried: The Syncthing peers that have the file.
        hidden_from: The holders that may not see its item on the server any more.
        wait: What keeps it from coming when it is its turn; None if nothing does.
    """

    device_name: str
    speed: float = 0.0
    seconds_left: float | None = None
    phase: Phase | None = None
    reasons: tuple[ReasonView, ...] = ()
    owners: tuple[str, ...] = ()
    carried: tuple[SyncedTo, ...] = ()
    hidden_from: tuple[HiddenSentence, ...] = ()
    wait: Wait | None = None

    @property
    def why_not_there(self) -> str | None:
        """Why it is not on the device, for people; None if it is, or nothing is in the way."""
        if self.shown_status in {Status.COMPLETED, MISSING}:
            return None
        return self.wait.text if self.wait else self.error_message

    @property
    def progress(self) -> float:
        """The fetched part of the file, from 0 to 1."""
        if self.status is Status.COMPLETED:
            return 1.0
        size = self.expected_size
        return min(1.0, self.bytes_downloaded / size) if size else 0.0

    @property
    def has_cover(self) -> bool:
        """Whether there is a picture of it."""
        return self.image_tag is not None

    @property
    def shown_status(self) -> str:
        """The state to show: `missing` for a file that was not found, else the status."""
        return MISSING if self.missing_since is not None else self.status.value


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """What is on its way to somebody's devices.

    Attributes:
        first: What runs, then the first of what waits.
        coming: What comes next, as nothing but its turn keeps it from coming.
    """

    first: Sequence[DownloadView]
    coming: Sequence[DownloadView]


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadQuery:
    """A query for a list of downloads: `page` from 1, what is empty means any.

    Attributes:
        owners: Account names or ids. Ignored unless an admin asks: anybody else would learn
            from it who wants the same things.
        missing: Include missing downloads; without `statuses`, list only these.
        as_of: The newest id to include, so that new downloads do not shift the pages.
    """

    statuses: frozenset[Status] = frozenset()
    missing: bool = False
    device_id: str | None = None
    owners: tuple[str, ...] = ()
    text: str = ""
    item_types: frozenset[str] = frozenset()
    sort: Sort = Sort.NEWEST
    as_of: int | None = None
    page: int = 1
    page_size: int = 10


# The downloads of a title, by the names of their devices.
TitleView = Sequence[DownloadView]


@dataclass(frozen=True, slots=True)
class TitlePage:
    """One page of a list by title.

    Attributes:
        rows: The titles.
        following: The download that the next page begins with; None on the last one.
        files: How many downloads are on all pages.
        total: How many titles are on all pages.
    """

    rows: Sequence[TitleView]
    following: Download | None
    files: int
    total: int


@dataclass(frozen=True, slots=True)
class DownloadPage:
    """One page of a list, and the number of downloads on all pages."""

    items: Sequence[DownloadView]
    total: int
    page: int
    page_size: int
