"""Tables and rows to begin with."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sidecar.domain.downloads.download import Download
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.store.database import Database
from sidecar.store.downloads.insert import FilePlace, NewDownload
from sidecar.store.downloads.queue import Downloads
from tests.fakes.clock import START, FakeClock

STICK = "5d9c1c1e-1f3a-4c8e-9f5e-0d4a6b0f7a11"
CARD = "a3b1e0aa-77f0-4b1f-8d0e-2f1f0c6f9b22"
ANN = "a" * 32
BEN = "b" * 32
BEGIN = START
HASH = "0123456789abcdef" * 2
TIMED_OUT = Failure(FailureClass.TRANSIENT, "timed-out", "The server did not answer in time")


def with_tables(path: Path) -> Path:
    """Put a database without rows there, unless there is one; to make it anew takes long."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(_tables())
    return path


@cache
def _tables() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sidecar.db"
        Database.open(path, clock=FakeClock()).close()
        return path.read_bytes()


def item_id(number: int) -> str:
    return f"{number:032x}"


def track(number: int, *, size: int | None = 1000) -> Item:
    return Item(
        id=item_id(number),
        type=ItemType.AUDIO,
        title=f"Track {number}",
        artist="Björk",
        album="Début",
        album_id=item_id(10_000_000 + number // 10),
        size=size,
        source_etag="etag-1",
    )


def wanted(
    number: int,
    *,
    device: str = STICK,
    user: str = ANN,
    priority: int = 0,
    path: str | None = None,
    size: int = 1000,
) -> NewDownload:
    place = path or f"Björk/Début/{number} - Track.flac"
    return NewDownload(
        item=track(number, size=size),
        device_id=device,
        user_id=user,
        places=[FilePlace(place, place.casefold())],
        priority=priority,
    )


def queued(downloads: Downloads, asked: NewDownload) -> Download:
    """Return the download of an item on a device; it is queued if there is none."""
    there = downloads.queries.by_item(asked.device_id, asked.item.id)
    return there or downloads.queue.add_all([asked])[0]
