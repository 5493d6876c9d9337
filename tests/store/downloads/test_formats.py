"""Which finished files were made for which format."""

from __future__ import annotations

from sidecar.domain.formats.formats import ORIGINAL, TAGGED
from sidecar.store.database import Database
from sidecar.store.downloads.formats import FormatStore
from sidecar.store.downloads.queue import Downloads
from tests.store.downloads.test_sightings import complete
from tests.store.examples import STICK


def test_finished_files_are_found_by_their_format(db: Database, downloads: Downloads) -> None:
    formats = FormatStore(db)
    names = ("aac-96k", ORIGINAL, "sbc", ORIGINAL, TAGGED, "vorbis")
    made = dict(zip([one.id for one in complete(downloads, *range(1, 7))], names, strict=True))
    for download_id, name in made.items():
        formats.relabel([download_id], name)

    def others(*of: str) -> list[str]:
        return [one.format for one in formats.others(STICK, *of)]

    assert others(ORIGINAL) == ["aac-96k", "sbc", TAGGED, "vorbis"]
    assert others(TAGGED, ORIGINAL) == ["aac-96k", "sbc", "vorbis"]
    assert others("flac") == list(names)
    originals = [one for one, name in made.items() if name == ORIGINAL]
    assert formats.in_format(STICK, ORIGINAL) == originals
