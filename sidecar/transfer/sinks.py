"""Where an attempt's bytes go: into the part file directly, or through another program."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from threading import Event
from typing import BinaryIO, Protocol

from sidecar.transfer.durable import PartWriter
from sidecar.transfer.engine import Job, TransferReport


class Sink(Protocol):
    """Where the bytes of one attempt go; `PartWriter` writes them here, aria2 elsewhere."""

    held: int

    def keep(self, held: int) -> int:
        """Count on the first `held` bytes of the part, cut off the rest, return how many."""

    def has(self, block: bytes, at: int) -> bool:
        """Whether these bytes are in the part at this place; asked before anything is written."""

    def set_room_aside(self, total: int) -> None:
        """Hear how long the file will be."""

    def write(self, block: bytes) -> None:
        """Append a block."""

    def sync(self) -> None:
        """End with what is there, put it on the disk and tell how much it is."""

    def finish(self) -> str:
        """End with a whole file, put it on the disk and return its xxh3-128 as hex digits."""

    def is_still_there(self) -> bool:
        """Whether the part file still has its name."""


OpenSink = Callable[[Job, BinaryIO, TransferReport, Event], AbstractContextManager[Sink]]


def write_here(
    _job: Job, file: BinaryIO, report: TransferReport, _stop: Event
) -> AbstractContextManager[Sink]:
    """Write the part file ourselves."""
    return nullcontext(PartWriter(file, report.synced))
