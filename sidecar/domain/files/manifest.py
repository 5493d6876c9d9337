"""Renders the manifest of a device: the list of our files there, to adopt them again later.

    {"version": 1, "made_by": …, "server_id": …, "device_id": …, "device_name": …, "files": [
    {"item_id": …, "path": …, …},
    …
    ]}

One file a line, in the order of the paths, so that small changes stay small. It has no user names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from sidecar.domain.formats.formats import ORIGINAL

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestFile:
    """A complete file on a device, with all that it takes to adopt it again.

    Attributes:
        path: Below the device's root.
        kind: Jellyfin's name of its type.
        format: `original`, or the name of the format that it was to have.
        source_size: Bytes of the original if it was converted; else None.
    """

    item_id: str
    path: str
    title: str
    artist: str | None
    album: str | None
    kind: str
    size: int
    content_hash: str | None
    completed_at: datetime
    format: str = ORIGINAL
    source_size: int | None = None


def render_manifest(
    files: Iterable[ManifestFile], *, server_id: str | None, device_id: str, device_name: str
) -> bytes:
    """Return the whole file, in UTF-8; the same for the same files."""
    head = {
        "version": VERSION,
        "made_by": "jellyfin-sidecar",
        "server_id": server_id,
        "device_id": device_id,
        "device_name": device_name,
    }
    whole = BytesIO()
    whole.write(_encode(head).removesuffix(b"}"))
    whole.write(b', "files": [\n')
    for number, one in enumerate(files):
        # Line by line: one title with an emoji makes a text of all files four times as large.
        whole.write(b",\n" if number else b"")
        whole.write(_encode(_file_to_json(one)))
    whole.write(b"\n]}\n")
    return whole.getvalue()


def _encode(facts: Mapping[str, object]) -> bytes:
    return json.dumps(facts, ensure_ascii=False).encode("utf-8", "replace")


def _file_to_json(file: ManifestFile) -> dict[str, object]:
    return {
        "item_id": file.item_id,
        "path": file.path,
        "size": file.size,
        "content_hash": file.content_hash,
        "title": file.title,
        "artist": file.artist,
        "album": file.album,
        "kind": file.kind,
        "completed_at": file.completed_at.isoformat(timespec="milliseconds"),
        **_format(file),
    }


def _format(file: ManifestFile) -> dict[str, object]:
    """Return the format fields, only if the file is not simply the original."""
    if file.format == ORIGINAL:
        return {}
    return {"format": file.format, "source_size": file.source_size}
