"""What the tests of several decisions are about."""

from __future__ import annotations

from sidecar.domain.items.item import Item, ItemType

TONE = Item(
    id="1" * 32,
    type=ItemType.AUDIO,
    title="Tone 1",
    artist="Ann, Ben",
    album="Light",
    album_artist="Ann",
    number=1,
    disc=1,
    year=2019,
    seconds=27.0,
    extension="flac",
    size=1000,
    source_etag="e1",
    source_path="/media/Ann/Light/01 Tone.flac",
)
SONG = Item(
    id="1" * 32,
    type=ItemType.AUDIO,
    title="Song",
    artist="Duo",
    album="Twin",
    album_id="aaaaaaaa" + "0" * 24,
    year=2001,
    number=1,
    extension="flac",
)
