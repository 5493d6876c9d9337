"""What a download in the queue waits for, beside its turn: one decision for all that tell it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class WaitKind(StrEnum):
    """What must change before a download can come."""

    DEVICE = "device"
    PAUSED = "paused"
    SERVER = "server"
    ACCOUNT = "account"
    NETWORK = "network"
    ROOM = "room"


@dataclass(frozen=True, slots=True)
class Wait:
    """One reason why a download cannot come now; `text` is for people."""

    kind: WaitKind
    text: str
