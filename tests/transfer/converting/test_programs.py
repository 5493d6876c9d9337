from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.clock import SystemClock
from sidecar.domain.formats.films import FilmFormat
from sidecar.domain.formats.formats import CODECS, Format
from sidecar.transfer.converting.availability import ConverterAvailability
from sidecar.transfer.converting.programs import NoConverter, Programs, find_programs


def pretend(folder: Path, name: str, says: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)
    return str(path)


def test_this_machines_ffmpeg_can_make_every_format(programs: Programs) -> None:
    for wanted in CODECS:
        programs.check(wanted)
    programs.check(FilmFormat.HD)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoConverter, match=r"nothing-here is not installed: .* package ffmpeg"):
        find_programs(str(tmp_path / "nothing-here"))


def test_an_ffmpeg_without_the_encoder_is_refused_for_that_format(tmp_path: Path) -> None:
    named = pretend(tmp_path, "ffmpeg", "echo ' A....D libmp3lame LAME'")
    pretend(tmp_path, "ffprobe", "true")

    workshop = ConverterAvailability(named, SystemClock())

    workshop.check(Format.MP3)
    workshop.check(Format.ORIGINAL)
    workshop.check(FilmFormat.ORIGINAL)
    with pytest.raises(NoConverter, match="has no encoder libopus"):
        workshop.check(Format.OPUS)
    with pytest.raises(NoConverter, match="has no encoder libx264"):
        workshop.check(FilmFormat.HD)


def test_a_program_that_is_no_ffmpeg_is_refused(tmp_path: Path) -> None:
    named = pretend(tmp_path, "ffmpeg", "exit 3")
    pretend(tmp_path, "ffprobe", "true")

    with pytest.raises(NoConverter, match="does not answer as ffmpeg does"):
        find_programs(named)


def test_ffmpeg_that_is_installed_later_is_found(tmp_path: Path, programs: Programs) -> None:
    workshop = ConverterAvailability(str(tmp_path / "ffmpeg"), SystemClock())
    assert workshop.converter() is None

    (tmp_path / "ffmpeg").symlink_to(programs.ffmpeg)

    assert workshop.converter() is not None
    workshop.check(Format.OPUS)
