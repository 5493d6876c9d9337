"""Finds ffmpeg and ffprobe on this machine, and the formats that they can make."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sidecar.domain.formats.films import FilmFormat
from sidecar.domain.formats.formats import CODECS, Format
from sidecar.errors import SidecarError
from sidecar.messages import msg

ASK_WITHIN_S = 20.0
# Without the picture's, a hardware encoder would have nothing to fall back to.
FILM_ENCODERS = ("libx264", "aac")


class NoConverter(SidecarError):
    """A format cannot be made here; `str()` says why and what helps."""


@dataclass(frozen=True, slots=True)
class Programs:
    """The paths of ffmpeg and ffprobe.

    Attributes:
        encoders: ffmpeg's encoders, by its names; some may need hardware that is not there.
    """

    ffmpeg: str
    ffprobe: str
    encoders: frozenset[str]

    def check(self, wanted: Format | FilmFormat) -> None:
        """Check that a format can be made.

        Raises:
            NoConverter: ffmpeg has no encoder for it.
        """
        needed = FILM_ENCODERS if isinstance(wanted, FilmFormat) else (CODECS[wanted].encoder,)
        for encoder in needed:
            if encoder in self.encoders:
                continue
            raise NoConverter(
                msg(
                    "{program} has no encoder {encoder}: install an ffmpeg that has, or "
                    "choose another format",
                    program=self.ffmpeg,
                    encoder=encoder,
                )
            )


def find_programs(named: str) -> Programs:
    """Find ffmpeg, and ffprobe beside it or on the path.

    Args:
        named: ffmpeg's name or path.

    Raises:
        NoConverter: One of them is not installed, or does not answer as expected.
    """
    ffmpeg = shutil.which(named)
    if ffmpeg is None:
        raise NoConverter(
            msg(
                "{program} is not installed: install the package ffmpeg, name the program "
                'in transfer.ffmpeg, or set format = "original"',
                program=named,
            )
        )
    beside = Path(ffmpeg).with_name(Path(ffmpeg).name.replace("ffmpeg", "ffprobe"))
    ffprobe = shutil.which(str(beside)) or shutil.which("ffprobe")
    if ffprobe is None:
        raise NoConverter(
            msg("ffprobe is not there beside {program}: install the package ffmpeg", program=ffmpeg)
        )
    return Programs(ffmpeg, ffprobe, _list_encoders(ffmpeg))


def _list_encoders(ffmpeg: str) -> frozenset[str]:
    try:
        listed = subprocess.run(  # noqa: S603 - the program that the operator named
            [ffmpeg, "-hide_banner", "-nostdin", "-encoders"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=ASK_WITHIN_S,
        ).stdout.decode(errors="replace")
    except (OSError, subprocess.SubprocessError) as error:
        raise NoConverter(
            msg("{program} does not answer as ffmpeg does", program=ffmpeg)
        ) from error
    return frozenset(words[1] for line in listed.splitlines() if len(words := line.split()) > 1)
