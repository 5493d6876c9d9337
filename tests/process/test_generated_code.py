from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path

import pytest

from sidecar.process import generated_code


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Python keeps its bytecode in a folder of this test, which is returned."""
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    generated_code.forget()
    yield tmp_path
    generated_code.forget()


def start() -> type:
    """Load a module as a start does."""
    generated_code.forget()
    with generated_code.reusing():

        @dataclass(frozen=True, slots=True)
        class Track:
            title: str
            number: int = 1

    return Track


def files(place: Path) -> list[Path]:
    return [one for one in place.rglob("*") if one.is_file()]


def check(track: type) -> None:
    one = track("Reeds", 2)
    assert one == track("Reeds", 2) != track("Reeds")
    assert repr(one).endswith("Track(title='Reeds', number=2)")
    assert len({one, track("Reeds", 2)}) == 1
    with pytest.raises(FrozenInstanceError):
        one.title = "Rushes"


def test_a_later_start_compiles_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check(start())
    [kept] = files(place)
    before = kept.stat()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it is compiled again")

    monkeypatch.setitem(vars(generated_code), "compile", refuse)
    check(start())

    # When it was read is not compared: reading may change that.
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert not hasattr(dataclasses, "exec")


@pytest.mark.parametrize("length", [0, 20, 100])
def test_a_file_that_is_not_whole_is_written_anew(place: Path, length: int) -> None:
    start()
    [kept] = files(place)
    whole = kept.read_bytes()
    for damaged in (whole[:length], whole[:-1] + bytes([whole[-1] ^ 1])):
        kept.write_bytes(damaged)

        check(start())

        assert files(place) == [kept]
        assert kept.stat().st_size == len(whole)


def test_nothing_is_kept_where_nothing_can_or_may_be_written(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    check(start())
    assert not files(place)

    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", "/proc/nobody")
    check(start())
    monkeypatch.setattr(sys.implementation, "cache_tag", None)
    check(start())
