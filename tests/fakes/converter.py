"""A converter that needs no ffmpeg.

Unlike the real one it makes the first half of a file of any file, knows nothing of sound, and
leaves alone what it is told to. It keeps the promises to its caller: a synced part file with its
hash, or a sentence, or `Stopped` with whatever lay in the part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import xxhash

from sidecar.domain.formats.formats import Target
from sidecar.errors import Stopped
from sidecar.transfer.converting.converter import Converted, LeftAsIs
from sidecar.transfer.engine import PartTarget
from sidecar.transfer.tagging.wishes import TagWishes


@dataclass
class HalvingConverter:
    """Makes halves.

    Attributes:
        begins: Called with the path of each source before it is read.
    """

    leave: str | None = None
    asked: list[Target] = field(default_factory=list)
    begins: Callable[[Path], object] = lambda _source: None
    meanwhile: Callable[[], object] = lambda: None

    def convert(
        self,
        source: PartTarget,
        size: int,
        into: PartTarget,
        target: Target,
        stop: Event,
        *,
        wishes: TagWishes,
    ) -> Converted | LeftAsIs:
        self.asked.append(target)
        self.begins(source.path)
        with source.open() as original, into.open() as result:
            made = original.read(size // 2)
            result.truncate(0)
            result.write(made)
        self.meanwhile()
        if stop.is_set():
            raise Stopped("asked to stop")
        if self.leave is not None:
            return LeftAsIs(self.leave)
        return Converted(len(made), xxhash.xxh3_128_hexdigest(made))
