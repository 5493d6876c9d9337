"""What must not go from a device now, because another device still needs what came after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waiting:
    """Downloads whose files may not go now, and why, as the end of a sentence."""

    files: frozenset[int]
    text: str


Awaited = Callable[[str], Waiting | None]


def nothing_waits(_device_id: str) -> Waiting | None:
    """Say that nothing waits: there is no Syncthing that could be asked."""
    return None
