"""The interface of a sink: where the engine writes the bytes of one attempt."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from threading import Event
from typing import BinaryIO, Protocol

from sidecar.transfer.durable import PartWriter
from sidecar.transfer.engine import Job, TransferReport


class Sink(Protocol):
    """Takes the bytes of one attempt. `PartWriter` writes them itself, `ThroughAria2` by aria2.

    Attributes:
        held: How many bytes the part has.
    """

    held: int

    def keep(self, held: int) -> int:
        """Keep the first `held` bytes of the part, cut off the rest; return how many were kept."""

    def has(self, block: bytes | memoryview, at: int) -> bool:
        """Whether the part has these bytes at this offset; to be called before any write."""

    def set_room_aside(self, total: int) -> None:
        """Take the size of the whole file, to preallocate it where possible."""

    def write(self, block: bytes | memoryview) -> None:
        """Append a block."""

    def sync(self) -> None:
        """End the attempt early: sync what is there and report how much it is."""

    def finish(self) -> str:
        """End with a whole file: sync it and return its xxh3-128 as hex digits."""

    def is_still_there(self) -> bool:
        """Whether the part file still exists."""


OpenSink = Callable[[Job, BinaryIO, TransferReport, Event], AbstractContextManager[Sink]]


def write_here(
    job: Job, file: BinaryIO, report: TransferReport, _stop: Event
) -> AbstractContextManager[Sink]:
    """Return a sink that writes the part file directly."""
    return nullcontext(PartWriter(file, report.synced, is_read_again=job.is_read_again))
