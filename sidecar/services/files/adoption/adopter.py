"""Makes a completed download of a file that is on a device, and pins it, in one transaction."""

from __future__ import annotations

from sidecar.domain.downloads.download import Download
from sidecar.domain.items.item import Item
from sidecar.domain.wishes import PIN, PIN_PRIORITY, Reason, Wish
from sidecar.messages import msg
from sidecar.services.rules.wishes import WishService
from sidecar.store.database import Database
from sidecar.store.downloads.adopt import AdoptedFile
from sidecar.store.downloads.insert import NewDownload
from sidecar.store.downloads.queue import Downloads

TEXT = msg("it was here already, and you kept it")


class Adopter:
    """Adopts single files. Safe for many threads."""

    def __init__(self, db: Database, downloads: Downloads, planning: WishService) -> None:
        self._db = db
        self._downloads = downloads
        self._planning = planning

    def adopt(
        self,
        user_id: str,
        device_id: str,
        item: Item,
        file: AdoptedFile,
        *,
        is_held: bool = True,
    ) -> Download | None:
        """Adopt a file; None if its item has one already, or another download has its path.

        Args:
            user_id: The account that it is adopted for.
            device_id: Where it is.
            item: What it is.
            file: Its path, size and hash.
            is_held: Whether that account pins it; otherwise it may be evicted, unless a rule
                wants it.
        """
        wanted = NewDownload(item=item, device_id=device_id, user_id=user_id, places=())
        with self._db.write():
            adopted = self._downloads.adopter.adopt(wanted, file)
            if adopted is not None and is_held:
                why = Reason(PIN, item.id, TEXT)
                self._planning.pin_all(
                    [Wish(user_id, device_id, item, why, PIN_PRIORITY)], lambda _ids: {}
                )
        return adopted
