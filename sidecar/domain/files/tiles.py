"""Groups files into tiles: albums, series and single files.

The downloads table computes the same in a generated column; a test compares the two.
"""

from __future__ import annotations

from sidecar.domain.downloads.download import Download
from sidecar.domain.items.item import ItemType

# No album's id begins like this.
SERIES = "series:"


def tile_key(file: Download) -> str:
    """Return the key of the tile that a file belongs to."""
    if file.album_id is not None:
        return file.album_id
    if file.item_type == ItemType.EPISODE and file.artist is not None:
        return f"{SERIES}{file.artist}"
    return file.item_id
