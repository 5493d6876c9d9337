"""Copies a file from another device into a part file, and verifies its hash.

    read ─▶ hash, write ─▶ length as stored? ─▶ sync ─▶ hash as stored? ─▶ receipt
      └────────────────────────┴──────── no ─────┴──────▶ part emptied, `CopyFailed`

It never writes to the other device. The part gets a validator without a date, so that no later
transfer from the server continues the copied bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event
from typing import BinaryIO

from sidecar.domain.downloads.download import Validator
from sidecar.domain.transfers.failures import TransferFailed
from sidecar.errors import SidecarError, Stopped
from sidecar.messages import Size, msg
from sidecar.transfer.durable import PartWriter
from sidecar.transfer.engine import PartTarget, Receipt, TransferReport
from sidecar.transfer.faults import classify_disk_error, part_vanished_error

BLOCK = 1024 * 1024


class CopyFailed(SidecarError):
    """The file cannot be read or is not what arrived on its device; the part is empty now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A file on another device.

    Attributes:
        file: Open for reading, unbuffered.
        size: Its size in bytes when it arrived.
        content_hash: Its xxh3-128 when it arrived.
        mime_type: The type that the server gave then.
    """

    file: BinaryIO
    size: int
    content_hash: str
    mime_type: str | None


def copy(
    original: Original,
    part: PartTarget,
    report: TransferReport,
    stop: Event,
    *,
    held: int,
    is_read_again: bool = False,
) -> Receipt:
    """Copy a file into a part, continuing after its first `held` bytes.

    With `is_read_again` the part stays in the memory.

    Raises:
        CopyFailed: The original cannot be used; the part is empty.
        TransferFailed: The part cannot be written.
        errors.Stopped: `stop` was set; honoured within one block.
    """
    try:
        with part.open() as file:
            writer = PartWriter(file, report.synced, is_read_again=is_read_again)
            try:
                return _copy(original, writer, report, stop, held)
            except CopyFailed:
                writer.keep(0)
                report.opened(Validator(None, None), held=0)
                raise
    except OSError as error:
        raise TransferFailed(classify_disk_error(error)) from error


def _copy(
    original: Original, writer: PartWriter, report: TransferReport, stop: Event, held: int
) -> Receipt:
    size = original.size
    writer.keep(min(held, size))
    report.opened(Validator(None, size), held=writer.held)
    writer.set_room_aside(size)
    while writer.held < size:
        if stop.is_set():
            writer.sync()
            raise Stopped(msg("the copy was asked to stop"))
        block = _read(original, writer.held, size)
        writer.write(block)
        report.moved(writer.held)
    if not writer.is_still_there():
        raise part_vanished_error()
    content_hash = writer.finish()
    if content_hash != original.content_hash:
        raise CopyFailed(msg("it is not what arrived there: its hash is another one"))
    return Receipt(size, content_hash, original.mime_type, 0)


def _read(original: Original, start: int, size: int) -> bytes:
    try:
        original.file.seek(start)
        block = original.file.read(min(BLOCK, size - start))
    except OSError as error:
        raise CopyFailed(msg("it cannot be read: {reason}", reason=error.strerror)) from error
    if not block:
        raise CopyFailed(msg("it ends after {start} of {size}", start=Size(start), size=Size(size)))
    return block
