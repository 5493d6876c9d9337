from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from sidecar.domain.adoption.restore import read_manifest
from sidecar.domain.files.manifest import ManifestFile, render_manifest

ONE = ManifestFile(
    item_id="1" * 32,
    path='Björk/Début/01 - "Venus".flac',
    title='The "Venus"\n',
    artist="Björk",
    album="Début",
    kind="Audio",
    size=12,
    content_hash="0123456789abcdef" * 2,
    completed_at=datetime(2026, 5, 1, tzinfo=UTC),
)


def made(*files: object) -> bytes:
    return render_manifest(
        [one for one in files if isinstance(one, type(ONE))],
        server_id="5" * 32,
        device_id="stick",
        device_name="Car stick",
    )


def test_it_names_the_device_its_server_and_every_file() -> None:
    assert json.loads(made(ONE)) == {
        "version": 1,
        "made_by": "jellyfin-sidecar",
        "server_id": "5" * 32,
        "device_id": "stick",
        "device_name": "Car stick",
        "files": [
            {
                "item_id": "1" * 32,
                "path": 'Björk/Début/01 - "Venus".flac',
                "size": 12,
                "content_hash": "0123456789abcdef" * 2,
                "title": 'The "Venus"\n',
                "artist": "Björk",
                "album": "Début",
                "kind": "Audio",
                "completed_at": "2026-05-01T00:00:00.000+00:00",
            }
        ],
    }


def test_each_file_is_a_line_and_none_is_a_manifest_too() -> None:
    assert len(made(ONE, ONE).splitlines()) == 4
    assert json.loads(made())["files"] == []


def test_the_format_of_what_was_converted_comes_back() -> None:
    opus = replace(ONE, item_id="2" * 32, format="opus-128k", source_size=99)
    small = replace(ONE, item_id="3" * 32, format="opus-128k")

    back = read_manifest(made(ONE, opus, small)).files

    assert [(one.format, one.source_size) for one in back] == [
        ("original", None),
        ("opus-128k", 99),
        ("opus-128k", None),
    ]
    assert [one.item().size for one in back] == [12, 99, 12]
