"""Part files that are kept after their download was cancelled.

    cancel, keeping the part ─▶ kept for 30 days ─asked for again─▶ a row with the same id

The name of a part file has the download's id. Ids are never reused, so the later row takes the old
id, and with it the part file's bytes and their validator.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

import peewee

from sidecar.domain.downloads.download import Download
from sidecar.store.database import Database, Row
from sidecar.store.schema.tables import KeptPartRow

KEPT_FOR = timedelta(days=30)
FOUND = """SELECT {last_id},
        part.device_id, part.item_id, part.download_id, part.validator, part.bytes_downloaded
    FROM json_each(?) AS one LEFT JOIN kept_parts AS part
    ON part.device_id = json_extract(one.value, '$[0]')
        AND part.item_id = json_extract(one.value, '$[1]')"""
TAKE = (
    "DELETE FROM kept_parts WHERE download_id IN (SELECT CAST(value AS INTEGER) FROM json_each(?))"
)

FORGOTTEN = """SELECT CAST(one.value AS INTEGER) FROM json_each(?) AS one
    WHERE NOT EXISTS (SELECT 1 FROM downloads WHERE id = CAST(one.value AS INTEGER))
        AND NOT EXISTS
            (SELECT 1 FROM kept_parts WHERE download_id = CAST(one.value AS INTEGER))"""


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
        ).on_conflict(
            conflict_target=[KeptPartRow.device_id, KeptPartRow.item_id],
            preserve=[
                KeptPartRow.download_id,
                KeptPartRow.validator,
                KeptPartRow.bytes_downloaded,
                KeptPartRow.kept_at,
            ],
        )
    )


def take_parts(
    db: Database, asked: Iterable[tuple[str, str]]
) -> tuple[int, Mapping[tuple[str, str], Row]]:
    """Return the columns of the kept parts for new rows, and delete their records.

    Args:
        db: Inside of a `write`.
        asked: The ids of device and item of each new row.

    Returns:
        The last id that any download had, and the columns by what was asked; all that have none
        are left out.
    """
    # One row at least: the last id comes in the same statement.
    found = FOUND.format(last_id=db.dialect.last_id("downloads"))
    rows = db.sql(found, (json.dumps(list(asked) or [()]),))
    parts: dict[tuple[str, str], Row] = {
        (device_id, item_id): {
            "id": download_id,
            "validator": KeptPartRow.validator.python_value(validator),
            "bytes_downloaded": count,
        }
        for _, device_id, item_id, download_id, validator, count in rows
        if download_id is not None
    }
    if parts:
        db.execute_sql(TAKE, (json.dumps([one["id"] for one in parts.values()]),))
    return rows[0][0] or 0, parts


def list_forgotten(db: Database, download_ids: Collection[int], now: datetime) -> frozenset[int]:
    """Return which of these have neither a row nor a kept part; delete expired records.

    One statement: between two, one may be cancelled with its part kept, or be asked for again.
    """
    old = KeptPartRow.kept_at < now - KEPT_FOR
    with db.write():
        db.execute(peewee.ModelDelete(KeptPartRow).where(old))
    return frozenset(one for (one,) in db.sql(FORGOTTEN, (json.dumps(sorted(download_ids)),)))
