"""Decides what happens after a failed attempt: retry, give up, or wait for the cause to end.

The times are stored in the rows (`store.downloads.queue`). For an unavailable server, account or
device `services` makes one probe for all of its downloads.

    failure                              what next
    transient                            after 5 s, 15 s, 45 s; then failed, again after 1 h
    changed                              at once from zero; twice in a row: as transient
    unproved                             as transient, but its progress does not count
    empty                                as transient; then waits as the following
    blocked                              failed, again after 5 min
    refused, gone                        failed, until a person says retry
    signed out, outside its hours,       wait; no try is used up
    server, file, device
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sidecar.domain.transfers.failures import Failure, FailureClass

DELAYS = (timedelta(seconds=5), timedelta(seconds=15), timedelta(seconds=45))
JITTER = 0.1
LONG_COOLDOWN = timedelta(hours=1)
PROBE_BLOCKED_EVERY = timedelta(minutes=5)
LONGEST_RETRY_AFTER_S = 3600.0
# No download waits longer for its next try, also by the clock of another machine.
LONGEST_WAIT = 2 * LONG_COOLDOWN
WORTHWHILE_GAIN = 1024 * 1024
# For a small file a tenth is enough: else a bad connection would never complete one of 2 MB.
WORTHWHILE_SHARE = 10

WAITING = frozenset(
    {
        FailureClass.SIGNED_OUT,
        FailureClass.OUTSIDE_HOURS,
        FailureClass.SERVER_AWAY,
        FailureClass.FILE_AWAY,
        FailureClass.DEVICE,
    }
)


@dataclass(frozen=True, slots=True)
class Postpone:
    """Queue it again.

    Attributes:
        until: Not before this time.
        retry_count: Tries used up, this one included.
        from_zero: What was fetched is of another version and is discarded.
    """

    until: datetime
    retry_count: int
    from_zero: bool = False


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Fail the download.

    Attributes:
        until: When it is retried automatically; None if only a person can retry it.
        retry_count: Tries used up, this one included.
        from_zero: As for `Postpone`.
    """

    until: datetime | None
    retry_count: int
    from_zero: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Queue it as it was: the cause concerns many downloads.

    Attributes:
        kind: The cause: the account, the server, the server's disk or file, or the
            device.
    """

    kind: FailureClass


def decide_next(
    failure: Failure,
    *,
    retry_count: int,
    gained: int,
    now: datetime,
    roll: float,
    last_code: str | None = None,
    size: int | None = None,
) -> Postpone | GiveUp | Wait:
    """Decide what happens after a failed attempt.

    Args:
        failure: The failure.
        retry_count: Tries used up before this one.
        gained: Bytes that this attempt added: from 1 MiB or a tenth of the file on it counts as
            progress and resets the retry count.
        now: The time.
        roll: A number in [0, 1), normally `random.random()`: spreads retries.
        last_code: `error_code` of the attempt before this one; None if there was none.
        size: Bytes of the whole file; None if unknown.
    """
    if failure.kind in WAITING:
        return Wait(failure.kind)
    if failure.kind in {FailureClass.REFUSED, FailureClass.GONE}:
        return GiveUp(None, retry_count)
    if failure.kind is FailureClass.BLOCKED:
        return GiveUp(now + PROBE_BLOCKED_EVERY, retry_count)
    # A file that could not be proved whole is no progress, however long it is.
    worthwhile = min(WORTHWHILE_GAIN, max(1, (size or WORTHWHILE_GAIN * 10) // WORTHWHILE_SHARE))
    is_progress = gained >= worthwhile and failure.kind is not FailureClass.UNPROVED
    used = 0 if is_progress else retry_count
    if used >= len(DELAYS) and failure.kind is FailureClass.EMPTY:
        return Wait(failure.kind)
    return _retry(failure, used=used, now=now, roll=roll, last_code=last_code)


def _retry(
    failure: Failure, *, used: int, now: datetime, roll: float, last_code: str | None
) -> Postpone | GiveUp:
    """Retry, as long as there are tries left."""
    changed = failure.kind is FailureClass.CHANGED
    if changed and last_code != failure.code and used < len(DELAYS):
        # It counts as a try, so that a file that keeps changing fails in the end.
        return Postpone(now, used + 1, from_zero=True)
    asked = timedelta(seconds=min(failure.retry_after_s or 0.0, LONGEST_RETRY_AFTER_S))
    if used >= len(DELAYS):
        return GiveUp(now + max(LONG_COOLDOWN, asked), used, from_zero=changed)
    delay = max(DELAYS[used] * (1 + JITTER * roll), asked)
    return Postpone(now + delay, used + 1, from_zero=changed)
