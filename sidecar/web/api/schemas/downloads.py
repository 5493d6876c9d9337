"""The schemas of downloads and of what is done with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import computed_field

from sidecar.domain.downloads.states import MISSING, Status
from sidecar.events import Phase
from sidecar.web.api.schemas.base import (
    Fraction,
    ItemId,
    Listed,
    Moment,
    Schema,
    left_out_if_empty,
    taken_from,
)


class Reason(Schema):
    """Why a file is there, and for whom."""

    rule: str
    account: str
    text: str


class Download(Schema):
    """One item on one device: its transfer and, once completed, its file."""

    id: int
    item_id: ItemId
    device_id: str
    status: Status | Literal["missing"] = taken_from("shown_status")
    title: str
    artist: str | None
    album: str | None
    item_type: str
    progress: Fraction
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
    gone_since: Moment | None
    reasons: list[Reason]
    owners: list[str]
    format: str
    format_note: str | None
    source_size: int | None
    phase: Phase | None


class UndoToken(Schema):
    """What `POST /undo/{token}` takes back, for ten minutes."""

    token: str


class Undoable(Schema):
    """Something was done, and how it is taken back."""

    undo: UndoToken | None


class Undone(Schema):
    """What was taken back, and of how many files."""

    action: str
    files: int


class Acted(Download):
    """A download after something was done to it; gone ones tell their id alone."""

    result: str
    message: str
    undo: UndoToken | None


class Gone(Schema):
    """A download that is no more."""

    id: int
    result: str
    message: str
    undo: UndoToken | None


class QueuePlace(Schema):
    """Where a download stands in the queue."""

    id: int
    status: Status
    position: int | None


class Addition(Schema):
    """What became of one item that was asked for."""

    item_id: ItemId
    title: str | None
    result: str
    message: str = taken_from("text")
    code: str | None
    downloads: list[QueuePlace]


class Added(Listed[Download]):
    """The downloads of what was asked for."""

    results: list[Addition]


class BulkOutcome(Schema):
    """What became of one download of many."""

    id: int = taken_from("download_id")
    result: str
    message: str = taken_from("text")
    code: str | None = left_out_if_empty("code")
    retry_next_at: Moment | None = left_out_if_empty("until")


class BulkOutcomes(Listed[BulkOutcome]):
    """What became of all of them, and how it is taken back."""

    counts: dict[str, int]
    undo: UndoToken | None


class Verdict(Schema):
    """What may be fetched for a device now."""

    device_id: str
    device_name: str
    own_only: bool
    text: str | None
    until: Moment | None


class Transfers(Schema):
    """The transfers as a whole; the limit in bytes a second."""

    paused: bool = taken_from("is_paused")
    speed_limit: int | None
    devices: list[Verdict]


class RunningTransfer(Schema):
    """Where a transfer stands, in the words of a download."""

    id: int = taken_from("download_id")
    bytes_downloaded: int = taken_from("bytes_held")
    expected_size: int | None = taken_from("size")
    speed: float
    seconds_left: float | None
    phase: Phase | None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def progress(self) -> Fraction:
        """How much of it is here."""
        size = self.expected_size
        return min(1.0, self.bytes_downloaded / size) if size else 0.0


class RunningTransfers(Schema):
    """Where all transfers stand, and their speed together."""

    transfers: list[RunningTransfer]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def speed(self) -> float:
        """Bytes a second."""
        return sum(one.speed for one in self.transfers)


def counts(of: Mapping[str, int]) -> dict[str, int]:
    """Return how many downloads there are in each state, and how many are missing."""
    return {status: of.get(status, 0) for status in (*map(str, Status), MISSING)}
