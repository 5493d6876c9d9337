"""Converts a film to H.264 and AAC in MP4, segment by segment, so that a crash costs only one.

    probe ─▶ does the player need it? ─▶ not cut? ─┬─▶ segments of the picture, each checked, synced
                                                   └─▶ picture as it is
         ─▶ joined, with sounds, subtitles and chapters ─▶ right length, its end is there ─▶ synced

Only the pictures are made in segments: sounds joined from segments would click, and are made in a
small part of the time. What is recorded as whole is never made again, as long as source, target and
encoder are the same.
"""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from threading import Event
from typing import BinaryIO, Protocol

from sidecar.clock import Clock
from sidecar.domain.formats.films import (
    SOUND_KBITS,
    FilmTarget,
    choose_kbits,
    explain_fitting,
    is_picture_fitting,
)
from sidecar.domain.formats.formats import explain_not_converted
from sidecar.domain.transfers.failures import TransferFailed
from sidecar.domain.transfers.wholeness import Ending
from sidecar.messages import msg
from sidecar.transfer.converting.converter import Converted, LeftAsIs
from sidecar.transfer.converting.film_probe import (
    UNTRUSTED_FILM,
    ProbedFilm,
    choose_sounds,
    choose_subtitles,
    probe_film,
)
from sidecar.transfer.converting.hardware import FilmEncoder, FilmEncoders
from sidecar.transfer.converting.probe import ONLY_FILES
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
from sidecar.transfer.tagging.tagger import blame_the_disk

log = logging.getLogger(__name__)

SEGMENT_S = 60.0
LIMIT_S = 120.0
# A small machine needs so many seconds for one of a film, at the worst.
SLOWEST = 60.0
OFF_BY_S = 2.0
TRIES = 2
# The share of the work that joining is, where pictures are converted too.
JOINING = 0.1
MOST_RECORDED = 4 * 1024 * 1024
ROOM = 64 * 1024 * 1024
VERSION = 1
OUT_TIME = re.compile(rb"^out_time_us=(\d+)$", re.MULTILINE)
COPIED = frozenset({"aac"})
_QUIET = ("-nostdin", "-hide_banner", "-loglevel", "error", "-y")


class Segments(Protocol):
    """Where the segments of a film lie; implemented by `sidecar.device`."""

    @property
    def record(self) -> PartTarget:
        """The file that says which segments are whole."""

    def segment(self, number: int) -> PartTarget:
        """Return the file of a segment."""

    def clear(self) -> None:
        """Delete them all."""


@dataclass(frozen=True, slots=True)
class FetchedFilm:
    """A whole film, as it was fetched.

    Attributes:
        part: The file; only read.
        size: Bytes.
        content_hash: Of the file: segments of another one are not used.
    """

    part: PartTarget
    size: int
    content_hash: str


class ConvertsFilms(Protocol):
    """The interface of a converter of films."""

    def convert(
        self,
        source: FetchedFilm,
        into: PartTarget,
        segments: Segments,
        target: FilmTarget,
        stop: Event,
        *,
        converted: Callable[[float], object],
    ) -> Converted | LeftAsIs:
        """Convert `source` into `into`; see `FilmConverter.convert`."""


