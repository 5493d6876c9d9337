"""Checks what a conversion has made, alike for music and films; each check raises `ChildFailed`."""

from __future__ import annotations

import logging
from threading import Event
from typing import BinaryIO

import xxhash

from sidecar.clock import Clock
from sidecar.domain.transfers.wholeness import Ending, Evidence
from sidecar.messages import msg
from sidecar.transfer.converting.subprocess import ChildFailed, ChildOutput
from sidecar.transfer.durable import read_through
from sidecar.transfer.wholeness.source import MediaFile
from sidecar.transfer.wholeness.structure import inspect

log = logging.getLogger(__name__)

WALK_WITHIN_S = 60.0


def inspect_end(file: BinaryIO, *, clock: Clock, stop: Event) -> Evidence:
    """Look whether the end of a media file is there; for a source as for a result."""
    media = MediaFile(file, clock=clock, stop=stop, limit_s=WALK_WITHIN_S)
    return inspect(media, container="")


def check_codec(found: str | None, wanted: str) -> None:
    """Check that the result has the codec that was asked for."""
    if found != wanted:
        raise ChildFailed(msg("ffmpeg made {codec} of it", codec=found or msg("something else")))


def check_length(seconds: float, wanted: float, *, off_by: float) -> None:
    """Check that the result is as long as the source, give or take `off_by` seconds."""
    if abs(seconds - wanted) > off_by:
        raise ChildFailed(
            msg(
                "it came out {seconds} seconds long, not {wanted}",
                seconds=f"{seconds:.1f}",
                wanted=f"{wanted:.1f}",
            )
        )


def check_played(said: ChildOutput) -> None:
    """Check that ffmpeg decoded the result to its end without a complaint."""
    if said.code != 0 or said.complaints.strip():
        raise ChildFailed(msg("what came out cannot be played to its end"))


def check_end(file: BinaryIO, *, clock: Clock, stop: Event) -> None:
    """Check that the end of the result is there."""
    end = inspect_end(file, clock=clock, stop=stop)
    if end.ending is not Ending.PRESENT:
        log.warning("what came out of a conversion has no end: %s", end.why)
        raise ChildFailed(msg("what came out has no end"))


def hash_result(file: BinaryIO, size: int) -> str:
    """Return the hash of a result that is read back whole."""
    digest = xxhash.xxh3_128()
    if read_through(file, size, digest) != size:
        raise ChildFailed(msg("what came out cannot be read back"))
    return digest.hexdigest()
