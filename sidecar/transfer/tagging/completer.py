"""Copies a music file and completes its tags with Jellyfin's where they are missing or broken.

    read ─▶ anything missing? ─▶ copied, hashed ─▶ tags written ─▶ read back ─▶ synced, hashed

The original is never written to, and in the copy only those tags change.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from threading import Event
from typing import BinaryIO

import xxhash

from sidecar.clock import Clock
from sidecar.domain.formats.completing import changes
from sidecar.domain.formats.tags import Tags
from sidecar.domain.transfers.wholeness import Ending
from sidecar.errors import Stopped
from sidecar.messages import msg
from sidecar.transfer.converting.subprocess import ChildFailed
from sidecar.transfer.durable import PartWriter, read_through
from sidecar.transfer.engine import PartTarget
from sidecar.transfer.tagging.tagger import Tagger
from sidecar.transfer.tagging.wishes import TagWishes
from sidecar.transfer.wholeness.source import MediaFile
from sidecar.transfer.wholeness.structure import inspect

log = logging.getLogger(__name__)

BLOCK = 1024 * 1024
WALK_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class CompletedCopy:
    """A copy with completed tags, synced in its part file.

    Attributes:
        size: Bytes.
        content_hash: xxh3-128 as 32 hex digits.
        source_hash: The same of the original.
    """

    size: int
    content_hash: str
    source_hash: str


class TagCompleter:
    """Makes copies with completed tags. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tagger = Tagger(clock)

    def complete(
        self, original: BinaryIO, size: int, into: PartTarget, wishes: TagWishes, stop: Event
    ) -> CompletedCopy | None:
        """Make a copy with completed tags; None if nothing is missing, or it is not possible.

        Args:
            original: Open for reading.
            size: Its size in bytes.
            into: The file for the copy; its contents are overwritten. Of no use after None.
            wishes: What Jellyfin knows, and how tags should be.
            stop: Ends it within a second when set.

        Raises:
            OSError: The device cannot be read or written.
            errors.DeviceError: The device is not there.
            errors.Stopped: `stop` was set.
        """
        found = self._tagger.read(original, pixels=wishes.pixels, stop=stop)
        amiss = changes(found.tags, wishes.known())
        cover = None if found.has_cover else wishes.cover()
        if not amiss and cover is None:
            return None
        with into.open() as copy:
            source_hash = _copied(original, size, copy, stop)
            try:
                self._tagger.write(copy, wishes.writing(amiss, cover, anew=False), stop=stop)
                self._check(copy, amiss, stop)
            except ChildFailed as failed:
                log.info("tags are left as they are: %s", failed)
                return None
            made = os.fstat(copy.fileno()).st_size
            digest = xxhash.xxh3_128()
            read_through(copy, made, digest)
            os.fsync(copy.fileno())
        return CompletedCopy(made, digest.hexdigest(), source_hash)

    def _check(self, copy: BinaryIO, amiss: Tags, stop: Event) -> None:
        """Check that the copy has the tags, and is still whole."""
        there = self._tagger.read(copy, pixels=1, stop=stop).tags
        if any(name not in there for name in amiss):
            raise ChildFailed(msg("what was written cannot be read back"))
        source = MediaFile(copy, clock=self._clock, stop=stop, limit_s=WALK_WITHIN_S)
        if inspect(source, container="").ending is Ending.MISSING:
            raise ChildFailed(msg("what came out has no end"))


def _copied(original: BinaryIO, size: int, copy: BinaryIO, stop: Event) -> str:
    writer = PartWriter(copy, lambda _held: None)
    writer.keep(0)
    writer.set_room_aside(size)
    original.seek(0)
    while block := original.read(BLOCK):
        if stop.is_set():
            raise Stopped(msg("it was asked to stop"))
        writer.write(block)
    return writer.finish()
