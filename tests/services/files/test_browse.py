from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ByteSize

from sidecar.config import DeviceSettings
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Download, Move
from sidecar.domain.items.item import ItemType
from sidecar.domain.playback.plays import Play
from sidecar.domain.rules import album_affinity, favourites
from sidecar.domain.wishes import PIN, EvictionClass, Reason, Wish
from sidecar.errors import NotVisible
from sidecar.services.accounts.person import Person
from sidecar.services.devices.views import DeviceView
from sidecar.services.downloads.views import DownloadView
from sidecar.services.files.browse import FileBrowser, KeepReason
from sidecar.services.files.presence import FilePresence
from sidecar.services.files.search import FileQuery
from sidecar.services.health.problems import Problems
from sidecar.services.rules.wishes import WishService
from sidecar.services.space.next_to_go import FEW, EvictionPreview
from sidecar.services.space.planner import SpacePlanner
from sidecar.sizes import rough_size
from sidecar.store.accounts.accounts import Account
from sidecar.store.downloads.insert import FilePlace, NewDownload
from sidecar.store.downloads.inventory import Inventory
from sidecar.store.playback.plays import Plays
from tests.services.conftest import ANN, STICK, World, as_shown, owned, registry_of, track

ANNE = Person(ANN, "ann", is_admin=False)
BEN = Person("b" * 32, "ben", is_admin=False)
EVE = Person("e" * 32, "eve", is_admin=True)
ALBUM = f"{900:032x}"
BODY = b"sound" * 100


@dataclass
class Home:
    """A stick with files, and everything that looks at them."""

    world: World
    stick: Path
    planning: WishService
    plays: Plays
    desk: FileBrowser
    leavers: EvictionPreview

    def arrived(self, number: int, *, user: str = ANN, **facts: object) -> Download:
        path = f"Artist/{number:02d} - {number}.flac"
        (self.stick / "Artist").mkdir(exist_ok=True)
        (self.stick / path).write_bytes(BODY)
        place = FilePlace(path, path.casefold())
        values: dict[str, object] = {"album_id": ALBUM, **facts}
        item = track(number, **values)
        downloads = self.world.downloads
        downloads.queue.add_all(
            [NewDownload(item=item, device_id=STICK, user_id=user, places=[place])]
        )
        (running,) = downloads.queue.claim_together(self.world.clock.now(), at_most=1)
        downloads.transitions.mark_arrived(
            running, size=len(BODY), content_hash="0" * 32, mime_type="audio/flac"
        )
        there = downloads.queries.get(running.id)
        assert there is not None
        return there

    def held(self, number: int, rule: str, source: str, person: Person = ANNE) -> None:
        item = track(number, album_id=ALBUM)
        why = Reason(rule, source, "because")
        self.world.holds.keep(Wish(person.user_id, STICK, item, why))

    def heard(self, number: int, person: Person) -> None:
        at = self.world.clock.now()
        self.plays.save(
            Play(
                user_id=person.user_id,
                item_id=f"{number:032x}",
                title="x",
                album_id=None,
                artist=None,
                client=None,
                device_name=None,
                session_id=person.name,
                playlist_item_id=None,
                started_at=at - timedelta(minutes=5),
                ended_at=at,
                position_s=300,
                seconds_heard=300,
                run_time=300,
            )
        )


@pytest.fixture
def home(world: World, tmp_path: Path) -> Iterator[Home]:
    stick = tmp_path / "stick"
    stick.mkdir()
    write_marker(stick, Marker(STICK, "Car stick"))
    for person in (BEN, EVE):
        world.accounts.save(an_account(world, person))
    settings = DeviceSettings(
        name="Car stick", path=stick, reserve=ByteSize(0), users=("ann", "ben")
    )
    problems = Problems(world.bus)
    registry = registry_of(world, settings, problems=problems)

    def views(_person: Person, rows: Sequence[Download]) -> Sequence[DownloadView]:
        return [as_shown(row) for row in rows]

    def devices(person: Person) -> Sequence[DeviceView]:
        served = person.is_admin or settings.serves(person.name)
        return [DeviceView(STICK, "Car stick", "", None, None, 0, 1, 2)] if served else []

    planning = WishService(world.db, world.holds, world.downloads, world.clock)
    plays = Plays(world.db)
    room = SpacePlanner(
        stores=world.stores,
        registry=registry,
        problems=problems,
        bus=world.bus,
        in_use=frozenset,
        clock=world.clock,
    )
    desk = FileBrowser(
        stores=world.stores,
        planning=planning,
        looking=FilePresence(registry, world.devices),
        views=views,
        ownership=owned(world),
    )
    leavers = EvictionPreview(devices=devices, outlook=room.outlook, inventory=Inventory(world.db))
    yield Home(world, stick, planning, plays, desk, leavers)
    registry.close()