class FilmConverter:
    """Converts films with a local ffmpeg. Thread-safe."""

    def __init__(
        self,
        programs: Programs,
        encoders: FilmEncoders,
        clock: Clock,
        *,
        segment_s: float = SEGMENT_S,
    ) -> None:
        """Prepare.

        Args:
            programs: ffmpeg and ffprobe.
            encoders: The encoders that work here.
            clock: For time limits.
            segment_s: Length of a segment in seconds.
        """
        self._programs = programs
        self._encoders = encoders
        self._clock = clock
        self._segment_s = segment_s

    def convert(
        self,
        source: FetchedFilm,
        into: PartTarget,
        segments: Segments,
        target: FilmTarget,
        stop: Event,
        *,
        converted: Callable[[float], object],
    ) -> Converted | LeftAsIs:
        """Convert a whole film; a failed conversion is tried once more, then without hardware.

        The segments stay: they are of use until the film has its final name.

        Args:
            source: The original.
            into: The file for the result; its contents are overwritten.
            segments: The segments that are there, and those to come.
            target: The format to convert to.
            stop: Ends the conversion within a second when set.
            converted: Called with the share that is converted, from 0 to 1.

        Raises:
            TransferFailed: The device cannot be read or written.
            errors.DeviceError: The device is not there.
            errors.Stopped: `stop` was set.
        """
        why = ""
        for _ in range(TRIES):
            encoder = self._encoders.choose(stop)
            try:
                with source.part.open() as original, into.open() as result:
                    return _Conversion(
                        programs=self._programs,
                        encoder=encoder,
                        clock=self._clock,
                        segment_s=self._segment_s,
                        source=source,
                        original=original,
                        result=result,
                        segments=segments,
                        target=target,
                        stop=stop,
                        converted=converted,
                    ).run()
            except ChildFailed as failed:
                why = str(failed)
                self._encoders.distrust(encoder)
            except OSError as error:
                raise TransferFailed(classify_disk_error(error)) from error
        return LeftAsIs(explain_not_converted(target, why))


@dataclass(frozen=True, slots=True)
class _Span:
    """A segment: where it begins, and its length; None up to the end."""

    number: int
    start: float
    length: float | None


