"""Covers for the page: fetched from Jellyfin once, then kept beside the database.

Asked for with the account of the person who looks, so that nobody sees what Jellyfin hides.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident

from sidecar import private_files
from sidecar.domain.downloads.states import Download
from sidecar.errors import JellyfinError
from sidecar.jellyfin.client import Jellyfin

log = logging.getLogger(__name__)

WIDTHS = (96, 192, 480)
_TYPES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"GIF8": "image/gif"}


@dataclass(frozen=True, slots=True)
class Cover:
    """A picture, of a type that cannot carry a script."""

    body: bytes
    mime_type: str
    tag: str


class CoverCache:
    """A folder of pictures. Safe for many threads: a picture gets its name when it is whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, client: Jellyfin, download: Download, width: int) -> Cover | None:
        """Return a download's cover, at least `width` pixels wide if the server has it so wide."""
        if download.image_item_id is None or download.image_tag is None:
            return None
        try:
            return self.picture(client, download.image_item_id, download.image_tag, width)
        except JellyfinError as trouble:
            log.debug("no cover for %s: %s", download.title, trouble)
            return None

    def picture(self, client: Jellyfin, item_id: str, tag: str, width: int) -> Cover:
        """Return an item's own picture; that it may be seen is the caller's word.

        Raises:
            errors.JellyfinError: It is not kept here, and cannot be fetched.
        """
        fitting = next((one for one in WIDTHS if one >= width), WIDTHS[-1])
        kept = self._folder / _name(item_id, tag, fitting)
        body = _read(kept)
        if body is None:
            body = client.image(item_id, tag, max_width=fitting).body
            _write(kept, body)
        return Cover(body, _type(body), tag)


def _name(item_id: str, tag: str, width: int) -> str:
    return hashlib.sha256(f"{item_id} {tag} {width}".encode()).hexdigest()


def _type(body: bytes) -> str:
    found = next((kind for magic, kind in _TYPES.items() if body.startswith(magic)), None)
    if found is None and body[8:12] == b"WEBP":
        return "image/webp"
    return found or "application/octet-stream"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _write(path: Path, body: bytes) -> None:
    """Keep a picture; a disk that is full costs the picture, not the page."""
    draft = path.with_name(f"{path.name}.{get_ident()}")
    try:
        private_files.make_folder(path.parent)
        draft.unlink(missing_ok=True)
        private_files.write(draft, body)
        draft.replace(path)
    except OSError as error:
        log.warning("a cover cannot be kept: %s", error.strerror)
