"""Converts a music file to a smaller one, and checks the result by decoding it.

    probe ─▶ small enough? ─▶ not cut? ─▶ tags, cover ─▶ ffmpeg ─▶ smaller?
         ─▶ right length, decodes, its end is there ─▶ synced

The original is never changed. The result is a whole, synced and checked file, or a reason why the
original should be used.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from threading import Event
from typing import BinaryIO, Protocol

from sidecar.clock import Clock
from sidecar.domain.formats.completing import completed, is_in_doubt
from sidecar.domain.formats.formats import (
    Format,
    Target,
    explain_not_converted,
    explain_not_smaller,
    explain_unconverted,
    sample_rate,
)
from sidecar.domain.formats.tags import Tags, collected
from sidecar.domain.transfers.failures import TransferFailed
from sidecar.domain.transfers.wholeness import Ending
from sidecar.messages import msg
from sidecar.transfer.converting.metadata import extract_cover, open_chapters_file
from sidecar.transfer.converting.probe import ONLY_FILES, UNTRUSTED, ProbedSound, probe_sound
from sidecar.transfer.converting.programs import Programs
from sidecar.transfer.converting.results import (
    check_codec,
    check_end,
    check_length,
    check_played,
    hash_result,
    inspect_end,
)
from sidecar.transfer.converting.subprocess import ChildFailed, ChildOutput, get_inherited_path, run
from sidecar.transfer.engine import PartTarget
from sidecar.transfer.faults import classify_disk_error
from sidecar.transfer.tagging.tagger import Tagger, blame_the_disk
from sidecar.transfer.tagging.wishes import TagWishes

log = logging.getLogger(__name__)

# Time limit in addition to the length of the music: even a slow machine converts much faster than
# real time.
LIMIT_S = 60.0
LONGEST_LIMIT_S = 24 * 3600.0
OFF_BY_S = 1.0
TRIES = 2
STEREO = 2
MUXERS = {Format.OPUS: "opus", Format.MP3: "mp3", Format.AAC: "mp4"}


@dataclass(frozen=True, slots=True)
class Converted:
    """A converted file, synced in its part file.

    Attributes:
        size: Bytes.
        content_hash: xxh3-128 as 32 hex digits.
    """

    size: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class LeftAsIs:
    """The original should be used as it is.

    Attributes:
        why: A sentence for people.
    """

    why: str


class Converts(Protocol):
    """The interface of a converter."""

    def convert(
        self,
        source: PartTarget,
        size: int,
        into: PartTarget,
        target: Target,
        stop: Event,
        *,
        wishes: TagWishes,
    ) -> Converted | LeftAsIs:
        """Convert `source` into `into`; see `Converter.convert`."""


class Converter:
    """Converts with a local ffmpeg. Thread-safe."""

    def __init__(self, programs: Programs, clock: Clock) -> None:
        self._programs = programs
        self._clock = clock
        self._tagger = Tagger(clock)

    def convert(
        self,
        source: PartTarget,
        size: int,
        into: PartTarget,
        target: Target,
        stop: Event,
        *,
        wishes: TagWishes,
    ) -> Converted | LeftAsIs:
        """Convert a whole file; a failed conversion is tried once more.

        Args:
            source: The original; only read.
            size: Its size in bytes.
            into: The file for the result; its contents are overwritten.
            target: The format to convert to.
            stop: Ends the conversion within a second when set.
            wishes: How its tags and its cover should be.

        Raises:
            TransferFailed: The device cannot be read or written.
            errors.Stopped: `stop` was set.
        """
        why = ""
        for _ in range(TRIES):
            try:
                with source.open() as original, into.open() as result:
                    return _Conversion(
                        self._programs,
                        self._clock,
                        self._tagger,
                        target,
                        original,
                        size,
                        result,
                        stop,
                        wishes,
                    ).run()
            except ChildFailed as failed:
                why = str(failed)
            except OSError as error:
                raise TransferFailed(classify_disk_error(error)) from error
        return LeftAsIs(explain_not_converted(target, why))


@dataclass(frozen=True, slots=True)
class _Conversion:
    """One try at one file."""

    programs: Programs
    clock: Clock
    tagger: Tagger
    target: Target
    original: BinaryIO
    size: int
    result: BinaryIO
    stop: Event
    wishes: TagWishes

    def run(self) -> Converted | LeftAsIs:
        found = self._probe(self.original, self.size)
        why = explain_unconverted(found.sound, self.target)
        if why is not None:
            return LeftAsIs(why)
        end = inspect_end(self.original, clock=self.clock, stop=self.stop)
        if end.ending is Ending.MISSING:
            # The result would look like a whole file with less music.
            log.info("not converted, its end is missing: %s", end.why)
            return LeftAsIs(explain_not_converted(self.target, msg("its end is missing")))
        tags, cover = self._around(found)
        os.ftruncate(self.result.fileno(), 0)
        said = self._encode(found)
        blame_the_disk(said)
        if self._size() >= self.size:
            return LeftAsIs(explain_not_smaller(self.target))
        if said.code != 0:
            raise ChildFailed(said.last_words or msg("ffmpeg failed"))
        writing = self.wishes.writing(tags, cover)
        self.tagger.write(self.result, writing, stop=self.stop)
        made = self._size()
        if made >= self.size:
            return LeftAsIs(explain_not_smaller(self.target))
        self._check_result(found, made)
        return self._sync_and_hash(made)

    def _size(self) -> int:
        return os.fstat(self.result.fileno()).st_size

    def _probe(self, file: BinaryIO, size: int) -> ProbedSound:
        return probe_sound(self.programs.ffprobe, file, size=size, clock=self.clock, stop=self.stop)

    def _around(self, found: ProbedSound) -> tuple[Tags, bytes | None]:
        """Return tags and cover: the file's own, and Jellyfin's where those are incomplete."""
        wishes = self.wishes
        own = self.tagger.read(self.original, pixels=wishes.pixels, stop=self.stop)
        # ffmpeg may read tags that mutagen cannot.
        tags = own.tags or collected(found.tags.items())
        if is_in_doubt(tags):
            tags = completed(tags, wishes.known())
        cover = own.cover or extract_cover(
            self.programs.ffmpeg,
            self.original,
            found,
            pixels=wishes.pixels,
            clock=self.clock,
            stop=self.stop,
        )
        return tags, cover or wishes.cover()

    def _encode(self, found: ProbedSound) -> ChildOutput:
        with open_chapters_file(found.chapters) as chapters:
            command = [*self._input_arguments(), *ONLY_FILES, "-f", "ffmetadata"]
            command += ["-i", get_inherited_path(chapters), *self._output_arguments(found)]
            command += [get_inherited_path(self.result)]
            return self._run(command, found, [self.original, chapters, self.result])

    def _input_arguments(self) -> list[str]:
        common = ["-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-threads", "1"]
        return [self.programs.ffmpeg, *common, *UNTRUSTED, "-i", get_inherited_path(self.original)]

    def _output_arguments(self, found: ProbedSound) -> list[str]:
        wanted, codec = self.target.format, self.target.codec
        words = ["-map", "0:a:0", "-map_metadata", "1", "-map_metadata:s:a", "-1"]
        words += ["-map_chapters", "1", "-c:a", codec.encoder, "-b:a", f"{self.target.kbits}k"]
        if found.sound.channels > STEREO:
            words += ["-ac", str(STEREO)]
        if (rate := sample_rate(found.sound)) is not None and wanted is not Format.OPUS:
            words += ["-ar", str(rate)]
        if wanted is Format.AAC:
            words += ["-brand", "M4A "]
        return [*words, "-threads", "1", "-f", MUXERS[wanted]]

    def _run(self, command: list[str], found: ProbedSound, files: list[BinaryIO]) -> ChildOutput:
        limit_s = min(LIMIT_S + found.sound.seconds, LONGEST_LIMIT_S)
        return run(
            command,
            files=files,
            clock=self.clock,
            stop=self.stop,
            limit_s=limit_s,
            most_bytes=self.size,
        )

    def _check_result(self, found: ProbedSound, size: int) -> None:
        """Check that the result has the right codec and length, and plays to its end."""
        made = self._probe(self.result, size).sound
        check_codec(made.codec, self.target.codec.found_as)
        check_length(made.seconds, found.sound.seconds, off_by=OFF_BY_S)
        command = [self.programs.ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "error"]
        command += ["-xerror", *UNTRUSTED, "-i", get_inherited_path(self.result), "-map", "0:a:0"]
        said = self._run([*command, "-f", "null", "-"], found, [self.result])
        check_played(said)
        check_end(self.result, clock=self.clock, stop=self.stop)

    def _sync_and_hash(self, size: int) -> Converted:
        content_hash = hash_result(self.result, size)
        os.fsync(self.result.fileno())
        return Converted(size, content_hash)
