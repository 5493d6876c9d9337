"""What a conversion costs beside ffmpeg alone: all of ours around it, and our own checks.

The same tracks of four minutes in turn: by the converter of the product, and by ffmpeg as one would
call it by hand, which encodes each and decodes the result once, as the check does.
"""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event

from sidecar.clock import SystemClock
from sidecar.domain.formats.formats import Format, Target
from sidecar.transfer.converting.converter import Converted, Converter
from sidecar.transfer.converting.programs import find_programs
from sidecar.transfer.tagging.wishes import TagWishes
from tests.transfer.converting.conftest import PlainPart

ROUNDS = 3
TRACKS = 4
QUIET = ("-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-threads", "1")
TRACK = "anoisesrc=d=240:c=pink:a=0.3:r=44100:seed=7,aformat=channel_layouts=stereo"
TARGET = Target(Format.OPUS, 128)


@dataclass(frozen=True, slots=True)
class Conversion:
    """What was measured.

    Attributes:
        cpu: CPU seconds of ours with all of its programs, for one of ffmpeg's alone.
        wall: The same for the time it took.
    """

    cpu: float
    wall: float


def measure() -> Conversion:
    """Convert in turn."""
    programs = find_programs("ffmpeg")
    with TemporaryDirectory(prefix="sidecar-conversion-") as there:
        source, made = Path(there) / "1.part", Path(there) / "1.converted"
        bare = Path(there) / "bare.opus"
        _run(programs.ffmpeg, "-f", "lavfi", "-i", TRACK, "-f", "flac", str(source))

        def ours() -> None:
            # What it keeps between tracks ends with it, so that it counts.
            converter = Converter(programs, SystemClock())
            for _ in range(TRACKS):
                found = converter.convert(
                    PlainPart(source),
                    source.stat().st_size,
                    PlainPart(made),
                    TARGET,
                    Event(),
                    wishes=TagWishes(),
                )
                if not isinstance(found, Converted):
                    raise SystemExit(found.why)

        def theirs() -> None:
            codec = ("-c:a", TARGET.codec.encoder, "-b:a", f"{TARGET.kbits}k", "-threads", "1")
            for _ in range(TRACKS):
                _run(programs.ffmpeg, "-i", str(source), *codec, str(bare))
                _run(programs.ffmpeg, "-i", str(bare), "-f", "null", "-")

        rounds = [(_cost(theirs), _cost(ours)) for _ in range(ROUNDS)]
    return Conversion(
        cpu=median(ours[1] / theirs[1] for theirs, ours in rounds),
        wall=median(ours[0] / theirs[0] for theirs, ours in rounds),
    )


def _cost(act: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds that it takes, and its CPU seconds with those of its programs."""
    began, before = time.perf_counter(), _cpu()
    act()
    return time.perf_counter() - began, _cpu() - before


def _cpu() -> float:
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _run(program: str, *words: str) -> None:
    subprocess.run([program, *QUIET, *words], check=True)
