"""A download as a person sees it, and lists of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sidecar.domain.downloads.sorting import Sort
from sidecar.domain.downloads.states import MISSING, Status
from sidecar.domain.formats.formats import ORIGINAL
from sidecar.events import Phase


@dataclass(frozen=True, slots=True)
class ReasonView:
    """Why a file is here, and for whom."""

    rule: str
    account: str
    text: str


@dataclass(frozen=True, slots=True)
class SyncedTo:
    """Another device that Syncthing carries a file to, and since when it is known to have it."""

    peer: str
    known_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadView:
    """A download as a person sees it. `speed` in bytes a second; 0 when it is not running.

    `reasons` and `owners` name other people only for an admin. `missing_since` is set while the
    file of a completed download is not seen on its device.
    """

    id: int
    item_id: str
    device_id: str
    device_name: str
    status: Status
    title: str
    artist: str | None
    album: str | None
    item_type: str
    has_cover: bool
    progress: float
    bytes_downloaded: int
    expected_size: int | None
    speed: float
    seconds_left: float | None
    file_path: str
    content_hash: str | None
    error_code: str | None
    error_message: str | None
    retry_next_at: datetime | None
    retry_count: int
    priority: int
    queued_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    reasons: tuple[ReasonView, ...]
    owners: tuple[str, ...]
    format: str = ORIGINAL
    format_note: str | None = None
    source_size: int | None = None
    phase: Phase | None = None
    carried: tuple[SyncedTo, ...] = ()
    missing_since: datetime | None = None

    @property
    def shown_status(self) -> str:
        """The state as it is told: what is missing is not completed for anybody."""
        return MISSING if self.missing_since is not None else self.status.value


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadQuery:
    """What a list of downloads shows: `page` from 1, what is empty means any.

    Attributes:
        owners: Account names or ids. Only an admin's list obeys it: anybody else would learn
            from it who wants the same things.
        missing: What is missing as well, or only that if there are no `statuses`.
        as_of: The id of the newest one that counts: what is asked for later moves no page.
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


@dataclass(frozen=True, slots=True)
class DownloadPage:
    """One page of a list and how much there is in all."""

    items: Sequence[DownloadView]
    total: int
    page: int
    page_size: int
