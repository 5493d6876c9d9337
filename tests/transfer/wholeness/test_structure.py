"""What is received is foreign: whatever bytes it holds, the inspection ends soon and says so."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Event
from time import thread_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.clock import SystemClock
from sidecar.domain.transfers.wholeness import Evidence, Wholeness, judge
from sidecar.transfer.wholeness.source import CannotTell, MediaFile
from sidecar.transfer.wholeness.structure import inspect
from tests.fakes.clock import FakeClock
from tests.fakes.media.kinds import KINDS

WITHIN_S = 5.0
PLACES = st.integers(0, 2**31)
EDITS = st.lists(
    st.tuples(st.sampled_from(["set", "drop", "double"]), PLACES, st.binary(max_size=12)),
    min_size=1,
    max_size=6,
)


def inspected(content: bytes, container: str) -> Evidence:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        source = MediaFile(file, clock=SystemClock(), stop=Event(), limit_s=60)
        return inspect(source, container)


def changed(content: bytes, edits: list[tuple[str, int, bytes]]) -> bytes:
    """Most edits go where the structure is: to the beginning."""
    result = bytearray(content)
    for what, where, value in edits:
        place = where % (512 if where % 2 else max(1, len(result)))
        if what == "set":
            result[place : place + len(value)] = value
        elif what == "drop":
            del result[place : place + 1 + where % 4096]
        else:
            result[place:place] = result[place : place + 1 + where % 4096]
    return bytes(result)


@pytest.mark.parametrize("name", sorted(KINDS))
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edits=EDITS, expected=st.none() | st.floats(allow_nan=True))
def test_no_change_to_a_file_raises_or_takes_long(
    media: Callable[[str], Path],
    name: str,
    edits: list[tuple[str, int, bytes]],
    expected: float | None,
) -> None:
    began = thread_time()

    found = inspected(changed(media(name).read_bytes()[:200_000], edits), name.partition(".")[2])

    assert isinstance(judge(found, expected), Wholeness)
    assert thread_time() - began < WITHIN_S


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=3000), container=st.sampled_from(["mp3", "aac", "mp4", ""]))
def test_no_bytes_raise(content: bytes, container: str) -> None:
    for begin in (b"", b"fLaC", b"OggS", b"RIFF0000WAVE", b"RIFF0000AVI ", b"FORM0000AIFF", b"ID3"):
        assert isinstance(inspected(begin + content, container), Evidence)
    for begin in (b"\x1a\x45\xdf\xa3", b"0000ftyp", bytes.fromhex("3026b2758e66cf11")):
        assert isinstance(inspected(begin + content, container), Evidence)


@pytest.mark.parametrize(
    "unit",
    [
        b"\xff\xfb",
        b"\xff\xf8\xc9\x18",
        b"OggS" + bytes(22) + b"\0",
        b"\0\0\0\x08free",
        b"\x47" + bytes(187),
        b"RIFF\0\0\0\0",
    ],
)
def test_what_is_made_to_take_long_does_not(unit: bytes) -> None:
    began = thread_time()

    for begin in (b"", b"fLaC\x80\0\0\x22" + bytes(10) + b"\x0a\xc4\x42\xf0" + bytes(20)):
        inspected(begin + unit * (4 * 1024 * 1024 // len(unit)), "mp3")

    assert thread_time() - began < 4 * WITHIN_S


def test_reads_end_at_their_limit() -> None:
    clock = FakeClock()
    with tempfile.TemporaryFile() as file:
        file.write(bytes(1000))
        file.flush()
        source = MediaFile(file, clock=clock, stop=Event(), limit_s=10)
        assert source.at(990, 20) == bytes(10)
        clock.advance(11)
        with pytest.raises(CannotTell, match="too long"):
            source.at(0, 10)
