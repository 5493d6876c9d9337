"""The states of a download, and the moves between them.

               claim               arrive
    pending ──────────▶ downloading ──────▶ completed ──vanish, evict, delete──▶ removed
      ▲  ▲                │   │   │                                                │
      │  └── postpone ────┘   │   └── give_up ──▶ failed ──retry──▶ pending        │
      │   (retry_next_at)     └── pause ──▶ paused ──resume──▶ pending             │
      └────────────────────────────── want_again ───────────────────────────────────┘

`store.downloads.transitions` applies the moves; nothing else changes a state.
Cancelling is no move: the row is deleted. But what was being finalized on a device that is away may
have its final name already: it is *deleted*, and goes from the device when that is back. A file
that was on the device already is *adopted*: from any state without a file of ours to completed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from sidecar.errors import IllegalMove


class Status(StrEnum):
    """The state of a download."""

    PENDING = "pending"
    DOWNLOADING = "downloading"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    REMOVED = "removed"


# Shown for a completed download whose file the last scan did not find: no state of its own, since
# the file may be back at the next scan.
MISSING = "missing"


class Move(StrEnum):
    """A change of a download's state."""

    CLAIM = "claim"
    ARRIVE = "arrive"
    POSTPONE = "postpone"
    GIVE_UP = "give_up"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    EVICT = "evict"
    DELETE = "delete"
    VANISH = "vanish"
    DAMAGED = "damaged"
    WANT_AGAIN = "want_again"
    ADOPT = "adopt"


MOVES = MappingProxyType(
    {
        (Status.PENDING, Move.CLAIM): Status.DOWNLOADING,
        (Status.PENDING, Move.PAUSE): Status.PAUSED,
        (Status.PENDING, Move.GIVE_UP): Status.FAILED,
        (Status.DOWNLOADING, Move.ARRIVE): Status.COMPLETED,
        (Status.DOWNLOADING, Move.POSTPONE): Status.PENDING,
        (Status.DOWNLOADING, Move.GIVE_UP): Status.FAILED,
        (Status.DOWNLOADING, Move.PAUSE): Status.PAUSED,
        (Status.PAUSED, Move.RESUME): Status.PENDING,
        (Status.FAILED, Move.RETRY): Status.PENDING,
        (Status.DOWNLOADING, Move.DELETE): Status.REMOVED,
        (Status.COMPLETED, Move.EVICT): Status.REMOVED,
        (Status.COMPLETED, Move.DELETE): Status.REMOVED,
        (Status.COMPLETED, Move.VANISH): Status.REMOVED,
        (Status.COMPLETED, Move.DAMAGED): Status.PENDING,
        (Status.REMOVED, Move.WANT_AGAIN): Status.PENDING,
        (Status.PENDING, Move.ADOPT): Status.COMPLETED,
        (Status.PAUSED, Move.ADOPT): Status.COMPLETED,
        (Status.FAILED, Move.ADOPT): Status.COMPLETED,
        (Status.REMOVED, Move.ADOPT): Status.COMPLETED,
    }
)


def next_status(status: Status, move: Move) -> Status:
    """Return the state that `move` leads to.

    Raises:
        IllegalMove: The table does not list this move from this state.
    """
    try:
        return MOVES[status, move]
    except KeyError:
        raise IllegalMove(f"a {status} download cannot {move.replace('_', ' ')}") from None


# Codes of errors that decide what a person may do with a download.
EMPTY, LARGER, UNPROVED = "empty", "larger", "unproved"
# The device does not take this kind of media; ends by itself when its settings say otherwise.
NOT_TAKEN = "not-taken"
# It is larger than the device can hold; ends by itself when its limits are others.
TOO_BIG = "too-big"
# Codes of refusals that concern the account which fetches: another one may have the file.
FORBIDDEN, NOT_ALLOWED, NOT_OFFERED, GONE = "http-403", "not-allowed", "http-400", "gone"
REFUSED_TO_ACCOUNT = frozenset({FORBIDDEN, NOT_ALLOWED, NOT_OFFERED, GONE})


