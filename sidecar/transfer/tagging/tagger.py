"""Reads and writes tags and covers, in a child process for each file."""

from __future__ import annotations

import base64
import errno
import json
import logging
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any, BinaryIO

from sidecar.clock import Clock
from sidecar.domain.formats.tags import Tags
from sidecar.messages import msg
from sidecar.transfer.converting.subprocess import ChildFailed, ChildOutput
from sidecar.transfer.tagging.process import TagProcesses
from sidecar.transfer.tagging.wishes import Writing

log = logging.getLogger(__name__)

NOT_TAKEN_APART = msg("its tags cannot be taken apart")
READ_WITHIN_S = 60.0
WRITE_WITHIN_S = 600.0
# Limit for the tags and the cover, in addition to the file.
MORE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TagsAndCover:
    """The tags and the cover of a file.

    Attributes:
        tags: With our names for them; empty if none can be read.
        cover: A baseline JPEG of the requested size; None if there is none that can be read.
        has_cover: Whether there is a cover at all, even one that cannot be read.
    """

    tags: Tags = field(default_factory=dict)
    cover: bytes | None = None
    has_cover: bool = False


class Tagger:
    """Reads and writes tags and covers. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._processes = TagProcesses()

    def read(self, file: BinaryIO, *, pixels: int, stop: Event) -> TagsAndCover:
        """Return the tags and cover of a file; none if the child fails or takes too long.

        Args:
            file: Open for reading.
            pixels: Longest edge of the cover.
            stop: Ends it when set.

        Raises:
            OSError: The device cannot be read.
            errors.Stopped: `stop` was set.
        """
        order = {"read": pixels, "most_bytes": MORE_BYTES * 2}
        try:
            told = self._ask(order, [file], READ_WITHIN_S, stop)
        except ChildFailed:
            return TagsAndCover()
        cover = told.get("cover")
        return TagsAndCover(
            tags={name: tuple(values) for name, values in told.get("tags", {}).items()},
            cover=base64.b64decode(cover) if cover else None,
            has_cover=bool(told.get("has_cover")),
        )

    def write(self, file: BinaryIO, what: Writing, *, stop: Event) -> None:
        """Write tags and cover into a file in place; only for files made here, such as copies.

        Args:
            file: Open for reading and writing.
            what: The tags and the cover.
            stop: Ends it when set; the file is of no use then.

        Raises:
            ChildFailed: The file cannot be tagged, or is broken.
            OSError: The device cannot be read or written.
            errors.Stopped: `stop` was set.
        """
        wanted = {
            "tags": what.tags,
            "cover": None if what.cover is None else base64.b64encode(what.cover).decode("ascii"),
            "id3": what.id3.value,
            "separator": what.separator,
            "knows_words": what.knows_words,
            "anew": what.anew,
        }
        most = os.fstat(file.fileno()).st_size + MORE_BYTES
        with tempfile.TemporaryFile() as told:
            told.write(json.dumps(wanted).encode())
            told.flush()
            order = {"write": True, "most_bytes": most}
            said = self._ask(order, [file, told], WRITE_WITHIN_S, stop)
        if "why" in said:
            log.info("tags are not written: %s", said["why"])
            raise ChildFailed(NOT_TAKEN_APART)

    def _ask(
        self,
        order: Mapping[str, object],
        files: Sequence[BinaryIO],
        limit_s: float,
        stop: Event,
    ) -> dict[str, Any]:
        said = self._processes.ask(order, files, clock=self._clock, stop=stop, limit_s=limit_s)
        blame_the_disk(said)
        try:
            told = json.loads(said.output)
        except ValueError:
            told = None
        if said.code != 0 or not isinstance(told, dict):
            raise ChildFailed(NOT_TAKEN_APART)
        return told


def blame_the_disk(said: ChildOutput) -> None:
    """Raise an error of the device that a child reported, as it does not come from the file."""
    if said.code == 0:
        return
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO):
        if os.strerror(number) in said.complaints:
            raise OSError(number, os.strerror(number))
