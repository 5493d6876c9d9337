from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.adoption.restore import ManifestFile, NoManifest, read_manifest
from sidecar.domain.items.item import ItemType

ENTRY: dict[str, Any] = {
    "item_id": "1" * 32,
    "path": "The Sine Waves/First Light (2019)/1-01 - Tone 1.flac",
    "size": 1000,
    "content_hash": "a" * 32,
    "title": "Tone 1",
    "artist": "The Sine Waves",
    "album": "First Light",
    "kind": "Audio",
    "completed_at": "2026-11-01T12:00:00.000+00:00",
}


def manifest(*files: object, **head: object) -> bytes:
    said = {"version": 1, "made_by": "jellyfin-sidecar", "server_id": "5" * 32, "device_id": "d"}
    return json.dumps({**said, "device_name": "Car stick", "files": files, **head}).encode()


def test_what_was_written_is_read_back() -> None:
    found = read_manifest(manifest(ENTRY))

    assert (found.server_id, found.device_id, found.refused) == ("5" * 32, "d", ())
    assert found.files == (
        ManifestFile(
            item_id="1" * 32,
            path=ENTRY["path"],
            size=1000,
            content_hash="a" * 32,
            title="Tone 1",
            artist="The Sine Waves",
            album="First Light",
            kind=ItemType.AUDIO,
            completed_at=datetime(2026, 11, 1, 12, tzinfo=UTC),
        ),
    )
    assert found.files[0].item().size == 1000


@pytest.mark.parametrize(
    "told", [None, 7, "", "yesterday", "2026-11-01T12:00:00", "0001-01-01T00:00:00+23:00"]
)
def test_a_time_that_is_none_is_not_known(told: object) -> None:
    (one,) = read_manifest(manifest(ENTRY | {"completed_at": told})).files

    assert one.completed_at is None


@pytest.mark.parametrize(
    "more",
    [
        {"format": "opus-x", "source_size": 9},
        {"format": ["opus-128k"], "source_size": 9},
        {"format": "opus-99999999k", "source_size": 9},
        {"source_size": 9},
        {},
    ],
)
def test_a_format_that_there_is_not_is_the_original(more: dict[str, object]) -> None:
    (one,) = read_manifest(manifest(ENTRY | more)).files

    assert (one.format, one.source_size) == ("original", None)


@pytest.mark.parametrize("size", [-1, True, "9", None, 1.5])
def test_a_size_that_is_none_is_not_believed(size: object) -> None:
    (one,) = read_manifest(manifest(ENTRY | {"format": "opus-128k", "source_size": size})).files

    assert (one.format, one.source_size) == ("opus-128k", None)


@pytest.mark.parametrize(
    "entry",
    [
        ENTRY | {"path": "../outside.flac"},
        ENTRY | {"path": "/etc/passwd"},
        ENTRY | {"path": "a//b.flac"},
        ENTRY | {"path": "a/./b.flac"},
        ENTRY | {"path": ".sidecar/device.json"},
        ENTRY | {"path": ".SideCar/device.json"},
        ENTRY | {"path": "a\0b"},
        ENTRY | {"path": "\ud800"},
        ENTRY | {"path": None},
        ENTRY | {"size": -1},
        ENTRY | {"size": True},
        ENTRY | {"size": "1000"},
        ENTRY | {"item_id": "../1"},
        ENTRY | {"item_id": 7},
        "nonsense",
        None,
    ],
)
def test_an_entry_that_cannot_be_ours_is_refused_and_the_others_are_read(entry: object) -> None:
    other = ENTRY | {"item_id": "2" * 32}

    found = read_manifest(manifest(entry, other))

    assert [one.item_id for one in found.files] == ["2" * 32]
    assert len(found.refused) == 1
    found.refused[0].path.encode()


def test_an_item_is_named_once() -> None:
    found = read_manifest(manifest(ENTRY, ENTRY | {"path": "b.flac"}))

    assert [one.path for one in found.files] == [ENTRY["path"]]
    assert [one.path for one in found.refused] == ["b.flac"]


def test_what_is_not_known_is_left_open() -> None:
    [one] = read_manifest(
        manifest(ENTRY | {"content_hash": "x", "artist": None, "title": "", "kind": "Poem"})
    ).files

    assert (one.content_hash, one.artist, one.title) == (None, None, "Untitled")
    assert one.kind is ItemType.OTHER


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"7", b"\xff", manifest(ENTRY, version=2), b'{"files": 1}']
)
def test_a_manifest_that_is_none_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(NoManifest):
        read_manifest(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*ENTRY]), inner),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=5))
def test_whatever_a_manifest_holds_every_entry_is_read_or_refused(entries: list[Any]) -> None:
    found = read_manifest(manifest(*entries))

    assert len(found.files) + len(found.refused) == len(entries)
    assert all(".." not in one.path.split("/") for one in found.files)
