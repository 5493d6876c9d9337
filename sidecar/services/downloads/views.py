"""A download as a person sees it, and lists of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sidecar.domain.downloads.sorting import Sort
from sidecar.domain.downloads.states import MISSING, Download, Status
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
class DownloadView(Download):
    """A download as a person sees it: what is stored, and what is known of it now.

    `bytes_downloaded` and `expected_size` are those of the running transfer, where there is one.

    Attributes:
        speed: Bytes a second; 0 when it is not running.
        phase: What is done with it now; None when it is not running.
        reasons, owners: These name other people only for an admin.
        carried: Where Syncthing has brought the file.
    """

    device_name: str
    speed: float = 0.0
    seconds_left: float | None = None
    phase: Phase | None = None
    reasons: tuple[ReasonView, ...] = ()
    owners: tuple[str, ...] = ()
    carried: tuple[SyncedTo, ...] = ()

    @property
    def progress(self) -> float:
        """How much is there now, from 0 to 1."""
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
