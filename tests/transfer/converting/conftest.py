from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import BinaryIO

import pytest

from sidecar.clock import SystemClock
from sidecar.domain.formats.formats import Format, Target
from sidecar.transfer.converting.converter import Converted, Converter, LeftAsIs
from sidecar.transfer.converting.programs import Programs, find_programs
from sidecar.transfer.tagging.wishes import TagWishes


@dataclass(frozen=True)
class PlainPart:
    """A part file in any folder; the real one is reached through its device."""

    path: Path

    def open(self) -> BinaryIO:
        self.path.touch()
        return self.path.open("r+b", buffering=0)


@dataclass
class Bench:
    """A converter with a folder."""

    programs: Programs
    folder: Path
    stop: Event
    wishes: TagWishes = field(default_factory=TagWishes)

    def convert(self, source: Path, target: Target) -> Converted | LeftAsIs:
        converter = Converter(self.programs, SystemClock())
        size = source.stat().st_size
        return converter.convert(
            PlainPart(source), size, PlainPart(self.result), target, self.stop, wishes=self.wishes
        )

    @property
    def result(self) -> Path:
        return self.folder / "17.converted"

    def make(self, source: Path, wanted: Format, kbits: int = 128) -> Path:
        """Convert, and give the result the name that mutagen knows it by."""
        target = Target(wanted, kbits)
        made = self.convert(source, target)
        assert isinstance(made, Converted), made
        assert made.size == self.result.stat().st_size < source.stat().st_size
        return self.result.rename(self.folder / f"result.{target.codec.extension}")


@pytest.fixture(scope="session")
def programs() -> Programs:
    return find_programs("ffmpeg")


@pytest.fixture
def bench(programs: Programs, tmp_path: Path) -> Bench:
    return Bench(programs, tmp_path, Event())
