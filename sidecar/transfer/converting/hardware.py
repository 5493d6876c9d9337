"""Finds the encoder for the pictures of films: hardware that proves it works here, or libx264.

That ffmpeg lists an encoder says nothing: most need a card and a driver. So each one makes a few
frames first, which must decode without an error.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock

from sidecar.clock import Clock
from sidecar.transfer.converting.programs import Programs
from sidecar.transfer.converting.subprocess import ChildFailed, get_inherited_path, run

log = logging.getLogger(__name__)

TRY_WITHIN_S = 20.0
MOST_THREADS = 4
RENDERER = Path("/dev/dri/renderD128")
_QUIET = ("-nostdin", "-hide_banner", "-loglevel", "error", "-y")


@dataclass(frozen=True, slots=True)
class FilmEncoder:
    """An encoder of H.264.

    Attributes:
        name: ffmpeg's name of it.
        filters: What comes last before it: the pixels that it takes, and where it takes them from.
        device: Arguments before the input.
        needs: A file without which it is not tried; None if it needs none.
    """

    name: str
    filters: str = "format=yuv420p"
    device: tuple[str, ...] = ()
    needs: Path | None = None

    def arguments(self, kbits: int) -> list[str]:
        """Return the arguments for a bitrate in kbit/s."""
        words = ["-c:v", self.name, "-maxrate", f"{kbits}k", "-bufsize", f"{2 * kbits}k"]
        if self.name != SOFTWARE.name:
            return [*words, "-b:v", f"{kbits}k"]
        threads = min(MOST_THREADS, os.cpu_count() or 1)
        words += ["-preset", "veryfast", "-crf", "22", "-profile:v", "high"]
        return [*words, "-threads", str(threads)]


SOFTWARE = FilmEncoder("libx264")
HARDWARE = (
    FilmEncoder("h264_nvenc"),
    FilmEncoder("h264_qsv", "format=nv12", needs=RENDERER),
    FilmEncoder(
        "h264_vaapi", "format=nv12,hwupload", ("-vaapi_device", str(RENDERER)), needs=RENDERER
    ),
    FilmEncoder("h264_videotoolbox"),
    FilmEncoder("h264_v4l2m2m"),
)


class FilmEncoders:
    """Chooses the encoder once, when the first film is converted. Thread-safe."""

    def __init__(
        self, programs: Programs, clock: Clock, hardware: Sequence[FilmEncoder] = HARDWARE
    ) -> None:
        self._programs = programs
        self._hardware = hardware
        self._clock = clock
        self._lock = Lock()
        self._chosen: FilmEncoder | None = None

    def choose(self, stop: Event) -> FilmEncoder:
        """Return the best encoder that works here.

        Raises:
            errors.Stopped: `stop` was set.
        """
        with self._lock:
            if self._chosen is None:
                working = (one for one in self._hardware if self._works(one, stop))
                self._chosen = next(working, SOFTWARE)
                log.info("films are converted by %s", self._chosen.name)
            return self._chosen

    def distrust(self, encoder: FilmEncoder) -> None:
        """Use no hardware any more, after it could not make a film."""
        with self._lock:
            if self._chosen == encoder != SOFTWARE:
                log.warning("%s failed: films are converted by %s", encoder.name, SOFTWARE.name)
                self._chosen = SOFTWARE

    def _works(self, encoder: FilmEncoder, stop: Event) -> bool:
        if encoder.name not in self._programs.encoders:
            return False
        if encoder.needs is not None and not encoder.needs.exists():
            return False
        source = ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=0.4"]
        with tempfile.TemporaryFile() as made:
            into = get_inherited_path(made)
            encode = [*_QUIET, *encoder.device, *source, "-vf", encoder.filters]
            encode += [*encoder.arguments(500), "-f", "mp4", into]
            decode = [*_QUIET, "-xerror", "-i", into, "-map", "0:v:0", "-f", "null", "-"]
            try:
                for words in (encode, decode):
                    said = run(
                        [self._programs.ffmpeg, *words],
                        files=[made],
                        clock=self._clock,
                        stop=stop,
                        limit_s=TRY_WITHIN_S,
                    )
                    if said.code != 0 or (words is decode and said.complaints.strip()):
                        log.debug("%s does not work here: %s", encoder.name, said.last_words)
                        return False
            except ChildFailed as failed:
                log.debug("%s does not work here: %s", encoder.name, failed)
                return False
            return True
