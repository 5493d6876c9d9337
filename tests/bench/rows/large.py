"""A household of a hundred thousand downloads: its folders, its files, and a real database.

    100,000 downloads on 3 devices of 5 people: 84 % completed, 10 % in the queue, 8 running;
    two fifths of them are of titles that two devices have

Everything is written by the store's own hands, a thousand rows in a transaction, so it is what a
sidecar would have written in some years. The files are there, but hollow: they take no room, and
nobody could listen to them.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr

from sidecar.assembly.assembly import assemble
from sidecar.assembly.store import DATABASE, KEY_FILE
from sidecar.clock import SystemClock
from sidecar.config import Settings
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.files.naming import build_distinct_path, build_path, make_path_key
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.playback.plays import Play
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.domain.wishes import PIN, PIN_PRIORITY, Reason, Wish
from sidecar.events import Bus
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.accounts.accounts import SERVER_ID
from sidecar.store.accounts.accounts import Account
from sidecar.store.database import Database
from sidecar.store.downloads.adopt import AdoptedFile
from sidecar.store.downloads.insert import FilePlace, NewDownload
from sidecar.store.stores import Stores

SERVER = "5" * 32
PEOPLE = {"eve": "e" * 32, "ann": "a" * 32, "ben": "b" * 32, "cara": "c" * 32, "dov": "d" * 32}
ADMIN = PEOPLE["eve"]
DEVICES = ("Car stick", "Player", "Phone")
# Shares of a hundred: who asks, where to, for what.
ASKERS = (10, 40, 25, 20, 5)
PLACES = (62, 25, 13)
KINDS = {ItemType.AUDIO: 90, ItemType.EPISODE: 6, ItemType.AUDIO_BOOK: 3, ItemType.MOVIE: 1}
RULES = {"favourites": 50, "album_affinity": 20, "playlists": 20, PIN: 10}
# What became of the older nine tenths; the newest tenth waits.
FATES = {Status.COMPLETED: 920, Status.REMOVED: 60, Status.FAILED: 12, Status.PAUSED: 8}
RUNNING = 8
# One in so many is the title before it, on another device.
COPIED = 5
BATCH = 1000
PLAYS = 20_000
TITLES = (
    "Träume & Schäume",
    "L'été à Nîmes (Live)",
    "夜に駆ける",
    "Ночь",
    "سلام",
    "<b>100 %</b> \"Pure\" 'n' Simple_",
    "🎺 Trumpet 🎺",
    "a" * 150,
    "The Quiet Part of a Rather Long Title, with a Comma; and a Semicolon",
    "!!!",
    "Æther",
    "O\u0308sterreich",
)
T = TypeVar("T")
TIMED_OUT = Failure(FailureClass.TRANSIENT, "timed-out", "The server did not answer in time")


@dataclass(frozen=True, slots=True)
class Household:
    """Where it is, and how to get in.

    Attributes:
        folder: Holds everything: the data folder and the devices.
        cookies: A session of the page for the admin and for ann.
        keys: An API key of the same.
    """

    folder: Path
    cookies: dict[str, str]
    keys: dict[str, str]

    @property
    def database(self) -> Path:
        """The database's file."""
        return self.folder / "data" / DATABASE


def settings_of(folder: Path, *, data: Path | None = None) -> Settings:
    """Return the settings of the household; nobody listens at that address of Jellyfin's."""
    return Settings.model_validate(
        {
            "jellyfin": {"url": "http://127.0.0.1:9"},
            "server": {"data_dir": data or folder / "data"},
            "devices": [{"name": one, "path": folder / "devices" / one} for one in DEVICES],
        }
    )


