from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.confined.reader import ConfinedReader
from sidecar.device.folder import DeviceFolder
from sidecar.device.foreign.tags import read_tags
from sidecar.domain.adoption.matching import Tags
from sidecar.errors import DeviceError
from tests.fakes.media.tagged import mp3

FFMPEG = shutil.which("ffmpeg")


@pytest.fixture(scope="module")
def reader() -> Iterator[ConfinedReader]:
    with ConfinedReader() as reader:
        yield reader


def test_a_file_says_what_it_is(folder: DeviceFolder, root: Path, reader: ConfinedReader) -> None:
    (root / "a.mp3").write_bytes(mp3("Glósóli", "Sigur Rós", "Takk...", "3/11", seconds=2.0))

    tags = read_tags(folder, "a.mp3", reader)

    assert (tags.title, tags.artist, tags.album, tags.number) == (
        "Glósóli",
        "Sigur Rós",
        "Takk...",
        3,
    )
    assert tags.seconds == pytest.approx(2.0, abs=0.1)


@pytest.mark.skipif(FFMPEG is None, reason="needs ffmpeg")
@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.opus", "a.m4a", "a.mp3"])
def test_the_usual_kinds_are_read(
    folder: DeviceFolder, root: Path, reader: ConfinedReader, name: str
) -> None:
    asked = [FFMPEG or "", "-v", "error", "-f", "lavfi", "-i", "sine=duration=2"]
    facts = {"title": "Tone", "artist": "Ann", "album": "Light", "album_artist": "B", "track": "7"}
    for key, value in facts.items():
        asked += ["-metadata", f"{key}={value}"]
    subprocess.run([*asked, "-strict", "-2", str(root / name)], check=True)

    tags = read_tags(folder, name, reader)

    assert tags.seconds == pytest.approx(2.0, abs=0.2)
    assert (tags.title, tags.artist, tags.album, tags.number) == ("Tone", "Ann", "Light", 7)


def test_a_file_without_tags_says_nothing(
    folder: DeviceFolder, root: Path, reader: ConfinedReader
) -> None:
    (root / "a.mp3").write_bytes(b"not music")

    assert read_tags(folder, "a.mp3", reader) == Tags()


@settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.sampled_from(
        [b"ID3\x04\0\0", b"fLaC", b"OggS", b"\0\0\0\x20ftypM4A ", b"RIFF", b"MAC ", b""]
    ),
    st.binary(max_size=300),
)
def test_no_damage_is_worse_than_no_tags(
    folder: DeviceFolder, root: Path, reader: ConfinedReader, start: bytes, rest: bytes
) -> None:
    (root / "a").write_bytes(start + rest)

    assert isinstance(read_tags(folder, "a", reader), Tags)


def test_a_file_that_is_not_there_is_a_trouble_of_the_device(
    folder: DeviceFolder, reader: ConfinedReader
) -> None:
    with pytest.raises(DeviceError):
        read_tags(folder, "a.mp3", reader)
