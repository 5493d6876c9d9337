"""What the tests of several decisions are about."""

from __future__ import annotations

from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.items.item import Item, ItemType
from tests.fakes.clock import START

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
ROW = Download(
    id=1,
    item_id="1" * 32,
    device_id="stick",
    user_id="a" * 32,
    status=Status.COMPLETED,
    title="Tone 1",
    item_type="Audio",
    artist=None,
    album=None,
    album_id=None,
    image_item_id=None,
    image_tag=None,
    source_etag=None,
    file_path="Tone 1.flac",
    file_size=None,
    mime_type=None,
    expected_size=None,
    bytes_downloaded=0,
    validator=None,
    finalizing=False,
    priority=0,
    error_code=None,
    error_message=None,
    retry_count=0,
    retry_next_at=None,
    queued_at=START,
    started_at=None,
    completed_at=None,
    last_used_seq=0,
    content_hash=None,
    format="original",
)
