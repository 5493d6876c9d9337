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
from io import BytesIO

from sidecar.domain.files.catalogue import ListedFile
from sidecar.domain.formats.formats import ORIGINAL

VERSION = 1


def render_manifest(
    files: Iterable[ListedFile], *, server_id: str | None, device_id: str, device_name: str
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


def _file_to_json(file: ListedFile) -> dict[str, object]:
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


def _format(file: ListedFile) -> dict[str, object]:
    """Return the format fields, only if the file is not simply the original."""
    if file.format == ORIGINAL:
        return {}
    return {"format": file.format, "source_size": file.source_size}