@dataclass(frozen=True, kw_only=True)
class _Conversion:
    """One try at one film."""

    programs: Programs
    encoder: FilmEncoder
    clock: Clock
    segment_s: float
    source: FetchedFilm
    original: BinaryIO
    result: BinaryIO
    segments: Segments
    target: FilmTarget
    stop: Event
    converted: Callable[[float], object]

    def run(self) -> Converted | LeftAsIs:
        why = explain_fitting(self.found.properties, self.target)
        if why is not None:
            return LeftAsIs(why)
        end = inspect_end(self.original, clock=self.clock, stop=self.stop)
        if end.ending is Ending.MISSING:
            log.info("not converted, its end is missing: %s", end.why)
            return LeftAsIs(explain_not_converted(self.target, msg("its end is missing")))
        self.converted(0.0)
        with ExitStack() as opened:
            spans: list[_Span] = []
            if not is_picture_fitting(self.found.properties, self.target):
                spans = self._spans()
                self._make_segments(spans)
            made = [opened.enter_context(self._segment(one)) for one in spans]
            os.ftruncate(self.result.fileno(), 0)
            self._join(spans, made)
        self._check_result()
        os.fsync(self.result.fileno())
        size = os.fstat(self.result.fileno()).st_size
        return Converted(size, hash_result(self.result, size))

    @cached_property
    def found(self) -> ProbedFilm:
        return self._probe(self.original, self.source.size)

    def _probe(self, file: BinaryIO, size: int) -> ProbedFilm:
        ffprobe = self.programs.ffprobe
        return probe_film(ffprobe, file, size=size, clock=self.clock, stop=self.stop)

    def _spans(self) -> list[_Span]:
        seconds = self.found.picture_seconds
        # The last one is up to half a segment longer or shorter, so that none is ever empty.
        count = max(1, round(seconds / self.segment_s))
        starts = [number * self.segment_s for number in range(count)]
        return [
            _Span(number, start, self.segment_s if number < count - 1 else None)
            for number, start in enumerate(starts)
        ]

    def _length(self, span: _Span) -> float:
        return span.length or self.found.picture_seconds - span.start

    @contextmanager
    def _segment(self, span: _Span) -> Iterator[BinaryIO]:
        with self.segments.segment(span.number).open() as file:
            yield file

    def _make_segments(self, spans: list[_Span]) -> None:
        whole = self._find_whole()
        for span in spans:
            if span.number not in whole:
                with self._segment(span) as file:
                    self._encode(span, file)
                    os.fsync(file.fileno())
                    size = os.fstat(file.fileno()).st_size
                    self._record(span.number, size, hash_result(file, size))
            self._tell(span.start + self._length(span))

    def _tell(self, seconds: float) -> None:
        share = min(seconds / self.found.picture_seconds, 1.0)
        self.converted(share * (1 - JOINING))

    def _encode(self, span: _Span, file: BinaryIO) -> None:
        os.ftruncate(file.fileno(), 0)
        limits = self.target.limits
        scaled = f"scale=w='min({limits.width},iw)':h='min({limits.height},ih)'"
        scaled += ":force_original_aspect_ratio=decrease:force_divisible_by=2"
        kbits = choose_kbits(self.found.properties, self.target)
        reach = [] if span.length is None else ["-t", f"{span.length:.3f}"]
        command = [*_QUIET, *self.encoder.device, *UNTRUSTED_FILM, "-ss", f"{span.start:.3f}"]
        command += [*reach, "-i", get_inherited_path(self.original)]
        command += ["-map", f"0:{self.found.picture}", "-map_metadata", "-1"]
        command += ["-map_chapters", "-1", "-vf"]
        command += [f"yadif=deint=interlaced,{scaled},{self.encoder.filters}"]
        command += [*self.encoder.arguments(kbits), "-f", "mp4", get_inherited_path(file)]
        length = self._length(span)
        most_bytes = int(kbits * 1000 * length) + ROOM
        said = self._run(
            command,
            [self.original, file],
            seconds=length,
            most_bytes=most_bytes,
            reached=lambda seconds: self._tell(span.start + min(seconds, length)),
        )
        self._believe(said)
        self._check_segment(span, file)

    def _check_segment(self, span: _Span, file: BinaryIO) -> None:
        """Check that a segment has the right codec and length, and decodes without an error."""
        made = self._probe(file, os.fstat(file.fileno()).st_size)
        self._check_picture(made, self._length(span))
        command = [*_QUIET, "-xerror", *UNTRUSTED_FILM, "-i", get_inherited_path(file)]
        command += ["-map", "0:v:0", "-f", "null", "-"]
        said = self._run(command, [file], seconds=self._length(span))
        check_played(said)

    def _check_picture(self, made: ProbedFilm, wanted: float) -> None:
        check_codec(made.properties.codec, "h264")
        check_length(made.picture_seconds, wanted, off_by=OFF_BY_S)

    def _join(self, spans: list[_Span], made: list[BinaryIO]) -> None:
        """Join the segments, or take the picture as it is, with the sounds and subtitles."""
        with tempfile.TemporaryFile() as listed:
            lines = ["ffconcat version 1.0"]
            for span, file in zip(spans, made, strict=True):
                lines += [f"file {get_inherited_path(file)}", "inpoint 0"]
                lines += [f"duration {self._length(span):.6f}"]
            listed.write("\n".join([*lines, ""]).encode())
            listed.flush()
            command = list(_QUIET)
            if spans:
                command += ["-f", "concat", "-safe", "0", *ONLY_FILES]
                command += ["-i", get_inherited_path(listed)]
            command += [*UNTRUSTED_FILM, "-i", get_inherited_path(self.original)]
            command += [*self._streams(is_made=bool(spans)), get_inherited_path(self.result)]
            before = 1 - JOINING if spans else 0.0

            def reached(seconds: float) -> None:
                share = min(seconds / self.found.seconds, 1.0)
                self.converted(before + share * (1 - before))

            said = self._run(
                command,
                [self.original, listed, *made, self.result],
                seconds=self.found.seconds,
                most_bytes=self._most_bytes(),
                reached=reached,
            )
        self._believe(said)

    def _most_bytes(self) -> int:
        likely = self.target.estimate(seconds=self.found.seconds, source_size=None) or 0
        return 2 * max(self.source.size, likely) + ROOM

    def _streams(self, *, is_made: bool) -> list[str]:
        """Return the arguments that choose and encode the streams of the result."""
        source = 1 if is_made else 0
        words = ["-map", "0:v:0" if is_made else f"0:{self.found.picture}", "-c:v", "copy"]
        for number, one in enumerate(choose_sounds(self.found, self.target.audio)):
            words += ["-map", f"{source}:{one.index}"]
            if one.codec in COPIED:
                words += [f"-c:a:{number}", "copy"]
            else:
                words += [f"-c:a:{number}", "aac", f"-b:a:{number}", f"{SOUND_KBITS}k"]
                words += [f"-ac:a:{number}", "2"]
        for one in choose_subtitles(self.found, self.target.subtitles):
            words += ["-map", f"{source}:{one.index}"]
        words += ["-c:s", "mov_text", "-map_metadata", str(source), "-map_chapters", str(source)]
        return [*words, "-max_muxing_queue_size", "4096", "-f", "mp4"]

    def _check_result(self) -> None:
        """Check codec and length of the result, that it is read to its end and its sound plays."""
        made = self._probe(self.result, os.fstat(self.result.fileno()).st_size)
        self._check_picture(made, self.found.picture_seconds)
        check_length(made.seconds, self.found.seconds, off_by=OFF_BY_S)
        command = [*_QUIET, "-xerror", *UNTRUSTED_FILM, "-i", get_inherited_path(self.result)]
        # The picture was decoded segment by segment, or is the server's own.
        command += ["-map", "0:v:0", "-map", "0:a?", "-c:v", "copy", "-f", "null", "-"]
        said = self._run(command, [self.result], seconds=self.found.seconds)
        check_played(said)
        check_end(self.result, clock=self.clock, stop=self.stop)

    def _believe(self, said: ChildOutput) -> None:
        blame_the_disk(said)
        if said.code != 0:
            raise ChildFailed(said.last_words or msg("ffmpeg failed"))

    def _run(
        self,
        words: list[str],
        files: list[BinaryIO],
        *,
        seconds: float,
        most_bytes: int = ROOM,
        reached: Callable[[float], object] = lambda _seconds: None,
    ) -> ChildOutput:
        with tempfile.TemporaryFile() as told:
            progress = ["-progress", get_inherited_path(told)]

            def look() -> None:
                told.seek(max(0, os.fstat(told.fileno()).st_size - 1024))
                if times := OUT_TIME.findall(told.read()):
                    reached(int(times[-1]) / 1e6)

            return run(
                [self.programs.ffmpeg, *progress, *words],
                files=[*files, told],
                clock=self.clock,
                stop=self.stop,
                limit_s=LIMIT_S + SLOWEST * seconds,
                most_bytes=most_bytes,
                meanwhile=look,
            )

    @cached_property
    def _fingerprint(self) -> str:
        """What segments must have in common to be joined."""
        parts = (VERSION, self.source.content_hash, self.target.format, self.segment_s)
        return " ".join(map(str, (*parts, self.encoder.name)))

    def _find_whole(self) -> Mapping[int, tuple[int, str]]:
        """Return size and hash of the recorded segments that are still as they were.

        Those of another source, target or encoder are deleted.
        """
        with self.segments.record.open() as file:
            lines = file.read(MOST_RECORDED).split(b"\n")[:-1]
        if not lines or lines[0] != self._fingerprint.encode():
            self.segments.clear()
            with self.segments.record.open() as file:
                file.write(f"{self._fingerprint}\n".encode())
                os.fsync(file.fileno())
            return {}
        recorded = dict(filter(None, map(_read_line, lines[1:])))
        with self.segments.record.open() as file:
            # A line that was cut off by a crash would run into the next one.
            os.ftruncate(file.fileno(), sum(len(line) + 1 for line in lines))
        return {number: said for number, said in recorded.items() if self._is_still(number, *said)}

    def _is_still(self, number: int, size: int, content_hash: str) -> bool:
        with self.segments.segment(number).open() as file:
            if os.fstat(file.fileno()).st_size != size:
                return False
            return hash_result(file, size) == content_hash

    def _record(self, number: int, size: int, content_hash: str) -> None:
        with self.segments.record.open() as file:
            file.seek(0, os.SEEK_END)
            line = json.dumps({"number": number, "size": size, "hash": content_hash})
            file.write(f"{line}\n".encode())
            os.fsync(file.fileno())


def _read_line(line: bytes) -> tuple[int, tuple[int, str]] | None:
    try:
        told = json.loads(line)
        return int(told["number"]), (int(told["size"]), str(told["hash"]))
    except (ValueError, TypeError, LookupError):
        return None