def an_account(world: World, person: Person) -> Account:
    return Account(
        user_id=person.user_id,
        name=person.name,
        server_id="5" * 32,
        is_admin=person.is_admin,
        may_download=True,
        jellyfin_device_id=f"sidecar-{person.name}",
        token_encrypted=None,
        is_signed_in=False,
        signed_in_at=world.clock.now(),
    )


def test_tiles_and_files_count_each_other_and_themselves(home: Home) -> None:
    for number in (1, 2):
        home.arrived(number)
    home.arrived(3, type=ItemType.MOVIE, album_id=None, title="Noon")
    home.arrived(4, type=ItemType.EPISODE, album_id=None, artist=None, series="The Signal")

    tiles, files = home.desk.tiles(ANNE, FileQuery()), home.desk.files(ANNE, FileQuery())

    assert (tiles.total, tiles.files) == (files.tiles, files.total) == (3, 4)
    told = [(one.key, one.title, one.artist, one.files) for one in tiles.items]
    assert told == [
        ("series:The Signal", "The Signal", None, 1),
        (f"{3:032x}", "Noon", "The Sine Waves", 1),
        (ALBUM, "First Light", "The Sine Waves", 2),
    ]
    for tile in tiles.items:
        found, page = home.desk.tile(ANNE, tile.key, FileQuery(text="nothing of the kind"))
        assert found == tile
        assert page.total == len(page.items) == tile.files
        assert {one.tile for one in page.items} == {tile.key}


def test_everybody_finds_their_own_and_an_admin_finds_those_of_some(home: Home) -> None:
    one = home.arrived(1)
    home.arrived(2, user=BEN.user_id)

    def seen(person: Person, *owners: str) -> list[str]:
        wanted = FileQuery(owners=owners)
        files, tiles = home.desk.files(person, wanted), home.desk.tiles(person, wanted)
        assert files.total == tiles.files
        return [file.view.title for file in files.items]

    assert seen(ANNE) == seen(ANNE, "ben") == ["Tone 1"]
    assert seen(BEN) == seen(EVE, "Ben") == ["Tone 2"]
    assert seen(EVE) == ["Tone 2", "Tone 1"]
    assert seen(EVE, "nobody") == []
    for ask in (home.desk.file, home.desk.keep, home.desk.let_go):
        for download_id in (one.id, 99):
            with pytest.raises(NotVisible):
                ask(BEN, download_id)
    with pytest.raises(NotVisible):
        home.desk.tile(Person("c" * 32, "carl", is_admin=False), ALBUM, FileQuery())


def test_a_file_is_pinned_and_let_go_without_asking_jellyfin(home: Home) -> None:
    there = home.arrived(1)
    assert not home.desk.file(ANNE, there.id).is_pinned

    home.desk.keep(ANNE, there.id)
    assert home.desk.file(ANNE, there.id).is_pinned
    assert not home.desk.file(EVE, there.id).is_pinned
    holds = home.world.holds.of_item(STICK, there.item_id)
    assert [(one.reason.rule, one.reason.text) for one in holds] == [(PIN, "downloaded by you")]

    home.desk.let_go(ANNE, there.id)
    assert not home.desk.file(ANNE, there.id).is_pinned
    assert home.world.holds.of_item(STICK, there.item_id) == []


def test_what_is_not_there_can_not_be_kept(home: Home) -> None:
    there = home.arrived(1)
    home.world.downloads.transitions.move(there, Move.EVICT)

    with pytest.raises(NotVisible):
        home.desk.keep(ANNE, there.id)


