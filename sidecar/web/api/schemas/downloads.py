"""The shapes of downloads and of what is done with them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sidecar.domain.downloads.states import Status
from sidecar.events import Phase
from sidecar.web.api.schemas.base import ItemId, Listed, Moment, Shape


class Reason(Shape):
    """Why a file is there, and for whom."""

    rule: str
    account: str
    text: str


class Download(Shape):
    """One item on one device: its transfer and, once completed, its file."""

    id: int
    item_id: ItemId
    device_id: str
    status: Status | Literal["missing"]
    title: str
    artist: str | None
    album: str | None
    item_type: str
    progress: Annotated[float, Field(ge=0, le=1)]
    bytes_downloaded: int
    expected_size: int | None
    speed: float
    seconds_left: float | None
    file_path: str
    content_hash: str | None
    error_code: str | None
    error_message: str | None
    retry_next_at: Moment | None
    retry_count: int
    priority: int
    queued_at: Moment
    started_at: Moment | None
    completed_at: Moment | None
    missing_since: Moment | None
    reasons: list[Reason]
    owners: list[str]
    format: str
    format_note: str | None
    source_size: int | None
    phase: Phase | None


class UndoToken(Shape):
    """What `POST /undo/{token}` takes back, for ten minutes."""

    token: str


class Undone(Shape):
    """What was taken back, and of how many files."""

    action: str
    files: int


class Acted(Download):
    """A download after something was done to it; gone ones tell their id alone."""

    result: str
    message: str
    undo: UndoToken | None


class Gone(Shape):
    """A download that is no more."""

    id: int
    result: str
    message: str
    undo: UndoToken | None


class QueuePlace(Shape):
    """Where a download stands in the queue."""

    id: int
    status: Status
    position: int | None


class Addition(Shape):
    """What became of one item that was asked for."""

    item_id: ItemId
    title: str | None
    result: str
    message: str
    code: str | None
    downloads: list[QueuePlace]


class Added(Listed[Download]):
    """The downloads of what was asked for."""

    results: list[Addition]


class BulkOutcome(Shape):
    """What became of one download of many."""

    id: int
    result: str
    message: str
    code: str | None = None
    retry_next_at: Moment | None = None


class BulkOutcomes(Listed[BulkOutcome]):
    """What became of all of them, and how it is taken back."""

    counts: dict[str, int]
    undo: UndoToken | None


class Verdict(Shape):
    """What may be fetched for a device now."""

    device_id: str
    device_name: str
    own_only: bool
    text: str | None
    until: Moment | None


class Transfers(Shape):
    """The transfers as a whole; the limit in bytes a second."""

    paused: bool
    speed_limit: int | None
    devices: list[Verdict]