@dataclass(frozen=True, slots=True)
class Validator:
    """What identifies the version of a file: all responses of a transfer must agree on it.

    Attributes:
        last_modified: The `Last-Modified` header exactly as the server wrote it, or None.
        total: Length of the whole file in bytes, or None if no response has told it.
    """

    last_modified: str | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether a wish changes anything about a download."""

    status: Status
    priority: int
    is_missing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One item on one device: its transfer and, once completed, its file.

    Attributes:
        user_id: The first to ask for it; this account's token fetches.
        file_path: Below the device's root, `/` between the parts; given once, then kept.
        file_size: Bytes of the finished file; None until it is finalizing.
        expected_size: Bytes by the server's last scan; a hint, may be stale.
        bytes_downloaded: Bytes of the part file that are known to be on the disk.
        validator: Stored before the first body byte was written; None without a part file.
        accepted: The version that a person has accepted as whole, whatever the scan says.
        finalizing: The part is whole and synced, and its rename to `file_path` has begun; if it is
            removed, whatever of the two is on the device has still to go.
        priority: Higher first.
        retry_next_at: Not before this time; None means now.
        content_hash: xxh3-128 of the finished file, 32 hex digits.
        last_used_seq: A counter, not a time: larger means used later.
        source_etag: The server's mark for this version of the file.
        format: What the file is to be, and is once completed: `original`, or a target's name.
        seconds: Running time; None if unknown.
        source_extension: Of the file on the server; "" without one, None if it is not known.
        source_size, source_hash: Of the original that the file was converted from; None if the
            file is the original.
        format_note: Why it is the original although another format is wanted.
        original_size: Bytes of the original that is kept besides; None if none is.
        missing_since: When a scan of the device first did not find the finished file; None
            if the last one did.
        gone_since: When the server first did not have the item any more; None while it does.
        source_path: The file's path on the server, to recognise it; never shown.
        wanted_path: What the finished file is to be renamed to; None if `file_path` stays.
        claimed_by: The process whose worker is busy with it; None unless it is downloading.
    """

    id: int
    item_id: str
    device_id: str
    user_id: str
    status: Status
    title: str
    item_type: str
    artist: str | None
    album: str | None
    album_id: str | None
    image_item_id: str | None
    image_tag: str | None
    source_etag: str | None
    file_path: str
    file_size: int | None
    mime_type: str | None
    expected_size: int | None
    bytes_downloaded: int
    validator: Validator | None
    finalizing: bool
    priority: int
    error_code: str | None
    error_message: str | None
    retry_count: int
    retry_next_at: datetime | None
    queued_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    last_used_seq: int
    content_hash: str | None
    format: str
    seconds: float | None = None
    source_extension: str | None = None
    source_size: int | None = None
    source_hash: str | None = None
    format_note: str | None = None
    original_size: int | None = None
    accepted: Validator | None = None
    missing_since: datetime | None = None
    gone_since: datetime | None = None
    source_path: str | None = None
    wanted_path: str | None = None
    claimed_by: str | None = None

    @property
    def is_present(self) -> bool:
        """Whether the last scan found the finished file on its device."""
        return self.status is Status.COMPLETED and self.missing_since is None

    def still_has(self, path: str, completed_at: datetime | None) -> bool:
        """Whether its finished file is that which was seen there: no other one, nor elsewhere."""
        is_same = (self.file_path, self.completed_at) == (path, completed_at)
        return self.status is Status.COMPLETED and is_same

    @property
    def is_converted(self) -> bool:
        """Whether the finished file was converted here."""
        return self.source_size is not None

    @property
    def size(self) -> int | None:
        """The best known size in bytes: of the file, of the responses, or of the last scan."""
        if self.file_size is not None:
            return self.file_size
        if self.validator is not None and self.validator.total is not None:
            return self.validator.total
        return self.expected_size

    @property
    def progress(self) -> float:
        """The fetched part of the file, from 0 to 1."""
        if self.status is Status.COMPLETED:
            return 1.0
        return min(1.0, self.bytes_downloaded / self.size) if self.size else 0.0