def test_a_file_tells_the_rules_that_it_can_be_left_out_of(home: Home) -> None:
    there = home.arrived(1)
    home.held(1, favourites.NAME, there.item_id)
    home.held(1, album_affinity.NAME, ALBUM)
    home.held(1, PIN, there.item_id)
    home.held(1, "a rule of another time", ALBUM)
    home.held(1, favourites.NAME, ALBUM, BEN)

    assert home.desk.file(ANNE, there.id).holdings == (
        KeepReason(favourites.NAME, there.item_id, "because", is_wide=False),
        KeepReason(album_affinity.NAME, ALBUM, "because", is_wide=True),
    )


def test_nobody_but_an_admin_learns_when_others_listened(home: Home) -> None:
    there = home.arrived(1)
    now = home.world.clock.now()
    home.heard(1, BEN)

    assert home.desk.file(ANNE, there.id).last_heard is None
    assert home.desk.file(EVE, there.id).last_heard == now
    home.heard(1, ANNE)
    assert home.desk.file(ANNE, there.id).last_heard == now
    assert not home.desk.file(ANNE, there.id).was_used
    home.world.downloads.transitions.mark_used(there.item_id)
    assert home.desk.file(ANNE, there.id).was_used


def test_a_file_whose_device_is_away_says_so(home: Home, tmp_path: Path) -> None:
    there = home.arrived(1)
    home.stick.rename(tmp_path / "elsewhere")

    sight = home.desk.file(ANNE, there.id).sight

    assert not sight.is_available
    assert "Car stick" in (sight.text or "")
    (leavers,) = home.leavers.all(ANNE, 5)
    assert "Car stick" in (leavers.trouble or "")
    assert leavers.first == ()


def test_what_goes_first_is_told_in_order_and_titles_only_to_those_who_may_see_them(
    home: Home,
) -> None:
    for number in (1, 2, 3, 4):
        home.arrived(number, user=BEN.user_id if number == 2 else ANN)
    home.held(1, favourites.NAME, f"{1:032x}")
    home.held(3, album_affinity.NAME, ALBUM)
    home.world.downloads.transitions.mark_used(f"{2:032x}")

    (leavers,) = home.leavers.all(ANNE, 2)

    # The favourite stays; what nobody wants goes first, and of those what was used goes later.
    assert (leavers.total, leavers.bytes) == (3, rough_size(3 * len(BODY)))
    assert [(one.title, one.standing, one.was_used) for one in leavers.first] == [
        ("Tone 4", EvictionClass.NOTHING, False),
        (None, EvictionClass.NOTHING, True),
    ]
    (everything,) = home.leavers.all(EVE, 50)
    assert [one.title for one in everything.first] == ["Tone 4", "Tone 2", "Tone 3"]
    assert home.leavers.all(Person("c" * 32, "carl", is_admin=False), 5) == []


def test_sizes_are_rough_even_if_only_the_last_to_go_is_of_somebody_else(home: Home) -> None:
    with home.world.db.write():
        home.world.db.sql(MANY_FILES, (json.dumps([*range(1000, 1000 + FEW)]), STICK, ANN))
    size = 1001 * FEW
    (leavers,) = home.leavers.all(ANNE, 2)
    assert (leavers.total, leavers.bytes) == (FEW, size)
    assert rough_size(size) != size

    home.arrived(1, user=BEN.user_id)
    home.world.downloads.transitions.mark_used(f"{1:032x}")

    (leavers,) = home.leavers.all(ANNE, 2)
    assert (leavers.total, leavers.bytes) == (FEW + 1, rough_size(size + len(BODY)))
    assert all(one.title for one in leavers.first)


MANY_FILES = """INSERT INTO downloads (item_id, device_id, user_id, status, title, item_type,
        search_key, file_path, path_key, priority, queued_at, format, file_size, completed_at)
    SELECT value, ?2, ?3, 'completed', 't', 'Audio', 't', value, value, 0, 0, 'original', 1001, 1
    FROM json_each(?1)"""
