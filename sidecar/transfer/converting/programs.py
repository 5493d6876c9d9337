"""Finds ffmpeg and ffprobe on this machine, and the formats that they can make."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sidecar.domain.formats.formats import CODECS, Format
from sidecar.errors import SidecarError
from sidecar.messages import msg

ASK_WITHIN_S = 20.0


class NoConverter(SidecarError):
    """A format cannot be made here; `str()` says why and what helps."""


@dataclass(frozen=True, slots=True)
class Programs:
    """The paths of ffmpeg and ffprobe.

    Attributes:
        formats: The formats for which ffmpeg has an encoder.
    """

    ffmpeg: str
    ffprobe: str
    formats: frozenset[Format]

    def check(self, wanted: Format) -> None:
        """Check that a format can be made.

        Raises:
            NoConverter: ffmpeg has no encoder for it.
        """
        if wanted not in self.formats:
            encoder = CODECS[wanted].encoder
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
    return Programs(ffmpeg, ffprobe, _list_formats(ffmpeg))


def _list_formats(ffmpeg: str) -> frozenset[Format]:
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
    known = {words[1] for line in listed.splitlines() if len(words := line.split()) > 1}
    return frozenset(one for one, codec in CODECS.items() if codec.encoder in known)
