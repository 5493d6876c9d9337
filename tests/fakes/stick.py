"""A stick with a page of its own: real files, whose content nobody minds."""

from __future__ import annotations

import struct
import wave
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from sidecar.domain.files.catalogue import ListedFile, group_works
from sidecar.services.files.generated_files.index_page import page

NAME = "Offline library.html"
EVIL = "</script><script>window.evil = 1</script><img src=x onerror='window.evil = 1'>\u2028\"&amp;"


@dataclass
class PaintedStick:
    """Unlike a device it holds no marker, and its page is written at once, not renamed."""

    root: Path
    name: str = "Car stick"
    files: list[ListedFile] = field(default_factory=list)

    def add(
        self, path: str, title: str, *, artist: str = "", album: str = "", kind: str = "Audio"
    ) -> None:
        """Put a file there: a second of silence if it is a .wav, else a byte."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith(".wav"):
            with wave.open(str(place), "wb") as sound:
                sound.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
                sound.writeframes(bytes(16_000))
        else:
            place.write_bytes(b"?")
        self.files.append(
            ListedFile(
                path=path,
                title=title,
                artist=artist or None,
                album=album or None,
                kind=kind,
                size=5_000_000,
            )
        )

    def cover(self, folder: str) -> None:
        """Put a small red picture there."""
        (self.root / folder / "cover.png").write_bytes(_red_png())

    def paint(self) -> str:
        """Write the page; return its address."""
        found = group_works(self.files)
        places = {place for one in found for place in one.cover_places}
        there = {place for place in places if (self.root / place).exists()}
        (self.root / NAME).write_bytes(page(self.name, found, there=there))
        return (self.root / NAME).as_uri()


def _red_png() -> bytes:
    rows = b"".join(b"\0" + b"\xc0\x20\x20" * 8 for _ in range(8))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
