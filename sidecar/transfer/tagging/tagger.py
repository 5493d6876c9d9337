"""Reads and writes tags and covers, each file in a child process of its own with limits."""

from __future__ import annotations

import base64
import errno
import json
import logging
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, BinaryIO

from sidecar.clock import Clock
from sidecar.domain.formats.tags import Tags
from sidecar.messages import msg
from sidecar.transfer.converting.subprocess import ChildFailed, ChildOutput, run
from sidecar.transfer.tagging.writing import Writing

log = logging.getLogger(__name__)

NOT_TAKEN_APART = msg("its tags cannot be taken apart")
CHILD = Path(__file__).with_name("child.py")
READ_WITHIN_S = 60.0
WRITE_WITHIN_S = 600.0
# Beside the file: its tags and its cover.
MORE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTags:
    """What a file says of itself.

    Attributes:
        tags: Under our names; empty if it says nothing that can be read.
        cover: As a baseline JPEG of the size that was asked for; None without one.
        has_cover: Whether there is one at all, and be it one that cannot be read.
    """

    tags: Tags = field(default_factory=dict)
    cover: bytes | None = None
    has_cover: bool = False


class Tagger:
    """Safe for many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def read(self, file: BinaryIO, *, pixels: int, stop: Event) -> FoundTags:
        """Return what a file says of itself; nothing if it cannot be read in the time for it.

        Args:
            file: Open for reading.
            pixels: The largest edge of its cover.
            stop: Ends it when set.

        Raises:
            OSError: The device cannot be read.
            errors.Stopped: `stop` was set.
        """
        order = {"read": file.fileno(), "pixels": pixels}
        try:
            told = self._ask(order, [file], READ_WITHIN_S, MORE_BYTES * 2, stop)
        except ChildFailed:
            return FoundTags()
        cover = told.get("cover")
        return FoundTags(
            tags={name: tuple(values) for name, values in told.get("tags", {}).items()},
            cover=base64.b64decode(cover) if cover else None,
            has_cover=bool(told.get("has_cover")),
        )

    def write(self, file: BinaryIO, what: Writing, *, stop: Event) -> None:
        """Write tags and cover into a file, in place; a file of ours, or a copy of one.

        Args:
            file: Open for reading and writing.
            what: What is to be there.
            stop: Ends it when set; the file is of no use then.

        Raises:
            ChildFailed: It is no file for tags, or a broken one.
            OSError: The device cannot be read or written.
            errors.Stopped: `stop` was set.
        """
        order = {
            "tags": what.tags,
            "cover": None if what.cover is None else base64.b64encode(what.cover).decode("ascii"),
            "id3": what.id3.value,
            "separator": what.separator,
            "knows_words": what.knows_words,
            "anew": what.anew,
        }
        most = os.fstat(file.fileno()).st_size + MORE_BYTES
        with tempfile.TemporaryFile() as told:
            told.write(json.dumps(order).encode())
            told.flush()
            files: list[BinaryIO] = [file, told]
            said = self._ask(
                {"write": file.fileno(), "what": told.fileno()}, files, WRITE_WITHIN_S, most, stop
            )
        if "why" in said:
            log.info("tags are not written: %s", said["why"])
            raise ChildFailed(NOT_TAKEN_APART)

    def _ask(
        self,
        order: Mapping[str, object],
        files: list[BinaryIO],
        limit_s: float,
        most_bytes: int,
        stop: Event,
    ) -> dict[str, Any]:
        # -S: where the libraries are, we tell it.
        paths = json.dumps([os.path.abspath(one) for one in sys.path])  # noqa: PTH100 - "" is here
        command = [sys.executable, "-I", "-S", "-B", str(CHILD), paths, json.dumps(order)]
        said = run(
            command,
            files=files,
            clock=self._clock,
            stop=stop,
            limit_s=limit_s,
            most_bytes=most_bytes,
        )
        blame_the_disk(said)
        try:
            told = json.loads(said.output)
        except ValueError:
            told = None
        if said.code != 0 or not isinstance(told, dict):
            raise ChildFailed(NOT_TAKEN_APART)
        return told


def blame_the_disk(said: ChildOutput) -> None:
    """Raise what the device said to a child: that is no fault of the file's."""
    if said.code == 0:
        return
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO):
        if os.strerror(number) in said.complaints:
            raise OSError(number, os.strerror(number))
