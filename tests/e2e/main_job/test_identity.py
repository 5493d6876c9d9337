"""The server's ids change while the sidecar runs: nothing is fetched, a title renames its file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sidecar.demo.protocol.version import Version
from sidecar.demo.state.timing import Timing
from tests.e2e.conftest import TRACKS, Person, Sidecar, write_library
from tests.fakes.servers.slow_line import wait_until
from tests.services.identity.house import CountingServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """One that changes."""
    folder = tmp_path / "media"
    write_library(folder)
    return folder


@pytest.fixture
def jellyfin(library: Path) -> Iterator[CountingServer]:
    quick = Timing(user_data_s=0.2, library_changed_s=0.2)
    with CountingServer(library, speaks=Version.V12_0, timing=quick) as server:
        yield server


def test_a_library_scanned_again_under_new_ids_is_followed_at_once(
    running: Sidecar, ann: Person, jellyfin: CountingServer, library: Path, stick: Path
) -> None:
    ann.heart(ann.item("First Light", "MusicAlbum"))
    before = {title: running.wait_for(title, "completed") for title in TRACKS}
    fetched = jellyfin.fetched
    listing: dict[str, Any] = json.loads((library / "library.json").read_text())
    listing["media_root"] = "/mnt/other"
    listing["tracks"][0]["title"] = "Another Tone"
    (library / "library.json").write_text(json.dumps(listing))

    jellyfin.core.scan()

    items = ann.tracks()
    assert set(items.values()).isdisjoint({one["item_id"] for one in before.values()})

    def followed() -> bool:
        return {one["item_id"] for one in running.downloads()} == set(items.values())

    wait_until(followed, what="the rows to follow")
    old = next(iter(before.values()))
    renamed = Path(old["file_path"]).parent / "1-01 - Another Tone.flac"

    def is_renamed() -> bool:
        return str(renamed) in {one["file_path"] for one in running.downloads()}

    wait_until(is_renamed, what="the file's new name")
    rows = running.downloads()
    assert {one["id"] for one in rows} == {one["id"] for one in before.values()}
    assert {one["status"] for one in rows} == {"completed"}
    assert {one["completed_at"] for one in rows} == {one["completed_at"] for one in before.values()}
    assert (stick / renamed).exists()
    assert not (stick / old["file_path"]).exists()
    assert len(list(stick.rglob("*.flac"))) == len(TRACKS)
    assert jellyfin.fetched == fetched
    # The album's heart still holds them, and lets them go.
    album = ann.item("First Light", "MusicAlbum")
    assert {one["reasons"][0]["text"] for one in rows} == {"on your favourite album First Light"}
    ann.heart(album, on=False)
    assert running.stop() == 0
