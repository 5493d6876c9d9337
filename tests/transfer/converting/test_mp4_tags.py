from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sidecar.transfer.converting import mp4_tags
from tests.fakes.mutagens import MP4
from tests.fakes.sounds import CHAPTERS, cover, ffmpeg, sound

LONG = {"title": "Another", "REPLAYGAIN_TRACK_GAIN": "-6.50 dB", "Späte Notiz": "ä" * 200_000}


def album_track(folder: Path, *how: str) -> Path:
    """An MP4 file with chapters and a cover, made by ffmpeg."""
    flac = sound(folder / "in.flac", tags={"title": "Tone", **CHAPTERS})
    made = folder / "made.m4a"
    picture = str(cover(folder / "cover.jpg"))
    maps = ["-map", "0:a", "-map", "1:v", "-c:v", "copy", "-disposition:v:0", "attached_pic"]
    ffmpeg("-i", str(flac), "-i", picture, *maps, "-c:a", "aac", *how, str(made))
    return made


def probe(path: Path) -> dict[str, Any]:
    command = ["ffprobe", "-loglevel", "error", "-of", "json", "-show_format", "-show_chapters"]
    said = subprocess.run([*command, str(path)], check=True, capture_output=True, timeout=60)
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def sound_and_picture(path: Path) -> bytes:
    """What a player makes of it, as checksums."""
    command = ["ffmpeg", "-xerror", "-loglevel", "error", "-i", str(path), "-map", "0:a"]
    command += ["-map", "0:v", "-f", "streamhash", "-"]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


@pytest.mark.parametrize("how", [(), ("-movflags", "+faststart")], ids=["index last", "first"])
def test_added_tags_leave_sound_cover_and_chapters_as_they_were(
    tmp_path: Path, how: tuple[str, ...]
) -> None:
    made = album_track(tmp_path, *how)
    before, played = probe(made), sound_and_picture(made)
    size = made.stat().st_size

    with made.open("r+b", buffering=0) as file:
        mp4_tags.add(file, LONG)

    after = probe(made)
    tags = after["format"]["tags"]
    assert made.stat().st_size > size + 400_000
    assert sound_and_picture(made) == played
    assert after["chapters"] == before["chapters"] != []
    assert tags["title"] == "Tone"  # which ffmpeg has written
    assert tags["REPLAYGAIN_TRACK_GAIN"] == "-6.50 dB"
    assert tags["Späte Notiz"] == "ä" * 200_000
    assert bytes(MP4(made)["----:com.apple.iTunes:REPLAYGAIN_TRACK_GAIN"][0]) == b"-6.50 dB"


def test_a_file_without_any_tags_gets_a_place_for_them(tmp_path: Path) -> None:
    made = sound(tmp_path / "bare.m4a", "-map_metadata", "-1", "-empty_hdlr_name", "1")

    with made.open("r+b", buffering=0) as file:
        mp4_tags.add(file, {"isrc": "DE1"})

    assert probe(made)["format"]["tags"]["isrc"] == "DE1"


def test_a_file_that_is_no_mp4_stays_as_it_is(tmp_path: Path) -> None:
    odd = tmp_path / "odd.m4a"
    odd.write_bytes(b"not an MP4 file at all")

    with odd.open("r+b", buffering=0) as file, pytest.raises(mp4_tags.NotAnMp4):
        mp4_tags.add(file, LONG)

    assert odd.read_bytes() == b"not an MP4 file at all"


def test_what_the_device_refuses_is_no_fault_of_the_file(tmp_path: Path) -> None:
    made = album_track(tmp_path)

    with made.open("rb", buffering=0) as file, pytest.raises(OSError, match="Bad file descriptor"):
        mp4_tags.add(file, LONG)
