"""Orders: what people want done with a device's files by the machine that has the device."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

# An order that nobody could carry out for so long is over.
LASTS = timedelta(days=1)
# One whose machine died so often while it carried it out is not begun again.
MOST_TRIES = 3
# How long people see that an order was carried out, and why one was not.
DONE_SHOWN, TROUBLE_SHOWN = timedelta(minutes=10), timedelta(days=1)
# A machine that was not heard of for so long is one that people should look after.
SILENT_AFTER = timedelta(seconds=30)


class OrderState(StrEnum):
    """What became of an order."""

    OPEN = "open"
    DONE = "done"
    # The machine has said why not.
    REFUSED = "refused"
    # It was begun, and its end is not known.
    FAILED = "failed"
    EXPIRED = "expired"


def is_silent(heard_at: datetime | None, now: datetime) -> bool:
    """Whether a machine has not been heard of for too long, by its last heartbeat alone."""
    return heard_at is None or now - heard_at >= SILENT_AFTER
