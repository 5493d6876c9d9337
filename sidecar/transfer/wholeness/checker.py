"""Checks whether a received file is whole or was cut off.

its structure, walked to the end ─┬─▶ whether its end is there
ffmpeg, if it is installed ───────┴─▶ how far it plays ─▶ `domain.transfers.wholeness` decides
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import BinaryIO

from sidecar.clock import Clock
from sidecar.domain.transfers.failures import TransferFailed
from sidecar.domain.transfers.wholeness import (
    PLAUSIBLE_S,
    Ending,
    Evidence,
    Verdict,
    Wholeness,
    judge,
)
from sidecar.transfer.converting.programs import Programs
from sidecar.transfer.faults import classify_disk_error
from sidecar.transfer.wholeness.decoding import Decoded, decode
from sidecar.transfer.wholeness.source import MediaFile
from sidecar.transfer.wholeness.structure import inspect

WALK_WITHIN_S = 60.0


class WholenessChecker:
    """Checks whether files are whole. Thread-safe."""

    def __init__(self, programs: Callable[[], Programs | None], clock: Clock) -> None:
        """Prepare.

        Args:
            programs: Returns ffmpeg; None if there is none.
            clock: For time limits.
        """
        self._programs = programs
        self._clock = clock

    def check(
        self,
        file: Path,
        *,
        container: str,
        expected_seconds: float | None,
        stop: Event | None = None,
    ) -> Wholeness:
        """Check a file, which is only read.

        Args:
            file: Path of a regular file; a link is refused.
            container: The server's name for its container, or its extension.
            expected_seconds: Its running time as the server has it; None if unknown.
            stop: Ends the check within a second when set.

        Raises:
            TransferFailed: The device cannot be read.
            errors.Stopped: `stop` was set.
        """
        try:
            descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb", buffering=0) as opened:
                return self.check_open(
                    opened, container=container, expected_seconds=expected_seconds, stop=stop
                )
        except OSError as error:
            raise TransferFailed(classify_disk_error(error)) from error

    def check_open(
        self,
        file: BinaryIO,
        *,
        container: str,
        expected_seconds: float | None,
        stop: Event | None = None,
    ) -> Wholeness:
        """Check an open file; see `check`.

        Raises:
            errors.Stopped: `stop` was set.
            OSError: The file cannot be read.
        """
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            return Wholeness(Verdict.UNKNOWN, "it is no plain file", None)
        if not facts.st_size:
            return Wholeness(Verdict.CUT, "it is empty", 0.0)
        stop = stop or Event()
        source = MediaFile(file, clock=self._clock, stop=stop, limit_s=WALK_WITHIN_S)
        found = inspect(source, container)
        if found.ending is not Ending.MISSING:
            about = expected_seconds or found.declared or found.reached or 0.0
            found = _with(found, self._decode(file, about, facts.st_size, stop))
        return judge(found, expected_seconds)

    def _decode(self, file: BinaryIO, seconds: float, size: int, stop: Event) -> Decoded | None:
        programs = self._programs()
        if programs is None:
            return None
        return decode(
            programs.ffmpeg, file, seconds=seconds, size=size, clock=self._clock, stop=stop
        )


def _with(found: Evidence, decoded: Decoded | None) -> Evidence:
    """Combine both findings: a decoder finds damage, the structure has the exact length."""
    if decoded is None:
        return found
    reached = decoded.seconds
    if found.reached is not None and reached > found.reached - PLAUSIBLE_S:
        reached = found.reached
    errors = found.errors + decoded.errors
    return replace(found, reached=reached, was_decoded=True, errors=errors)
