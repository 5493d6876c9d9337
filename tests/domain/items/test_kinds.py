from __future__ import annotations

import pytest

from sidecar.domain.items.item import ItemType
from sidecar.domain.items.kinds import TYPES, Kind, find_kind, kind_of
from sidecar.domain.items.media_types import UNKNOWN, guess_media_type, restrict_media_type


def test_every_kind_that_can_be_asked_for_has_jellyfin_s_name_and_ours() -> None:
    for kind, item_type in TYPES.items():
        assert find_kind(kind.upper()) is find_kind(f" {item_type} ") is kind_of(item_type) is kind
    nameless = {
        ItemType.OTHER,
        ItemType.FOLDER,
        ItemType.GENRE,
        ItemType.MUSIC_GENRE,
        ItemType.LIBRARY,
    }
    assert set(TYPES.values()) == set(ItemType) - nameless


@pytest.mark.parametrize(
    ("type_name", "kind"),
    [
        ("CollectionFolder", Kind.VIEW),
        ("Folder", Kind.FOLDER),
        ("Genre", Kind.GENRE),
        ("MusicGenre", Kind.GENRE),
        ("Person", Kind.OTHER),
        ("", Kind.OTHER),
    ],
)
def test_what_cannot_be_asked_for_by_kind_still_has_one(type_name: str, kind: Kind) -> None:
    assert kind_of(type_name) is kind
    assert find_kind(kind) is None


@pytest.mark.parametrize(
    ("name", "told", "found"),
    [
        ("01 - Tone.flac", "text/html", "audio/flac"),
        ("Tone.OPUS", "audio/flac", "audio/ogg"),
        ("Film.mkv", None, "video/x-matroska"),
        ("Tone.odd", "Audio/X-Odd; charset=utf-8", "audio/x-odd"),
        ("Tone.odd", "text/html", UNKNOWN),
        ("Tone.odd", "audio/x\r\nSet-Cookie: a", UNKNOWN),
        ("Tone", None, UNKNOWN),
    ],
)
def test_a_file_s_type_is_never_one_that_could_run(name: str, told: str | None, found: str) -> None:
    assert guess_media_type(name, told) == found


def test_what_a_server_says_is_taken_only_for_sound_and_video() -> None:
    assert restrict_media_type("image/svg+xml") == restrict_media_type(None) == UNKNOWN
    assert restrict_media_type(" video/MP4 ") == "video/mp4"
