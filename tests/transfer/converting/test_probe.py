"""How long a sound is, where its container does not say it for sure: its packets are counted."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from sidecar.clock import SystemClock
from sidecar.domain.formats.formats import (
    AudioProperties,
    Format,
    Target,
    explain_unconverted,
    sample_rate,
)
from sidecar.transfer.converting.probe import ProbedSound, probe_sound
from sidecar.transfer.converting.programs import Programs
from tests.fakes.media.sounds import ffmpeg


def probed(programs: Programs, path: Path) -> ProbedSound:
    with path.open("rb", buffering=0) as file:
        return probe_sound(
            programs.ffprobe, file, size=path.stat().st_size, clock=SystemClock(), stop=Event()
        )


def test_a_variable_bitrate_without_a_header_is_not_taken_for_its_first_frame(
    programs: Programs, tmp_path: Path
) -> None:
    """Silence, then noise: by its first frame it would be several times as long and as small."""
    path = tmp_path / "vbr.mp3"
    silence, noise = "anullsrc=r=44100:d=2", "anoisesrc=r=44100:d=8:seed=7:a=0.8"
    both = f"{silence}[a];{noise}[b];[a][b]concat=n=2:v=0:a=1"
    ffmpeg("-f", "lavfi", "-i", both, "-q:a", "0", "-write_xing", "0", str(path))

    sound = probed(programs, path).sound

    assert sound.seconds == pytest.approx(10, abs=0.2)
    assert sound.bitrate == pytest.approx(path.stat().st_size * 8 / 10, rel=0.05)
    assert explain_unconverted(sound, Target(Format.OPUS, 64)) is None


@pytest.mark.parametrize("kind", ["aac", "ac3"])
def test_frames_without_a_container_are_counted(
    programs: Programs, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / f"raw.{kind}"
    silence, noise = "anullsrc=r=44100:d=4", "anoisesrc=r=44100:d=6:seed=7:a=0.8"
    both = f"{silence}[a];{noise}[b];[a][b]concat=n=2:v=0:a=1"
    ffmpeg("-f", "lavfi", "-i", both, "-c:a", kind, "-b:a", "128k", str(path))

    assert probed(programs, path).sound.seconds == pytest.approx(10, abs=0.2)


def test_a_flac_that_was_made_on_the_fly_is_counted(programs: Programs, tmp_path: Path) -> None:
    path = tmp_path / "stream.flac"
    source = "anoisesrc=duration=3:seed=7:sample_rate=44100"
    ffmpeg("-f", "lavfi", "-i", source, str(path))
    whole = bytearray(path.read_bytes())
    # The number of samples in STREAMINFO: 36 bits, 0 for "not known".
    whole[21] &= 0xF0
    whole[22:26] = bytes(4)
    path.write_bytes(whole)

    assert probed(programs, path).sound.seconds == pytest.approx(3, abs=0.2)


@pytest.mark.parametrize(
    ("rate", "made"),
    [
        *((96_000, 48_000), (192_000, 48_000), (88_200, 44_100), (176_400, 44_100)),
        *((352_800, 44_100), (48_000, None), (44_100, None), (8_000, None), (0, None)),
    ],
)
def test_more_samples_than_players_take_become_fewer(rate: int, made: int | None) -> None:
    sound = AudioProperties(codec="flac", bitrate=None, seconds=1, channels=2, size=1, rate=rate)

    assert sample_rate(sound) == made
