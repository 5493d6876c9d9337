"""Which finished files were made for which format."""

from __future__ import annotations

from dataclasses import replace

from sidecar.domain.formats.formats import ORIGINAL, TAGGED
from sidecar.domain.items.item import ItemType
from sidecar.store.database import Database
from sidecar.store.downloads.formats import FormatStore
from sidecar.store.downloads.queue import Downloads
from tests.store.downloads.test_sightings import complete
from tests.store.examples import CARD, STICK, track, wanted


def test_finished_files_are_found_by_their_format(db: Database, downloads: Downloads) -> None:
    formats = FormatStore(db)
    names = ("aac-96k", ORIGINAL, "sbc", ORIGINAL, TAGGED, "vorbis")
    made = dict(zip([one.id for one in complete(downloads, *range(1, 7))], names, strict=True))
    for download_id, name in made.items():
        formats.relabel([download_id], name)

    def others(name: str, or_this: str | None = None) -> list[str]:
        wanted = {CARD: ("sbc", None), STICK: (name, or_this)}
        found = formats.others(wanted)
        assert found.keys() == {STICK}
        return [one.format for one in found[STICK]]

    assert others(ORIGINAL) == ["aac-96k", "sbc", TAGGED, "vorbis"]
    assert others(TAGGED, ORIGINAL) == ["aac-96k", "sbc", "vorbis"]
    assert others("flac") == list(names)
    originals = [one for one, name in made.items() if name == ORIGINAL]
    assert formats.in_format(STICK, ORIGINAL) == originals


def test_what_waits_gets_the_formats_of_its_device(db: Database, downloads: Downloads) -> None:
    complete(downloads, 5)
    film = replace(track(3), type=ItemType.MOVIE)
    downloads.queue.add_all(
        [wanted(1), wanted(2, device=CARD), replace(wanted(3), item=film), wanted(4)]
    )
    formats = FormatStore(db)

    def now() -> dict[str, str]:
        rows = db.sql("SELECT item_id, format FROM downloads")
        return {item_id.lstrip("0"): name for item_id, name in rows}

    assert formats.align(STICK, "opus") == 2
    assert now() == {"1": "opus", "2": ORIGINAL, "3": ORIGINAL, "4": "opus", "5": ORIGINAL}
    assert formats.align(STICK, "aac-96k", "h264-720p") == 3
    assert now() == {
        "1": "aac-96k",
        "2": ORIGINAL,
        "3": "h264-720p",
        "4": "aac-96k",
        "5": ORIGINAL,
    }
    assert formats.align(STICK, "aac-96k", "h264-720p") == 0
