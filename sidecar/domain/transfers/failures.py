"""Why an attempt at a file failed. The class decides what happens; the sentence tells a person."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sidecar.errors import SidecarError


class FailureClass(StrEnum):
    """What a failure means for the download, its user, its device or the server."""

    TRANSIENT = "transient"
    CHANGED = "changed"
    SIGNED_OUT = "signed-out"
    OUTSIDE_HOURS = "outside-hours"
    REFUSED = "refused"
    FILE_AWAY = "file-away"
    EMPTY = "empty"
    UNPROVED = "unproved"
    GONE = "gone"
    BLOCKED = "blocked"
    DEVICE = "device"
    SERVER_AWAY = "server-away"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt, judged.

    Attributes:
        kind: Decides what happens next.
        code: Short, stable, for scripts and the page: `short-body`, `http-503`, `full` …
        message: A sentence for people: what happened and to what.
        retry_after_s: Seconds the server asked for; None if it did not.
    """

    kind: FailureClass
    code: str
    message: str
    retry_after_s: float | None = None


class TransferFailed(SidecarError):
    """One attempt at one file ended without a whole file.

    Attributes:
        failure: What went wrong, judged.
        gained: Bytes that this attempt added to the part file.
    """

    def __init__(self, failure: Failure, *, gained: int = 0) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.gained = gained
