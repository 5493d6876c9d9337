from __future__ import annotations

import json

import pytest

from sidecar.jellyfin.library.tags import as_tags
from sidecar.jellyfin.models import ITEM

TRACK = {
    "Id": "1" * 32,
    "Type": "Audio",
    "Name": "Café ß",
    "Artists": ["Anna; the First", "Bert"],
    "AlbumArtist": "All",
    "AlbumArtists": [{"Name": "Anna", "Id": "2" * 32}, {"Name": "Bert"}],
    "Album": "Light",
    "IndexNumber": 3,
    "ParentIndexNumber": 1,
    "ProductionYear": 1999,
    "Genres": ["Rock", "Pop"],
}


def tags(**changes: object) -> dict[str, tuple[str, ...]]:
    return as_tags(ITEM.validate_json(json.dumps({**TRACK, **changes})))


def test_everything_that_the_server_knows_is_told_each_value_apart() -> None:
    assert tags() == {
        "title": ("Café ß",),
        "artist": ("Anna; the First", "Bert"),
        "albumartist": ("Anna", "Bert"),
        "album": ("Light",),
        "tracknumber": ("3",),
        "discnumber": ("1",),
        "date": ("1999",),
        "genre": ("Rock", "Pop"),
    }


@pytest.mark.parametrize(
    ("changes", "left_out"),
    [
        ({"Name": None}, "title"),
        ({"Artists": []}, "artist"),
        ({"Artists": ["", None]}, "artist"),
        ({"IndexNumber": 0}, "tracknumber"),
        ({"ProductionYear": None}, "date"),
        ({"Genres": None}, "genre"),
        ({"AlbumArtists": [], "AlbumArtist": None}, "albumartist"),
    ],
)
def test_what_it_does_not_know_is_left_out(changes: dict[str, object], left_out: str) -> None:
    assert left_out not in tags(**changes)
    assert len(tags(**changes)) == len(tags()) - 1


def test_the_one_album_artist_stands_in_for_a_list() -> None:
    assert tags(AlbumArtists=[])["albumartist"] == ("All",)
