"""Records which finished files the last scan of a device found: sets `missing_since`.

    a scan ─▶ not there or changed ─▶ missing since then ─▶ people are asked, if there are many
           └▶ there again ──────────▶ not missing, nobody is asked

When a file is removed, `transitions` clears this; when it is found elsewhere, `queue.follow` does.
No state changes here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from functools import partial

from sidecar.batched import batched
from sidecar.clock import Clock
from sidecar.domain.files.removals import Expected
from sidecar.events import Bus, DeviceChanged
from sidecar.store.database import Database
from sidecar.store.schema.fields import MomentField

# A file that was removed and fetched again since the scan is another one; of one that was renamed
# since, the scan says nothing: it looked at another path.
SAME = """WHERE status = 'completed'
    AND downloads.id = CAST(json_extract(one.value, '$[0]') AS INTEGER)
    AND completed_at IS CAST(json_extract(one.value, '$[1]') AS INTEGER)
    AND file_path = json_extract(one.value, '$[2]')"""
GONE = f"""UPDATE downloads SET missing_since = ? FROM json_each(?) AS one
    {SAME} AND missing_since IS NULL RETURNING id"""  # noqa: S608 - our own words
BACK = f"""UPDATE downloads SET missing_since = NULL, is_asked_about = 0
    FROM json_each(?) AS one {SAME} AND missing_since IS NOT NULL RETURNING id"""  # noqa: S608 - our own words
ASK = """UPDATE downloads SET is_asked_about = 1
    WHERE missing_since IS NOT NULL AND device_id = ? AND is_asked_about = 0
        AND id IN (SELECT CAST(value AS INTEGER) FROM json_each(?)) RETURNING id"""
MOMENT = MomentField()
# Rows in one transaction: other writers wait for it.
BATCH = 500


class DownloadSightings:
    """Stores the results of scans. Safe to use from any thread."""

    def __init__(self, db: Database, bus: Bus, clock: Clock) -> None:
        self._db = db
        self._bus = bus
        self._clock = clock

    def note_look(
        self, device_id: str, *, missing: Iterable[Expected], present: Iterable[Expected]
    ) -> int:
        """Record the result of a scan; return for how many files it has changed.

        Args:
            device_id: The scanned device.
            missing: Files that are not there as they should be.
            present: Files that are.
        """
        now = MOMENT.db_value(self._clock.now())
        changed = self._each(device_id, GONE, [one for one in missing if not one.is_missing], now)
        return changed + self._each(device_id, BACK, [one for one in present if one.is_missing])

    def ask_about(self, device_id: str, download_ids: Collection[int]) -> None:
        """Record that people are asked about these missing files."""
        if not download_ids:
            return
        with self._db.write():
            self._db.execute_sql(ASK, [device_id, json.dumps(sorted(download_ids))])

    def _each(self, device_id: str, sql: str, files: list[Expected], *values: object) -> int:
        count = 0
        for some in batched(files, BATCH):
            told = [(one.id, MOMENT.db_value(one.completed_at), one.path) for one in some]
            with self._db.write():
                changed = len(self._db.execute_sql(sql, [*values, json.dumps(told)]))
                if changed:
                    self._db.after_commit(partial(self._bus.publish, DeviceChanged(device_id)))
            count += changed
        return count
