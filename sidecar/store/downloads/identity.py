"""Items whose ids have changed on the server: what is known of their files, and the change itself.

    a re-scan, a rename, a new installation ─▶ old id ─▶ new id, in all tables, in one transaction

Downloads, holds, tombstones, exclusions, favourites, plays and the order of playlists follow.
Nothing is fetched or removed by it: a file stays where it is and a download stays in its state.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.files.naming import make_path_key
from sidecar.domain.identity.matching import Facts, names_of, own_name, source_names
from sidecar.domain.items.item import Item
from sidecar.events import Bus, DeviceChanged, NoticesChanged
from sidecar.store.database import Database, Row
from sidecar.store.downloads.insert import columns_of_item
from sidecar.store.downloads.queries import NAMES, from_columns
from sidecar.store.downloads.transitions import DownloadTransitions
from sidecar.store.schema.fields import MomentField
from sidecar.store.schema.tables import DownloadRow

# The size of the item's own file, whatever it was converted to.
ORIGINAL_SIZE = "coalesce(source_size, file_size, expected_size)"
HAS_FILE = "status IN ('completed', 'downloading')"
FACTS = f"""SELECT item_id, item_type, title, artist, album, {ORIGINAL_SIZE}, source_etag, seconds,
        source_path, file_path, device_id, {HAS_FILE}
    FROM downloads"""  # noqa: S608 - expressions of ours
OF_SIZES = f"{FACTS} WHERE {ORIGINAL_SIZE} IN (SELECT CAST(value AS INTEGER) FROM json_each(?))"  # noqa: S608 - ours
OF_ITEMS = f"{FACTS} WHERE item_id IN (SELECT value FROM json_each(?))"  # noqa: S608 - ours
# An account holds it or asked for it; or any, for None.
OF_ACCOUNT = """FROM downloads WHERE ?1 IS NULL OR user_id = ?1 OR EXISTS (SELECT 1 FROM holds
    WHERE holds.device_id = downloads.device_id AND holds.item_id = downloads.item_id
        AND holds.user_id = ?1)"""
COUNT_ITEMS = f"SELECT count(DISTINCT item_id) {OF_ACCOUNT}"
ITEMS = f"SELECT DISTINCT item_id {OF_ACCOUNT}"
OF_OTHERS = """SELECT DISTINCT item_id FROM downloads
    WHERE item_id IN (SELECT value FROM json_each(?)) AND (user_id <> ? OR EXISTS (
        SELECT 1 FROM holds WHERE holds.device_id = downloads.device_id
            AND holds.item_id = downloads.item_id AND holds.user_id <> ?))"""
DEVICES = f"""SELECT item_id, device_id FROM downloads
    WHERE {HAS_FILE} AND device_id IN (SELECT id FROM devices)
        AND item_id IN (SELECT value FROM json_each(?))"""  # noqa: S608 - an expression of ours
ROWS = f"""SELECT {NAMES} FROM downloads
    WHERE device_id IN (SELECT id FROM devices) AND item_id IN (SELECT value FROM json_each(?))"""  # noqa: S608 - names of our own columns
TO_RENAME = f"""SELECT {NAMES} FROM downloads
    WHERE wanted_path IS NOT NULL AND device_id = ? AND status = 'completed'
        AND missing_since IS NULL ORDER BY id"""  # noqa: S608 - names of our own columns
ON_DEVICE = f"SELECT {NAMES} FROM downloads WHERE device_id = ? ORDER BY id"  # noqa: S608 - ours
OF_ANOTHER = """SELECT 1 FROM downloads
    WHERE device_id = ? AND path_key > ? AND path_key < ? AND album_id IS NOT ? LIMIT 1"""
FORGET_BESIDE = """DELETE FROM beside WHERE download_id = ? OR download_id IN (
    SELECT id FROM downloads WHERE device_id = ? AND path_key > ? AND path_key < ?)"""
SOURCES = """SELECT DISTINCT holds.source_id, holds.item_id, hearts.item_type FROM holds
    LEFT JOIN hearts ON hearts.user_id = holds.user_id AND hearts.item_id = holds.source_id
    WHERE holds.item_id IN (SELECT value FROM json_each(?)) AND holds.source_id <> holds.item_id"""
MARK = """UPDATE downloads SET gone_since = ? WHERE device_id IN (SELECT id FROM devices)
    AND item_id IN (SELECT value FROM json_each(?)) AND gone_since IS {was} RETURNING device_id"""
UNLIKE = "INSERT INTO unlike VALUES (?, ?) ON CONFLICT DO NOTHING"
FORGET = "DELETE FROM {table} WHERE {column} IN (SELECT old FROM new_ids)"
# Columns with item ids in our own tables, other than the downloads themselves.
ITEM_COLUMNS = (
    ("holds", "item_id"),
    ("holds", "source_id"),
    ("tombstones", "item_id"),
    ("exclusions", "item_id"),
    ("hearts", "item_id"),
    ("rests", "item_id"),
    ("kept_parts", "item_id"),
    ("hidden_items", "item_id"),
    ("plays", "item_id"),
    ("plays", "album_id"),
    ("imported_plays", "item_id"),
    ("browser_plays", "item_id"),
    ("player_states", "item_id"),
    ("player_changes", "item_id"),
    ("chosen_playlists", "playlist_id"),
    ("playlist_orders", "playlist_id"),
    ("downloads", "album_id"),
    ("downloads", "series_id"),
    ("downloads", "image_item_id"),
)
# Plays are never deleted, even if they cannot follow.
KEPT = frozenset({"plays", "imported_plays", "browser_plays", "player_changes", "downloads"})
# Columns that name and show an item; the others identify its file.
CALLED = ("title", "artist", "album", "album_id", "image_item_id", "image_tag", "search_key")
MOMENT = MomentField()
MOST_TOLD = 200


@dataclass(frozen=True, slots=True)
class HeldFrom:
    """A container that is the source of a hold on an item, or a favourite.

    Attributes:
        item_type: Its type, if it is a favourite.
    """

    source_id: str
    item_id: str
    item_type: str | None


@dataclass(frozen=True, slots=True)
class Followed:
    """A download whose item has a new id.

    Attributes:
        before: The download as it was.
        item: The item with its new id.
    """

    before: Download
    item: Item


class DownloadIdentity:
    """Returns what identifies files, and changes ids. Safe to use from any thread."""

    def __init__(
        self, db: Database, bus: Bus, clock: Clock, transitions: DownloadTransitions
    ) -> None:
        self._db = db
        self._bus = bus
        self._clock = clock
        self._transitions = transitions

    # What identifies our files

    def count_items(self, user_id: str | None) -> int:
        """Return how many items an account wants or wanted; None for all accounts."""
        return int(self._db.sql(COUNT_ITEMS, (user_id,))[0][0])

    def items_of(self, user_id: str | None) -> frozenset[str]:
        """Return the items that an account wants or wanted; None for all accounts."""
        return frozenset(item_id for (item_id,) in self._db.each(ITEMS, (user_id,)))

    def facts_of_sizes(self, sizes: Collection[int]) -> list[Facts]:
        """Return the facts of the items whose files have one of these sizes."""
        asked = json.dumps(sorted(sizes))
        return _merged(self._db.sql(OF_SIZES, (asked,)))

    def facts_of_items(self, item_ids: Collection[str]) -> list[Facts]:
        """Return the facts of the files of these items."""
        return _merged(self._db.sql(OF_ITEMS, (json.dumps(sorted(item_ids)),)))

    def wanted_by_others(self, item_ids: Collection[str], user_id: str) -> frozenset[str]:
        """Return those of the items that another account wants or wanted."""
        rows = self._db.sql(OF_OTHERS, (json.dumps(sorted(item_ids)), user_id, user_id))
        return frozenset(item_id for (item_id,) in rows)

    def devices(self, item_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Return the devices that have a file of each of these items, or are getting it."""
        found: dict[str, set[str]] = {}
        for item_id, device_id in self._db.sql(DEVICES, (json.dumps(sorted(item_ids)),)):
            found.setdefault(item_id, set()).add(device_id)
        return {item_id: frozenset(devices) for item_id, devices in found.items()}

    def of_items(self, item_ids: Collection[str]) -> list[Download]:
        """Return the downloads of these items on all devices."""
        return [from_columns(row) for row in self._db.sql(ROWS, (json.dumps(sorted(item_ids)),))]

    def held_from(self, item_ids: Collection[str]) -> list[HeldFrom]:
        """Return the containers that are the sources of holds on these items."""
        return [HeldFrom(*row) for row in self._db.sql(SOURCES, (json.dumps(sorted(item_ids)),))]

    # Names that changed

    def plan_rename(self, download_id: int, path: str) -> None:
        """Record the new path of a finished file; it is renamed while its device is attached."""
        with self._db.write():
            self._db.sql(
                "UPDATE downloads SET wanted_path = ? WHERE id = ? AND status = 'completed'",
                (path, download_id),
            )

    def plan_renames(self, paths: Mapping[int, str]) -> int:
        """Record new paths of finished files, by their ids; return how many there are."""
        with self._db.write():
            for download_id, path in paths.items():
                self.plan_rename(download_id, path)
        return len(paths)

    def to_rename(self, device_id: str) -> list[Download]:
        """Return the finished files of a device that are to be renamed."""
        return [from_columns(row) for row in self._db.sql(TO_RENAME, (device_id,))]

    def on_device(self, device_id: str) -> list[Download]:
        """Return all downloads of a device, those that were queued first before the others."""
        return [from_columns(row) for row in self._db.sql(ON_DEVICE, (device_id,))]

    def end_rename(self, planned: Download) -> None:
        """Delete the record: the file was renamed, or stays where it is.

        Another name that was planned meanwhile stays planned.
        """
        with self._db.write():
            self._db.sql(
                "UPDATE downloads SET wanted_path = NULL WHERE id = ? AND wanted_path = ?",
                (planned.id, planned.wanted_path),
            )

    def forget_companions(self, before: Download) -> None:
        """Have covers looked for again if a file has left a folder of another album.

        Args:
            before: The file as it was before it was renamed.
        """
        above = make_path_key(before.file_path).rpartition("/")[0]
        place = (before.device_id, f"{above}/", f"{above}0")
        with self._db.write():
            if self._db.sql(OF_ANOTHER, (*place, before.album_id)):
                self._db.sql(FORGET_BESIDE, (before.id, *place))

    # What the server no longer knows

    def mark(self, *, gone: Collection[str], known: Collection[str]) -> int:
        """Record which items the server has and does not have; return how many rows changed."""
        now = MOMENT.db_value(self._clock.now())
        with self._db.write():
            told = [
                *self._marked(gone, now, was="NULL"),
                *self._marked(known, None, was="NOT NULL"),
            ]
            for (device_id,) in set(told):
                self._tell(device_id)
        return len(told)

    def _marked(self, items: Collection[str], now: object, *, was: str) -> list[tuple[str]]:
        if not items:
            return []
        return self._db.execute_sql(MARK.format(was=was), [now, json.dumps(sorted(items))])

    # What a person has decided

    def different_items(self) -> frozenset[tuple[str, str]]:
        """Return the pairs of items that are different files."""
        return frozenset(self._db.sql("SELECT old_item_id, new_item_id FROM unlike"))

    def record_different(self, old_id: str, new_ids: Iterable[str]) -> None:
        """Record that an item is none of these."""
        with self._db.write():
            for new_id in new_ids:
                self._db.sql(UNLIKE, (old_id, new_id))

    # The change

    def exchange(self, items: Mapping[str, Item]) -> list[Followed]:
        """Replace ids as `follow` does, where new ids are also old ones: files changed places."""
        away = {old: f"moving:{old}" for old in items}
        with self._db.write():
            before = {one.id: one for one in self.of_items(items.keys())}
            self.follow({old: replace(new, id=away[old]) for old, new in items.items()})
            followed = self.follow({away[old]: new for old, new in items.items()})
        return [replace(one, before=before.get(one.before.id, one.before)) for one in followed]

    def follow(
        self, items: Mapping[str, Item], containers: Mapping[str, str] | None = None
    ) -> list[Followed]:
        """Replace the ids of items and containers in all tables.

        A download stays as it is if its device has another file of the new item.

        Args:
            items: The new item, by the old id; no new id is also an old one.
            containers: The new ids of albums, series and the like, by their old ids.
        """
        with self._db.write():
            there = self.of_items({*items, *(one.id for one in items.values())})
            rows = {(one.device_id, one.item_id): one for one in there}
            # Nothing follows if an item would have two files on one device.
            twice = {
                one.item_id
                for one in there
                if (new := items.get(one.item_id)) is not None
                and _has_file(one)
                and _has_file(rows.get((one.device_id, new.id)))
            }
            items = {old: new for old, new in items.items() if old not in twice}
            followed = list(self._moves(items, rows))
            for one in followed:
                self._change(one)
            self._map({old: new.id for old, new in items.items()} | dict(containers or {}))
            for device_id in {one.before.device_id for one in followed}:
                self._tell(device_id)
            for one in followed[:MOST_TOLD]:
                (now,) = self._db.sql(
                    f"SELECT {NAMES} FROM downloads WHERE id = ?",  # noqa: S608 - our own columns
                    (one.before.id,),
                )
                changed = from_columns(now)
                self._transitions.publish(changed, changed.status, changed.status)
        return followed

    def describe(self, items: Mapping[str, Item]) -> list[Followed]:
        """Update names and metadata of items whose ids stay; return what changed.

        The version of the file stays: a newer one has not been fetched yet.
        """
        with self._db.write():
            changed = [
                Followed(row, items[row.item_id])
                for row in self.of_items(items.keys())
                if is_called_otherwise(row, items[row.item_id])
            ]
            for one in changed:
                columns = columns_of_item(one.item)
                self._update(one.before.id, {name: columns[name] for name in CALLED})
                self._tell(one.before.device_id)
        return changed

    def _moves(
        self, items: Mapping[str, Item], rows: Mapping[tuple[str, str], Download]
    ) -> Iterator[Followed]:
        """Yield what can follow; of two rows for one item the one without a file is deleted."""
        for (device_id, old_id), row in rows.items():
            item = items.get(old_id)
            if item is None:
                continue
            other = rows.get((device_id, item.id))
            if other is not None:
                self._drop(row if _has_file(other) else other)
            if not _has_file(other):
                yield Followed(row, item)

    def _drop(self, row: Download) -> None:
        self._db.sql("DELETE FROM downloads WHERE id = ?", (row.id,))
        self._transitions.publish(row, row.status, None)

    def _change(self, one: Followed) -> None:
        columns = columns_of_item(one.item)
        if one.before.file_size is not None and one.before.source_size is None:
            # The size of the file is more reliable than a scan that may be old.
            columns["expected_size"] = one.before.file_size
        columns["seconds"] = columns["seconds"] or one.before.seconds
        columns["gone_since"] = None
        self._update(one.before.id, columns)

    def _update(self, download_id: int, columns: Row) -> None:
        to = ", ".join(f"{name} = ?" for name in columns)
        stored = [getattr(DownloadRow, name).db_value(value) for name, value in columns.items()]
        self._db.sql(f"UPDATE downloads SET {to} WHERE id = ?", (*stored, download_id))  # noqa: S608 - names of our own columns

    def _map(self, ids: Mapping[str, str]) -> None:
        """Change ids in all tables but the downloads; rows that become equal are merged."""
        self._db.sql("CREATE TEMP TABLE IF NOT EXISTS new_ids (old TEXT PRIMARY KEY, new TEXT)")
        self._db.sql("DELETE FROM new_ids")
        self._db.sql(
            "INSERT INTO new_ids SELECT key, value FROM json_each(?)", (json.dumps(dict(ids)),)
        )
        for table, column in ITEM_COLUMNS:
            self._db.sql(self._db.dialect.rename_ids(table, column))
            if table not in KEPT:
                self._db.sql(FORGET.format(table=table, column=column))
        for user_id, playlist_id, items in self._db.sql(
            "SELECT user_id, playlist_id, items FROM playlist_orders WHERE EXISTS"
            " (SELECT 1 FROM json_each(items) AS one JOIN new_ids ON old = one.value)"
        ):
            now = json.dumps([ids.get(one, one) for one in json.loads(items)])
            self._db.sql(
                "UPDATE playlist_orders SET items = ? WHERE user_id = ? AND playlist_id = ?",
                (now, user_id, playlist_id),
            )
        self._db.sql("DELETE FROM new_ids")

    def _tell(self, device_id: str) -> None:
        self._db.after_commit(partial(self._bus.publish, DeviceChanged(device_id)))
        self._db.after_commit(partial(self._bus.publish, NoticesChanged()))


