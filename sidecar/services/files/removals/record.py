"""Records what a person did to files of ours; each row is checked again as it is written.

    gone     row becomes `removed`; tombstones for all who held it; all holds end
    edited   the same; the changed file is the person's own and stays
    moved    the row gets the new path
    back     the row is queued to be fetched again

A file that the sidecar itself renamed, evicted, deleted or fetched again since the scan is skipped.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

from sidecar.batched import batched
from sidecar.clock import Clock
from sidecar.domain.downloads.download import Download
from sidecar.domain.files.naming import make_path_key
from sidecar.domain.files.removals import Expected, FileChange
from sidecar.domain.space.eviction import REST
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.messages import msg
from sidecar.services.devices.registry import AttachedDevice
from sidecar.store.database import Database
from sidecar.store.downloads.queue import Downloads, FilePlace
from sidecar.store.rules.cooldowns import EvictionCooldowns
from sidecar.store.rules.holds import Holds
from sidecar.store.rules.tombstones import Tombstones

log = logging.getLogger(__name__)

T = TypeVar("T")

# Rows in one transaction: other writers wait for it.
BATCH = 100
GONE = msg("It was removed from {device}: it won't be downloaded automatically again")
EDITED = msg(
    "Its file on {device} was changed by something else: it is left as it is, and "
    "won't be downloaded automatically again"
)
WHY: Mapping[FileChange, tuple[str, str]] = MappingProxyType(
    {FileChange.GONE: ("removed-by-person", GONE), FileChange.EDITED: ("changed-outside", EDITED)}
)


class RemovalRecorder:
    """Records files that people removed, changed or moved. Thread-safe."""

    def __init__(self, db: Database, downloads: Downloads, holds: Holds, clock: Clock) -> None:
        self._db = db
        self._downloads = downloads
        self._holds = holds
        self._tombstones = Tombstones(db, clock)
        self._rests = EvictionCooldowns(db, clock)

    def removed(self, device: AttachedDevice, files: Iterable[tuple[Expected, FileChange]]) -> int:
        """Record files as removed or changed by a person; return for how many that was recorded."""
        count = 0
        for some in batched(files, BATCH):
            with self._db.write():
                count += sum(self._removed(device, *one) for one in some)
        return count

    def moved(self, device: AttachedDevice, file: Expected, path: str) -> bool:
        """Set the new path of a moved file; return False if the row does not allow it any more."""
        current = self._still_ours(file)
        if current is None or not self._downloads.queue.follow(
            current, FilePlace(path, make_path_key(path))
        ):
            return False
        log.info("%s was moved to %s on %s", file.path, path, device.settings.name)
        return True

    def put_back(self, device: AttachedDevice, files: Iterable[Expected]) -> int:
        """Queue missing files to be fetched again; return how many were queued."""
        text = msg("Was missing on {device}, downloading again", device=device.settings.name)
        failure = Failure(FailureClass.TRANSIENT, "put-back", text)
        count = 0
        for some in batched(files, BATCH):
            with self._db.write():
                for file in some:
                    current = self._still_ours(file)
                    count += current is not None and self._downloads.transitions.mark_damaged(
                        current, failure
                    )
        return count

    def _removed(self, device: AttachedDevice, file: Expected, fate: FileChange) -> bool:
        current = self._still_ours(file)
        if current is None:
            return False
        if fate is FileChange.GONE and self._was_evicted(current):
            return self._downloads.transitions.evict(current)
        code, text = WHY[fate]
        text = text.format(device=device.settings.name)
        if not self._downloads.transitions.mark_missing(current, code=code, text=text):
            return False
        held = {one.user_id for one in self._holds.drop(current.device_id, current.item_id)}
        for user_id in held or {current.user_id}:
            self._tombstones.put(user_id, current.device_id, current.item_id)
        log.info("%s: %s", current.file_path, text)
        return True

    def _was_evicted(self, current: Download) -> bool:
        """Whether the sidecar evicted the file and was killed before it recorded that."""
        until = self._rests.find_end(current.device_id, current.item_id)
        arrived = current.completed_at
        return until is not None and (arrived is None or until - REST >= arrived)

    def _still_ours(self, file: Expected) -> Download | None:
        """Return the row, or None if the file was evicted or fetched again since the scan."""
        current = self._downloads.queries.get(file.id)
        is_same = current is not None and current.still_has(file.path, file.completed_at)
        return current if is_same else None
