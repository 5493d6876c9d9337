"""Versions of a film: one item, several files, of which a device gets the one that fits it."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from sidecar.domain.items.item import FileVersion, Item


class VersionChoice(StrEnum):
    """Which version of a film a device gets; `JELLYFIN` is the one that Jellyfin plays first."""

    LARGEST = "largest"
    SMALLEST = "smallest"
    JELLYFIN = "first"


def choose_version(item: Item, choice: VersionChoice, most_bytes: int | None) -> Item:
    """Return the item with the file of the version that a device is to get.

    Args:
        item: With all its versions; one without further ones is returned as it is.
        choice: What the device wants.
        most_bytes: The largest file that it has room for; None if that is not known.
    """
    sized = [one for one in item.versions if one.size]
    if choice is VersionChoice.JELLYFIN or not sized:
        return item
    if choice is VersionChoice.SMALLEST:
        return _with_file(item, min(sized, key=_size))
    fitting = [one for one in sized if most_bytes is None or _size(one) <= most_bytes]
    return _with_file(item, max(fitting, key=_size) if fitting else min(sized, key=_size))


def find_version(item: Item, source_etag: str | None) -> Item | None:
    """Return the item with the file that has this mark; None if it has no such version."""
    if source_etag is None:
        return None
    found = (one for one in item.versions if one.source_etag == source_etag)
    return next((_with_file(item, one) for one in found), None)


def _with_file(item: Item, version: FileVersion) -> Item:
    return replace(
        item,
        file_id=version.id,
        size=version.size,
        source_etag=version.source_etag,
        source_path=version.source_path,
        extension=version.extension,
    )


def _size(version: FileVersion) -> int:
    return version.size or 0