def is_called_otherwise(row: Download, item: Item) -> bool:
    """Whether a download has another name, or other metadata, than an item."""
    columns = columns_of_item(item)
    return any(getattr(row, name) != columns[name] for name in CALLED if name != "search_key")


def _has_file(row: Download | None) -> bool:
    """Whether a file is on the device, or is being fetched now."""
    return row is not None and row.status in {Status.COMPLETED, Status.DOWNLOADING}


def _merged(rows: Iterable[tuple[Any, ...]]) -> list[Facts]:
    """Merge the facts of each item: its rows on several devices have the same original."""
    found: dict[str, Facts] = {}
    # Many have the same album, artist or device: each of these is made and kept once.
    shared: dict[str | None, str | None] = {}
    share, names, on = shared.setdefault, cache(names_of), cache(_only)
    for (
        item_id,
        kind,
        title,
        artist,
        album,
        size,
        version,
        seconds,
        source,
        path,
        device,
        has,
    ) in rows:
        one = Facts(
            id=item_id,
            kind=share(kind, kind) or "",
            title=title,
            artists=names(artist),
            album=share(album, album),
            size=size,
            version=version,
            seconds=seconds,
            names=frozenset({own_name(path), *source_names(source)}),
            devices=on(device if has else None),
        )
        known = found.get(item_id)
        found[item_id] = one if known is None else _both(known, one)
    return list(found.values())


def _only(device: str | None) -> frozenset[str]:
    return frozenset() if device is None else frozenset({device})


def _both(one: Facts, other: Facts) -> Facts:
    # More is certain where there is a file.
    first, second = (one, other) if one.devices or not other.devices else (other, one)
    return replace(
        first,
        version=first.version or second.version,
        seconds=first.seconds or second.seconds,
        size=first.size or second.size,
        names=one.names | other.names,
        devices=one.devices | other.devices,
    )
