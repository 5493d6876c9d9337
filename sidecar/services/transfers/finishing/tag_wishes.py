"""Builds the tag wishes of a file: what its device needs, and what Jellyfin knows of the item.

Jellyfin is asked only for a file whose own tags are incomplete.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock

from sidecar.confined.reader import ConfinedReader
from sidecar.domain.downloads.download import Download
from sidecar.domain.files.presets import PRESETS
from sidecar.domain.formats.tags import Tags
from sidecar.errors import JellyfinError
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.companions import Companions
from sidecar.jellyfin.library.tags import LibraryTags
from sidecar.services.devices.registry import AttachedDevice
from sidecar.transfer.tagging.wishes import TagWishes

log = logging.getLogger(__name__)

# The tracks of an album are fetched one after another and share a cover.
COVERS_KEPT = 8


class TagWishBook:
    """Makes the tag wishes of files, and caches some covers. Thread-safe."""

    def __init__(self, client: Callable[[str], Jellyfin]) -> None:
        """Prepare.

        Args:
            client: Returns the Jellyfin client of an account, or raises `SignedOut`.
        """
        self._client = client
        self._lock = Lock()
        self._covers: dict[tuple[str, int], bytes | None] = {}

    def of(
        self, device: AttachedDevice, download: Download, *, must_know: bool = False
    ) -> TagWishes:
        """Return the wishes for a file.

        Args:
            device: The device of the file.
            download: Its row.
            must_know: Whether `known` raises the errors of Jellyfin; if not, it then returns what
                the row knows.
        """
        preset = PRESETS[device.settings.preset]
        return TagWishes(
            pixels=preset.cover_pixels,
            id3=preset.id3,
            separator=device.settings.tag_separator,
            knows_words=preset.knows_words,
            known=lambda: self._known(download, must_know=must_know),
            cover=lambda: self._cover(download, preset.cover_pixels),
        )

    def _known(self, download: Download, *, must_know: bool) -> Tags:
        try:
            return LibraryTags(self._client(download.user_id)).of(download.item_id)
        except JellyfinError as trouble:
            if must_know:
                raise
            log.info("what Jellyfin knows of %s is not known: %s", download.title, trouble)
            said = {"title": download.title, "artist": download.artist, "album": download.album}
            return {name: (text,) for name, text in said.items() if text}

    def _cover(self, download: Download, pixels: int) -> bytes | None:
        item_id, tag = download.image_item_id, download.image_tag
        if item_id is None or tag is None:
            return None
        with self._lock:
            if (tag, pixels) in self._covers:
                return self._covers[tag, pixels]
        try:
            body = Companions(self._client(download.user_id)).picture(item_id, tag, pixels)
        except JellyfinError as trouble:
            log.info("the cover of %s is not there: %s", download.title, trouble)
            return None
        made = None if body is None else _baseline(body, pixels)
        with self._lock:
            while len(self._covers) >= COVERS_KEPT:
                self._covers.pop(next(iter(self._covers)))
            self._covers[tag, pixels] = made
        return made


def _baseline(body: bytes, pixels: int) -> bytes | None:
    with ConfinedReader() as reader:
        return reader.cover(body, most=pixels)