def build(folder: Path, count: int) -> Household:
    """Write the household into an empty folder."""
    for name in DEVICES:
        (folder / "devices" / name).mkdir(parents=True)
    settings, clock = settings_of(folder), SystemClock()
    settings.server.data_dir.mkdir()
    with closing(Database.open(settings.server.data_dir / DATABASE, clock=clock)) as db:
        store = Stores(db, Bus(), clock)
        _people(store, settings)
        services = assemble(settings, store, Bus(), clock, lambda: True)
        services.background.housekeeping.recover()
        services.background.housekeeping.look_at_devices()
        devices = [one.id for one in services.devices.registry.all()]
        services.devices.registry.close()
        _Writer(store, devices, folder).write(count)
        with db.write():
            for number in range(PLAYS * count // 100_000):
                store.plays.save(_play(number))
        entered = {"eve": ADMIN, "ann": PEOPLE["ann"]}
        return Household(
            folder,
            {name: store.sessions.begin(one, address_prefix="") for name, one in entered.items()},
            {name: store.api_keys.create(one, "bench")[1] for name, one in entered.items()},
        )


def item(number: int) -> Item:
    """Return one of the library: tracks in albums, episodes in series, all with awkward titles."""
    chance = random.Random(number)
    kind = _drawn(chance, KINDS)
    title = f"{TITLES[number % len(TITLES)]} {number}"
    group = number // 12
    artist = f"{TITLES[group * 7 % len(TITLES)][:40]} Band {group // 5}"
    is_series = kind is ItemType.EPISODE
    return Item(
        id=f"{number:032x}",
        type=kind,
        title=title,
        artist=None if is_series else artist,
        album=None if is_series else f"Album {group} {TITLES[group % len(TITLES)][:60]}",
        album_id=None if is_series else f"{0xA0000000 + group:032x}",
        album_artist=None if is_series else artist,
        series=f"Series {group}" if is_series else None,
        number=number % 12 + 1,
        disc=1,
        year=1960 + group % 60,
        seconds=chance.uniform(30, 600),
        extension="flac" if kind is ItemType.AUDIO else "mkv",
        size=chance.randrange(100_000, 40_000_000),
        source_etag=f"{number:x}",
        image_item_id=f"{0xA0000000 + group:032x}",
        image_tag=f"{group:032x}",
    )


class _Writer:
    """Writes the rows and the hollow files."""

    def __init__(self, store: Stores, devices: Sequence[str], folder: Path) -> None:
        self._store = store
        self._devices = devices
        self._roots = {
            one: folder / "devices" / name for one, name in zip(devices, DEVICES, strict=True)
        }
        self._chance = random.Random(7)
        self._last_device = ""
        self._people = list(PEOPLE.values())

    def write(self, count: int) -> None:
        """Write so many downloads; at the end some of them run."""
        numbers = iter(range(1, count + 1))
        while batch := [number for number, _ in zip(numbers, range(BATCH), strict=False)]:
            with self._store.db.write():
                for number in batch:
                    self._one(number, is_new=number > count * 9 // 10)
        for number in range(RUNNING):
            running = self._claim()
            held = (running.size or 0) * number // RUNNING
            self._store.downloads.transitions.record_synced(running.id, held)

    def _one(self, number: int, *, is_new: bool) -> None:
        wanted = self._wanted(number)
        fate = Status.PENDING if is_new else _drawn(self._chance, FATES)
        self._hold(wanted)
        downloads = self._store.downloads
        if fate in {Status.COMPLETED, Status.REMOVED}:
            place = next(iter(wanted.places))
            file = AdoptedFile(place.path, wanted.item.size or 0, f"{number:032x}", "audio/flac")
            there = downloads.adopter.adopt(wanted, file)
            if there is None:
                place = list(wanted.places)[1]
                there = downloads.adopter.adopt(wanted, replace(file, path=place.path))
            assert there is not None
            if fate is Status.REMOVED:
                downloads.transitions.mark_missing(there)
            else:
                self._file(there)
            return
        downloads.queue.add_all([wanted])
        if fate is Status.FAILED:
            downloads.transitions.give_up(
                self._claim(), until=None, failure=TIMED_OUT, retry_count=3
            )
        elif fate is Status.PAUSED:
            downloads.transitions.pause(self._claim())
        elif number % 100 == 0:
            due = datetime.now(UTC) + timedelta(hours=1 + number % 7)
            downloads.transitions.postpone(
                self._claim(), until=due, failure=TIMED_OUT, retry_count=1
            )

    def _wanted(self, number: int) -> NewDownload:
        device = self._chance.choices(self._devices, PLACES)[0]
        is_copy = number % COPIED == 0
        if is_copy:
            others = [one for one in self._devices if one != self._last_device]
            device = self._chance.choice(others)
        self._last_device = device
        wanted = item(number - 1 if is_copy else number)
        path = build_path(wanted)
        return NewDownload(
            item=wanted,
            device_id=device,
            user_id=self._chance.choices(self._people, ASKERS)[0],
            places=[
                FilePlace(one, make_path_key(one))
                for one in (path, build_distinct_path(path, wanted.id))
            ],
            priority=PIN_PRIORITY if number % 10 == 0 else 0,
        )

    def _hold(self, wanted: NewDownload) -> None:
        """Who asked holds it, nine times of ten; every seventh is somebody else's as well."""
        holders = [wanted.user_id] if self._chance.random() < 0.9 else []
        if wanted.item.number and int(wanted.item.id, 16) % 7 == 0:
            holders.append(self._chance.choice(self._people))
        for one in dict.fromkeys(holders):
            rule = _drawn(self._chance, RULES)
            why = Reason(rule, wanted.item.album_id or wanted.item.id, f"because of {rule}")
            self._store.holds.keep(Wish(one, wanted.device_id, wanted.item, why))

    def _claim(self) -> Download:
        (claimed,) = self._store.downloads.queue.claim_together(datetime.now(UTC), at_most=1)
        return claimed

    def _file(self, download: Download) -> None:
        path = self._roots[download.device_id] / download.file_path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            os.truncate(file.fileno(), download.file_size or 0)


def _people(store: Stores, settings: Settings) -> None:
    sealed = TokenBox(settings.server.data_dir / KEY_FILE).encrypt(SecretStr("t" * 32))
    store.meta.set(SERVER_ID, SERVER)
    for name, user_id in PEOPLE.items():
        store.accounts.save(
            Account(
                user_id=user_id,
                name=name,
                server_id=SERVER,
                is_admin=user_id == ADMIN,
                may_download=True,
                jellyfin_device_id=f"bench-{name}",
                token_encrypted=sealed,
                is_signed_in=True,
                signed_in_at=datetime.now(UTC),
            )
        )


def _play(number: int) -> Play:
    heard = item(number % 997 + 1)
    began = datetime.now(UTC) - timedelta(minutes=5 * number)
    return Play(
        user_id=list(PEOPLE.values())[number % len(PEOPLE)],
        item_id=heard.id,
        title=heard.title,
        album_id=heard.album_id,
        artist=heard.artist,
        client="Jellyfin Web",
        device_name="Firefox",
        session_id=f"s{number // 10}",
        playlist_item_id=None,
        started_at=began,
        ended_at=began + timedelta(seconds=240),
        position_s=240.0,
        seconds_heard=240.0,
        run_time=heard.seconds,
    )


def _drawn(chance: random.Random, shares: dict[T, int]) -> T:
    return chance.choices(list(shares), list(shares.values()))[0]
