"""A library of many tracks that is scanned again under new ids: what it costs.

Five hundred here, ten thousand in `make nightly` (SIDECAR_IDENTITY_TRACKS).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fakes.libraries.tiny import Entry, track
from tests.services.identity.house import moving_house

COUNT = int(os.environ.get("SIDECAR_IDENTITY_TRACKS", "500"))
IN_ALBUM = 12


def many(count: int) -> list[Entry]:
    """Return tracks in albums, a few of each artist."""
    return [
        track(
            f"Music/Artist {album // 10}/Album {album} (2001)",
            number % IN_ALBUM + 1,
            f"Song {number % 97} of {number}",
        )
        for number in range(count)
        for album in (number // IN_ALBUM,)
    ]


@pytest.mark.timeout(1200)
def test_a_library_scanned_again_is_fetched_by_nobody_and_costs_few_requests(
    tmp_path: Path,
) -> None:
    with moving_house(tmp_path, many(COUNT)) as house:
        before = house.items()
        house.fill(*before, rule="favourites")
        # Beside what each heart keeps, some albums were asked for as such.
        for album in {one.album_id or "" for one in before[:120]}:
            house.want(*(one for one in before if one.album_id == album), of=album)
        rows, holds = house.rows(), house.store.db.sql("SELECT count(*) FROM holds")
        house.rescan(media_root="/mnt/other")
        now = house.items()
        house.server.paths.clear()

        requests = house.look([one.id for one in now])

        assert requests <= COUNT / 100
        assert house.want(*now, rule="favourites") == 0
        after = house.rows()
        assert [(one.id, one.file_path, one.status) for one in after] == [
            (one.id, one.file_path, one.status) for one in rows
        ]
        assert {one.item_id for one in after} == {one.id for one in now}
        assert house.store.db.sql("SELECT count(*) FROM holds") == holds
        albums = {one.album_id for one in now}
        sources = house.store.db.sql("SELECT source_id FROM holds WHERE rule = 'pin'")
        assert {source for (source,) in sources} <= albums
        assert house.server.fetched == 0
