"""Caches covers for the page: fetched from Jellyfin once, then kept on disk."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident

from sidecar.domain.downloads.download import Download
from sidecar.errors import JellyfinError
from sidecar.jellyfin.client import Jellyfin
from sidecar.process import private_files

log = logging.getLogger(__name__)

WIDTHS = (96, 192, 480)
_TYPES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"GIF8": "image/gif"}


@dataclass(frozen=True, slots=True)
class Cover:
    """A picture; its type is a bitmap format, or else `application/octet-stream`."""

    body: bytes
    mime_type: str
    tag: str


class CoverCache:
    """A cache folder of pictures. Safe for many threads: files are replaced atomically."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, client: Jellyfin, download: Download, width: int) -> Cover | None:
        """Return a download's cover; None if it has none or it cannot be fetched. See `picture`."""
        if download.image_item_id is None or download.image_tag is None:
            return None
        try:
            return self.picture(client, download.image_item_id, download.image_tag, width)
        except JellyfinError as trouble:
            log.debug("no cover for %s: %s", download.title, trouble)
            return None

    def picture(self, client: Jellyfin, item_id: str, tag: str, width: int) -> Cover:
        """Return an item's picture; the caller checks that the person may see it.

        Args:
            client: Fetches it if it is not cached.
            item_id: The item that has the picture.
            tag: Jellyfin's tag of the picture, which changes with it.
            width: Pixels; the picture is at least as wide, up to 480, if the server has it so.

        Raises:
            errors.JellyfinError: It is not cached, and cannot be fetched.
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
    """Cache a picture; an error, as on a full disk, is only logged."""
    draft = path.with_name(f"{path.name}.{get_ident()}")
    try:
        private_files.make_folder(path.parent)
        draft.unlink(missing_ok=True)
        private_files.write(draft, body)
        draft.replace(path)
    except OSError as error:
        log.warning("a cover cannot be kept: %s", error.strerror)
