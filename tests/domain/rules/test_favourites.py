from __future__ import annotations

from dataclasses import replace

import pytest

from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.rules.favourites import (
    FavouritesSettings,
    list_watched_types,
    make_reason,
    make_wishes,
)

TRACK = Item(id="1" * 32, type=ItemType.AUDIO, title="Tone 3")
ALBUM = Item(id="a" * 32, type=ItemType.ALBUM, title="First Light")


def test_a_favourite_track_is_wanted_on_each_device() -> None:
    found = list(
        make_wishes(make_reason(TRACK), [TRACK], user_id="ann", devices=["stick", "phone"])
    )

    assert [(one.device_id, one.item.id) for one in found] == [
        ("stick", TRACK.id),
        ("phone", TRACK.id),
    ]
    assert {one.reason.text for one in found} == {"your favourite"}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (ItemType.AUDIO, "your favourite"),
        (ItemType.ALBUM, "on your favourite album X"),
        (ItemType.ARTIST, "by your favourite artist X"),
        (ItemType.PLAYLIST, "on your favourite playlist X"),
        (ItemType.MOVIE, "your favourite"),
        (ItemType.SERIES, "of your favourite series X"),
        (ItemType.SEASON, "of your favourite season X"),
        (ItemType.COLLECTION, "in your favourite collection X"),
    ],
)
def test_the_reason_names_the_favourite(kind: ItemType, text: str) -> None:
    assert make_reason(Item(id="b" * 32, type=kind, title="X")).text == text


def test_the_tracks_of_an_album_are_wanted_because_of_the_album() -> None:
    (wish,) = make_wishes(make_reason(ALBUM), [TRACK], user_id="ann", devices=["stick"])

    assert (wish.item, wish.reason.source_id) == (TRACK, ALBUM.id)


def test_a_container_itself_is_never_wished_for() -> None:
    assert list(make_wishes(make_reason(ALBUM), [ALBUM], user_id="ann", devices=["stick"])) == []


SWITCHES = {
    "tracks": {ItemType.AUDIO},
    "albums": {ItemType.ALBUM},
    "artists": {ItemType.ARTIST},
    "playlists": {ItemType.PLAYLIST},
    "audiobooks": {ItemType.AUDIO_BOOK},
    "films": {ItemType.MOVIE, ItemType.VIDEO},
    "episodes": {ItemType.EPISODE},
    "seasons": {ItemType.SEASON},
    "series": {ItemType.SERIES},
    "music_videos": {ItemType.MUSIC_VIDEO},
    "collections": {ItemType.COLLECTION},
}


@pytest.mark.parametrize("name", SWITCHES)
def test_each_kind_of_heart_has_its_switch(name: str) -> None:
    none = replace(FavouritesSettings(), **dict.fromkeys(SWITCHES, False))  # type: ignore[arg-type]

    assert list_watched_types(none) == frozenset()
    assert list_watched_types(replace(none, **{name: True})) == SWITCHES[name]  # type: ignore[arg-type]


def test_all_kinds_of_hearts_count_unless_somebody_says_so() -> None:
    every = frozenset().union(*SWITCHES.values())

    assert list_watched_types(FavouritesSettings()) == every
