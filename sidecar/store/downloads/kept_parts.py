"""Part files that are kept after their download was cancelled.

    cancel, keeping the part ─▶ kept for 30 days ─asked for again─▶ a row with the same id

The name of a part file has the download's id. Ids are never reused, so the later row takes the old
id, and with it the part file's bytes and their validator.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import peewee

from sidecar.domain.downloads.download import Download
from sidecar.store.database import Database, Row
from sidecar.store.schema.tables import KeptPartRow

KEPT_FOR = timedelta(days=30)
TAKE = """DELETE FROM kept_parts WHERE device_id = ? AND item_id = ?
    RETURNING download_id, validator, bytes_downloaded"""


def remember_part(db: Database, download: Download, now: datetime) -> None:
    """Record the part file of a download, if any of its bytes count."""
    if download.validator is None or not download.bytes_downloaded:
        return
    db.execute(
        KeptPartRow.insert(
            download_id=download.id,
            device_id=download.device_id,
            item_id=download.item_id,
            validator=download.validator,
            bytes_downloaded=download.bytes_downloaded,
            kept_at=now,
        ).on_conflict_replace()
    )


def take_part(db: Database, device_id: str, item_id: str) -> Row:
    """Return the columns of a kept part for a new row, and delete its record; {} without one."""
    rows = db.execute_sql(TAKE, (device_id, item_id))
    if not rows:
        return {}
    download_id, validator, count = rows[0]
    return {
        "id": download_id,
        "validator": KeptPartRow.validator.python_value(validator),
        "bytes_downloaded": count,
    }


def list_kept_parts(db: Database, device_id: str, now: datetime) -> frozenset[int]:
    """Return the ids whose part files are kept on a device; delete expired records."""
    old = KeptPartRow.kept_at < now - KEPT_FOR
    with db.write():
        db.execute(peewee.ModelDelete(KeptPartRow).where(old))
    query = KeptPartRow.select(KeptPartRow.download_id).where(KeptPartRow.device_id == device_id)
    return frozenset(row["download_id"] for row in db.rows(query))
