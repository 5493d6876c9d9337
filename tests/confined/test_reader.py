from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from mutagen.id3 import ID3, TIT2

from sidecar.confined.limits import Limits
from sidecar.confined.reader import LIMITS, ConfinedReader
from sidecar.confined.tags import LONGEST, FoundTags, tags_in
from tests.confined.test_pictures import a_picture
from tests.fakes.media.tagged import FRAME, mp3

MEGABYTE = 1024 * 1024


@pytest.fixture
def reader() -> Iterator[ConfinedReader]:
    with ConfinedReader() as reader:
        yield reader


def written(place: Path, content: bytes) -> Path:
    place.write_bytes(content)
    return place


def nested(levels: int) -> bytes:
    """An MP4 whose boxes lie in one another."""
    inside = b""
    for _ in range(levels):
        inside = (len(inside) + 8).to_bytes(4, "big") + b"moov" + inside
    return b"\0\0\0\x14ftypM4A \0\0\0\0M4A " + inside


def packed(size: int) -> bytes:
    """An MP3 whose title is a few bytes that become very many."""
    text = b"\x03" + b"a" * size
    body = size.to_bytes(4, "big") + zlib.compress(text, 9)
    frame = b"TIT2" + len(body).to_bytes(4, "big") + b"\x00\x80" + body
    digits = [len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0)]
    return b"ID3\x03\x00\x00" + bytes(digits) + frame + FRAME * 80


def test_one_child_serves_many_files_and_no_other_descriptor_is_left_open(
    reader: ConfinedReader, tmp_path: Path
) -> None:
    before = len([*Path("/proc/self/fd").iterdir()])
    found = []
    for number in range(30):
        path = written(tmp_path / f"{number}.mp3", mp3(f"Tone {number}", "Ann", "Light", "7"))
        with path.open("rb") as file:
            found.append(reader.tags(file))

    assert [one.title for one in found] == [f"Tone {number}" for number in range(30)]
    assert len([*Path("/proc/self/fd").iterdir()]) <= before + 2


def test_what_is_deep_is_no_tags(reader: ConfinedReader, tmp_path: Path) -> None:
    with written(tmp_path / "a.m4a", nested(3000)).open("rb") as file:
        assert reader.tags(file) == FoundTags()


def test_what_unpacks_to_more_than_the_child_may_have_is_no_tags(
    tmp_path: Path,
) -> None:
    small = Limits(nice=0, most_bytes=0, most_memory=128 * MEGABYTE)
    with ConfinedReader(limits=small) as reader:
        with written(tmp_path / "a.mp3", packed(130 * MEGABYTE)).open("rb") as file:
            assert reader.tags(file).title is None
        with written(tmp_path / "b.mp3", mp3("Tone")).open("rb") as file:
            assert reader.tags(file).title == "Tone", "the next one is read"


def test_texts_are_cut_where_no_name_is_as_long(tmp_path: Path) -> None:
    tags = ID3()  # type: ignore[no-untyped-call]
    tags.add(TIT2(encoding=3, text=["a" * 100_000, "b" * 100_000]))  # type: ignore[no-untyped-call]
    head = io.BytesIO()
    tags.save(head)

    with written(tmp_path / "a.mp3", head.getvalue() + FRAME * 80).open("rb") as file:
        title = tags_in(file).title

    assert title is not None
    assert len(title) == LONGEST


def test_a_reader_that_dies_costs_one_file(tmp_path: Path) -> None:
    with ConfinedReader() as reader:
        good = written(tmp_path / "a.mp3", mp3("Tone"))
        with good.open("rb") as file:
            assert reader.tags(file).title == "Tone"
        child = reader._child
        assert child is not None
        child.kill()
        child.wait()
        with good.open("rb") as file:
            assert reader.tags(file).title == "Tone", "what it had not begun is read by another one"


def test_a_reader_without_memory_or_time_says_nothing(tmp_path: Path) -> None:
    good = written(tmp_path / "a.mp3", mp3("Tone"))
    little = Limits(nice=0, most_bytes=0, most_memory=8 * MEGABYTE)
    with ConfinedReader(limits=little) as reader, good.open("rb") as file:
        assert reader.tags(file) == FoundTags()
    with ConfinedReader(answer_within_s=0.0) as reader, good.open("rb") as file:
        assert reader.tags(file) == FoundTags()


def test_a_child_ends_with_its_reader(tmp_path: Path) -> None:
    reader = ConfinedReader()
    with written(tmp_path / "a.mp3", mp3("Tone")).open("rb") as file:
        reader.tags(file)
    child = reader._child
    assert child is not None

    reader.close()

    assert child.returncode is not None


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_covers_are_made_by_the_child_as_well(reader: ConfinedReader, form: str) -> None:
    made = reader.cover(a_picture(form), most=320)

    assert made is not None
    assert made.startswith(b"\xff\xd8")
    assert reader.cover(b"<html>", most=320) is None
    assert reader.cover(a_picture(form)[:60], most=320) is None


def test_the_child_may_write_no_file_and_has_little_memory() -> None:
    assert LIMITS.most_bytes == 0
    assert LIMITS.most_memory <= 512 * MEGABYTE
