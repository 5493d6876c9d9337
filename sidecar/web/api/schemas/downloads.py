"""Schemas of downloads, transfers and the results of actions."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import computed_field

from sidecar.domain.downloads.download import MISSING, Status
from sidecar.events import Phase
from sidecar.services.downloads.undo import UndoRecord
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
    """Why a file is on a device, and for whom."""

    rule: str
    account: str
    text: str


class HiddenFrom(Schema):
    """An account that holds a file and may not see its item on the server any more."""

    account: str
    library: str | None
    since: Moment


class Download(Schema):
    """One item on one device: its transfer and, once completed, its file. Sizes in bytes."""

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
    hidden_from: list[HiddenFrom]
    owners: list[str]
    format: str
    format_note: str | None
    source_size: int | None
    phase: Phase | None


class UndoToken(Schema):
    """The token for `POST /undo/{token}`; valid for ten minutes."""

    token: str

    @classmethod
    def of(cls, record: UndoRecord) -> Self | None:
        """Return the token of an action; None if it cannot be undone."""
        return cls(token=record.token) if record.can_undo else None


class Undoable(Schema):
    """The result of an action that may be undone."""

    undo: UndoToken | None


class Undone(Schema):
    """The action that was undone, and its number of files."""

    action: str
    files: int


class Acted(Download):
    """A download after an action."""

    result: str
    message: str
    undo: UndoToken | None


class Gone(Schema):
    """The result of an action after which the download no longer exists."""

    id: int
    result: str
    message: str
    undo: UndoToken | None


class QueuePlace(Schema):
    """A download's place in the queue."""

    id: int
    status: Status
    position: int | None


class Addition(Schema):
    """The result for one requested item."""

    item_id: ItemId
    title: str | None
    result: str
    message: str = taken_from("text")
    code: str | None
    downloads: list[QueuePlace]


class Added(Listed[Download]):
    """The downloads of the requested items, and the result for each item."""

    results: list[Addition]


class BulkOutcome(Schema):
    """The result of a bulk action for one download."""

    id: int = taken_from("download_id")
    result: str
    message: str = taken_from("text")
    code: str | None = left_out_if_empty("code")
    retry_next_at: Moment | None = left_out_if_empty("until")


class BulkOutcomes(Listed[BulkOutcome]):
    """The results of a bulk action, and the token that undoes it."""

    counts: dict[str, int]
    undo: UndoToken | None


class Verdict(Schema):
    """Whether automatic downloads may run for a device now, and if not, why."""

    device_id: str
    device_name: str
    own_only: bool
    text: str | None
    until: Moment | None


class Transfers(Schema):
    """The state of all transfers; the speed limit in bytes per second."""

    paused: bool = taken_from("is_paused")
    speed_limit: int | None
    devices: list[Verdict]


class RunningTransfer(Schema):
    """The progress of a transfer, with the field names of a download."""

    id: int = taken_from("download_id")
    bytes_downloaded: int = taken_from("bytes_held")
    expected_size: int | None = taken_from("size")
    speed: float
    seconds_left: float | None
    phase: Phase | None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def progress(self) -> Fraction:
        """The transferred fraction, from 0 to 1."""
        size = self.expected_size
        return min(1.0, self.bytes_downloaded / size) if size else 0.0


class RunningTransfers(Schema):
    """The progress of all transfers, and their total speed."""

    transfers: list[RunningTransfer]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def speed(self) -> float:
        """The total speed in bytes per second."""
        return sum(one.speed for one in self.transfers)


def counts(of: Mapping[str, int]) -> dict[str, int]:
    """Return the number of downloads for each status and for missing files, zeros included."""
    return {status: of.get(status, 0) for status in (*map(str, Status), MISSING)}
