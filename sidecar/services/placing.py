"""Where the file of a wanted item may go, and what can be said against fetching it at all.

the preset's shape ──▶ the first folder of that name that is not full ──▶ its path, or one with
                                                                          the item's id in it
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from sidecar.domain.files.naming import Shape, distinct, path_key, wanted_path
from sidecar.domain.items import Item
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.store.database import Database
from sidecar.store.downloads.insert import Place, files_in


def places(db: Database, device_id: str, item: Item, shape: Shape) -> Iterator[Place]:
    """Yield where an item's file may go on a device, best first; the last one is nobody else's."""
    wanted = next(
        path
        for path in (wanted_path(item, shape, volume=volume) for volume in count(1))
        if not _is_full(db, device_id, path, shape)
    )
    for path in (wanted, distinct(wanted, item.id)):
        yield Place(path, path_key(path))


def refusal(item: Item) -> Failure | None:
    """Return why an item cannot be fetched at all; None if nothing is known against it."""
    if item.is_remote:
        text = f"{item.title} has no file of its own on the server: it only points to one"
        return Failure(FailureClass.REFUSED, "no-file", text)
    if item.can_download is False:
        text = f"Jellyfin does not let this account download {item.title}"
        return Failure(FailureClass.REFUSED, "not-allowed", text)
    return None


def _is_full(db: Database, device_id: str, path: str, shape: Shape) -> bool:
    if shape.most_in_folder is None:
        return False
    folder = path_key(path.rpartition("/")[0])
    return files_in(db, device_id, folder) >= shape.most_in_folder
