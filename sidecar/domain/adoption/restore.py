"""Reads a device's manifest, to restore the list of our files after the database was lost.

The manifest is untrusted, since anybody may write to the device: invalid paths, ids and sizes are
refused.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from sidecar.bounded_json import read_json
from sidecar.domain.formats.formats import ORIGINAL, TAGGED, read_any_target
from sidecar.domain.items.item import Item, ItemType
from sidecar.messages import msg

VERSION = 1
MOST_TEXT = 1000
# Two hundred thousand files; a larger manifest is not ours.
LARGEST, MOST_VALUES = 128 * 1024 * 1024, 3_000_000
LARGEST_FILE = 2**62
MOST_FIELDS = 100
DEEPEST = 40
_ID = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"[0-9a-f]{32}")
_OURS = ".sidecar"
# How the first line and those of files begin.
_HEAD, _ENTRY = f'{{"version": {VERSION},'.encode(), b'{"item_id"'
_KINDS = {one.value: one for one in ItemType}


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestFile:
    """A file in the manifest.

    Attributes:
        content_hash: xxh3-128; None if unknown.
        format: `original`, or the name of the format that it was to have.
        source_size: Bytes of the original if it was converted; else None.
        completed_at: When it came; None if it is not told.
    """

    item_id: str
    path: str
    size: int
    content_hash: str | None
    title: str
    artist: str | None
    album: str | None
    kind: ItemType
    format: str = ORIGINAL
    source_size: int | None = None
    completed_at: datetime | None = None

    def item(self) -> Item:
        """Return the item, with the fields that the manifest has."""
        return Item(
            id=self.item_id,
            type=self.kind,
            title=self.title,
            artist=self.artist,
            album=self.album,
            size=self.size if self.source_size is None else self.source_size,
        )


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """A refused entry, and the reason."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of a manifest.

    Attributes:
        server_id: Of the Jellyfin server that the files came from.
    """

    server_id: str | None
    device_id: str | None
    files: tuple[ManifestFile, ...]
    refused: tuple[RefusedEntry, ...]


class NoManifest(ValueError):
    """The manifest cannot be read."""


def read_manifest(content: bytes) -> Manifest:
    """Parse a manifest.

    Raises:
        NoManifest: It is damaged, or of another version.
    """
    try:
        said = read_json(content, most_bytes=LARGEST, most_values=MOST_VALUES)
    except ValueError:
        raise NoManifest(msg("it is damaged")) from None
    if not isinstance(said, dict) or not isinstance(said.get("files"), list):
        raise NoManifest(msg("it is damaged"))
    if said.get("version") != VERSION:
        raise NoManifest(msg("it was written by another version of Jellyfin Sidecar"))
    files: dict[str, ManifestFile] = {}
    refused = []
    for entry in said["files"]:
        try:
            one = _read_file_entry(entry, files)
        except ValueError as why:
            refused.append(RefusedEntry(_shorten(entry), str(why)))
        else:
            files[one.item_id] = one
    return Manifest(
        _read_id(said.get("server_id")),
        said["device_id"] if isinstance(said.get("device_id"), str) else None,
        tuple(files.values()),
        tuple(refused),
    )


def read_others(content: bytes, known: Container[str]) -> tuple[ManifestFile, ...]:
    """Return the files of a manifest whose paths are not known; none if it cannot be read.

    Line by line, as it is written: of a large one mostly all are known.
    """
    if len(content) > LARGEST or not content.startswith(_HEAD):
        return ()
    files: dict[str, ManifestFile] = {}
    for line in BytesIO(content):
        if line.startswith(_ENTRY):
            with suppress(ValueError):
                entry = read_json(line.rstrip(b",\n"), most_bytes=LARGEST, most_values=MOST_FIELDS)
                if entry.get("path") not in known:
                    one = _read_file_entry(entry, files)
                    files[one.item_id] = one
    return tuple(files.values())


def _read_file_entry(entry: object, before: Container[str]) -> ManifestFile:
    if not isinstance(entry, dict):
        raise ValueError("the manifest says nothing sensible of it")  # noqa: TRY004 - of the entry, not of our code
    item_id, size = _read_id(entry.get("item_id")), entry.get("size")
    if item_id is None:
        raise ValueError("the manifest names no item for it")
    if item_id in before:
        raise ValueError("the manifest names its item twice")
    if type(size) is not int or not 0 <= size < LARGEST_FILE:
        raise ValueError("the manifest names no size for it")
    content_hash = entry.get("content_hash")
    named = entry.get("format")
    target = read_any_target(named) if isinstance(named, str) else None
    source_size = entry.get("source_size")
    is_size = type(source_size) is int and 0 <= source_size < LARGEST_FILE
    is_converted = (target is not None or named == TAGGED) and is_size
    is_hash = isinstance(content_hash, str) and bool(_HASH.fullmatch(content_hash))
    return ManifestFile(
        item_id=item_id,
        path=_read_path(entry.get("path")),
        size=size,
        content_hash=content_hash if is_hash else None,
        title=_read_text(entry, "title") or "Untitled",
        artist=_read_text(entry, "artist"),
        album=_read_text(entry, "album"),
        kind=_kind(entry.get("kind")),
        format=target.name if target is not None else TAGGED if named == TAGGED else ORIGINAL,
        source_size=source_size if is_converted else None,
        completed_at=_read_time(entry.get("completed_at")),
    )


def _read_time(told: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(told) if isinstance(told, str) else None
        return found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _kind(told: object) -> ItemType:
    return _KINDS.get(told, ItemType.OTHER) if isinstance(told, str) else ItemType.OTHER


def _read_path(path: object) -> str:
    if not isinstance(path, str) or "\0" in path or not _is_text(path):
        raise ValueError("the manifest names no place for it")
    parts = path.split("/")
    is_far = len(path) > MOST_TEXT or len(parts) > DEEPEST
    if is_far or {"", ".", ".."} & {*parts} or parts[0].casefold() == _OURS:
        raise ValueError("the manifest names a place that files of ours never have")
    return path


def _read_text(entry: Mapping[str, Any], name: str) -> str | None:
    text = entry.get(name)
    return text[:MOST_TEXT] if isinstance(text, str) and text and _is_text(text) else None


def _is_text(text: str) -> bool:
    """Whether a text is valid Unicode: JSON may contain lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_id(value: object) -> str | None:
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def _shorten(entry: object) -> str:
    path = entry.get("path") if isinstance(entry, dict) else None
    return path[:MOST_TEXT].encode("utf-8", "replace").decode() if isinstance(path, str) else "?"
