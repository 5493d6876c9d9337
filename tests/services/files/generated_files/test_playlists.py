"""What playlists lie on a device: a real folder, a real database, and a clock that is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from sidecar.config import DeviceSettings
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Download
from sidecar.domain.files.presets import PRESETS, PresetName
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.rules.context import Chosen
from sidecar.domain.rules.favourite_state import FavouriteState
from sidecar.domain.wishes import PIN, Reason, Wish
from sidecar.errors import DeviceError
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.files.generated_files.playlists import PlaylistWriter
from sidecar.services.health.problems import Problems
from sidecar.services.rules.wishes import WishService
from sidecar.store.downloads.queue import FilePlace
from sidecar.store.files.completed import CompletedFiles
from sidecar.store.rules.device_playlists import DevicePlaylists
from sidecar.store.rules.playlist_orders import PlaylistOrders
from sidecar.store.rules.playlists import ChosenPlaylists
from tests.domain.files.test_m3u import read_back
from tests.services.conftest import ANN, STICK, World, registry_of, track

BEN = "b" * 32
ROAD = Chosen(playlist_id="1" * 32, title="Road trip")
SLOW = Chosen(playlist_id="2" * 32, title="Slow")
LIST = "Playlists/Road trip.m3u8"
TITLES = ("💃🏽 Dance", "#1 Hit", "Wait...", "a\nb", "שלום עולם", "Plain", "AC/DC: Live?")


@dataclass
class Written:
    """A stick, its writer, and what lies on it."""

    world: World
    stick: Path
    registry: DeviceRegistry
    writer: PlaylistWriter
    orders: PlaylistOrders
    chosen: ChosenPlaylists

    @property
    def preset_name(self) -> PresetName:
        return self.registry.get(STICK).settings.preset

    def begins(self, item: Item) -> Download:
        """Let a file be fetched."""
        world, shape = self.world, PRESETS[self.preset_name].shape
        planning = WishService(
            world.db, world.holds, world.downloads, world.clock, shape_of=lambda _: shape
        )
        planning.hold(
            [Wish(ANN, STICK, item, Reason(PIN, item.id, "x"))], lambda _: {item.id: item}
        )
        (running,) = world.downloads.queue.claim_together(world.clock.now(), at_most=1)
        return running

    def brings(self, *items: Item) -> list[Download]:
        """Let files arrive."""
        found = []
        for item in items:
            running = self.begins(item)
            (self.stick / running.file_path).parent.mkdir(parents=True, exist_ok=True)
            (self.stick / running.file_path).write_bytes(b"?" * 1000)
            self.world.downloads.transitions.mark_arrived(
                running, size=1000, content_hash="0" * 32, mime_type=None
            )
            there = self.world.downloads.queries.get(running.id)
            assert there is not None
            found.append(there)
        return found

    def lists(self, order: Sequence[int], chosen: Chosen = ROAD, user: str = ANN) -> None:
        """Let somebody's playlist be chosen and listed."""
        self.chosen.choose(user, STICK, chosen)
        self.orders.learn(user, chosen.playlist_id, [track(one).id for one in order])

    def after(self, seconds: float) -> None:
        """Let time pass, second by second."""
        for _ in range(int(seconds)):
            self.world.clock.advance(1)
            self.writer.step()

    def files(self) -> list[str]:
        """The playlists on the stick."""
        found = [*self.stick.rglob("*.m3u8"), *self.stick.rglob("*.m3u")]
        return sorted(str(one.relative_to(self.stick)) for one in found)

    def paths(self, path: str = LIST) -> list[str]:
        """What a playlist leads to."""
        return read_back((self.stick / path).read_bytes(), PRESETS[self.preset_name])

    def numbers(self, path: str = LIST) -> list[int]:
        """The numbers of the tracks that a playlist leads to, all of which are there."""
        found = self.paths(path)
        assert all((self.stick / one).is_file() for one in found)
        return [int(Path(one).stem.rpartition(" ")[2]) for one in found]


@dataclass
class Setting:
    """What is set of the stick now; may be changed."""

    changed: dict[str, object]

    def __call__(self, device_id: str, configured: DeviceSettings) -> DeviceSettings:
        return configured.with_changes(self.changed)


@pytest.fixture
def setting() -> Setting:
    return Setting({})


@pytest.fixture
def settings(tmp_path: Path) -> DeviceSettings:
    return DeviceSettings(name="Car stick", path=tmp_path / "stick", users=("ann", "ben"))


@pytest.fixture
def written(world: World, settings: DeviceSettings, setting: Setting) -> Iterator[Written]:
    settings.path.mkdir()
    write_marker(settings.path, Marker(STICK, "Car stick"))
    ann = world.accounts.get(ANN)
    assert ann is not None
    world.accounts.save(replace(ann, user_id=BEN, name="ben", jellyfin_device_id="sidecar-ben"))
    problems = Problems(world.bus)
    registry = registry_of(world, settings, problems=problems, current=setting)
    orders = PlaylistOrders(world.db, world.bus)
    writer = PlaylistWriter(
        registry=registry,
        orders=orders,
        lists=DevicePlaylists(world.db),
        on_device=CompletedFiles(world.db),
        problems=problems,
        clock=world.clock,
    )
    world.bus.subscribe(writer.hear)
    chosen = ChosenPlaylists(world.db)
    yield Written(world, settings.path, registry, writer, orders, chosen)
    registry.close()


def test_a_chosen_playlist_is_written_in_its_order_with_its_repeats(written: Written) -> None:
    written.lists([3, 1, 9, 3, 2])
    written.brings(track(1), track(2), track(3))

    written.after(1)

    assert written.files() == [LIST]
    assert written.numbers() == [3, 1, 3, 2]
    text = (written.stick / LIST).read_text(encoding="utf-8")
    assert text.startswith("#EXTM3U\n#PLAYLIST:Road trip\n#EXTINF:-1,The Sine Waves - Tone 3\n../")


def test_what_is_on_its_way_is_in_it_as_soon_as_it_is_there(written: Written) -> None:
    written.lists([1, 2])
    written.brings(track(1))
    written.after(1)
    assert written.numbers() == [1]

    written.brings(track(2))
    written.after(3)

    assert written.numbers() == [1, 2]


def test_what_went_is_not_in_it_any_more(written: Written) -> None:
    written.lists([1, 2])
    one, _ = written.brings(track(1), track(2))
    written.after(1)

    (written.stick / one.file_path).unlink()
    written.world.downloads.transitions.mark_missing(one)
    written.after(30)

    assert written.numbers() == [2]


def test_another_order_is_written_soon(written: Written) -> None:
    written.lists([1, 2])
    written.brings(track(1), track(2))
    written.after(10)

    written.lists([2, 1])
    written.after(4)

    assert written.numbers() == [2, 1]


def test_a_file_that_a_person_moved_is_followed(written: Written) -> None:
    written.lists([1])
    (one,) = written.brings(track(1))
    written.after(10)
    (written.stick / "Elsewhere").mkdir()
    (written.stick / one.file_path).rename(written.stick / "Elsewhere/Tone 1.flac")

    moved = FilePlace("Elsewhere/Tone 1.flac", "elsewhere/tone 1.flac")
    assert written.world.downloads.queue.follow(one, moved)
    written.after(4)

    assert written.paths() == ["Elsewhere/Tone 1.flac"]


def test_the_second_time_nothing_is_written(written: Written) -> None:
    written.lists([1, 2])
    written.brings(track(1), track(2))
    written.after(1)
    record = written.stick / ".sidecar" / "own.json"
    # Not the whole `stat`: to be read may change when a file was read last.
    before = [(one, one.stat().st_ctime_ns) for one in (written.stick / LIST, record)]

    for _ in range(3):
        written.writer.changed()
        written.after(40)

    assert [(one, one.stat().st_ctime_ns) for one, _ in before] == before


def test_a_playlist_that_is_not_chosen_any_more_goes_and_its_folder_with_it(
    written: Written,
) -> None:
    written.lists([1])
    written.brings(track(1))
    written.after(1)
    assert (written.stick / "Playlists").is_dir()

    written.chosen.drop(ANN, STICK, ROAD.playlist_id)
    written.after(600)

    assert written.files() == []
    assert not (written.stick / "Playlists").exists()


def test_a_playlist_whose_order_nobody_knows_keeps_the_file_that_is_there(
    written: Written,
) -> None:
    written.lists([1])
    written.brings(track(1))
    written.after(1)
    written.world.db.sql("DELETE FROM playlist_orders")

    written.writer.changed()
    written.after(40)

    assert written.numbers() == [1]


def test_a_renamed_playlist_has_a_file_of_its_new_name_only(written: Written) -> None:
    written.lists([1])
    written.brings(track(1))
    written.after(1)

    written.orders.record_seen(ANN, ROAD.playlist_id, "Long way")
    written.after(4)

    assert written.files() == ["Playlists/Long way.m3u8"]
    assert written.numbers("Playlists/Long way.m3u8") == [1]


def test_only_one_that_is_gone_for_certain_goes(written: Written) -> None:
    written.lists([1])
    written.brings(track(1))
    hour, clock = timedelta(hours=1), written.world.clock
    written.orders.record_missing(ANN, ROAD.playlist_id, clock.now(), sure_after=hour)
    written.after(1)
    assert written.numbers() == [1]

    clock.advance(3600)
    written.orders.record_missing(ANN, ROAD.playlist_id, clock.now(), sure_after=hour)
    written.after(4)

    assert written.files() == []


def test_a_strangers_list_stays_byte_for_byte_and_ours_gets_another_name(
    written: Written,
) -> None:
    (written.stick / "Playlists").mkdir()
    theirs = [written.stick / "Playlists" / one for one in ("x.m3u8", "road TRIP.m3u8")]
    for one in theirs:
        one.write_bytes(b"#EXTM3U\r\nmine.mp3\r\n")
    written.lists([1])
    written.brings(track(1))

    written.after(1)

    assert written.numbers("Playlists/Road trip [11111111].m3u8") == [1]
    written.chosen.drop(ANN, STICK, ROAD.playlist_id)
    written.after(600)
    assert written.files() == ["Playlists/road TRIP.m3u8", "Playlists/x.m3u8"]
    assert {one.read_bytes() for one in theirs} == {b"#EXTM3U\r\nmine.mp3\r\n"}


def test_a_list_that_a_person_has_changed_waits_for_their_answer_and_gets_no_twin(
    written: Written,
) -> None:
    written.lists([1])
    written.brings(track(1))
    written.after(1)
    (written.stick / LIST).write_bytes(b"#EXTM3U\nmine.mp3\n")

    written.brings(track(2))
    written.lists([2, 1])
    written.after(30)

    assert (written.stick / LIST).read_bytes() == b"#EXTM3U\nmine.mp3\n"
    assert written.files() == [LIST]
    # Somebody has said that Jellyfin's stays as it is: what is there may be replaced.
    lists = DevicePlaylists(written.world.db)
    (there,) = [lists.of(STICK)[LIST]]
    lists.put(STICK, LIST, replace(there, paths=()))
    written.writer.changed()
    written.after(60)
    assert written.numbers(LIST) == [2, 1]


def test_a_list_that_was_not_ours_has_its_name_and_ours_gets_another(written: Written) -> None:
    (written.stick / "Playlists").mkdir()
    (written.stick / LIST).write_bytes(b"#EXTM3U\nmine.mp3\n")
    written.lists([1])
    written.brings(track(1))

    written.after(1)

    assert (written.stick / LIST).read_bytes() == b"#EXTM3U\nmine.mp3\n"
    assert written.numbers("Playlists/Road trip [11111111].m3u8") == [1]


def test_a_folder_that_is_a_file_of_a_strangers_costs_no_more_than_the_lists(
    written: Written,
) -> None:
    (written.stick / "Playlists").write_text("mine")
    written.lists([1])
    written.brings(track(1))

    written.after(1)

    assert written.files() == []
    assert (written.stick / "Playlists").read_text() == "mine"
    assert written.registry.blocked() == set()


def test_two_playlists_of_the_same_name_are_two_files(written: Written) -> None:
    written.lists([1])
    written.lists([2], Chosen(playlist_id="3" * 32, title="ROAD TRIP"), BEN)
    written.brings(track(1), track(2))

    written.after(1)

    assert written.numbers() == [1]
    assert written.numbers("Playlists/ROAD TRIP [33333333].m3u8") == [2]


def test_a_playlist_that_two_chose_is_one_file(written: Written) -> None:
    written.chosen.choose(BEN, STICK, ROAD)
    written.lists([2, 1])
    written.brings(track(1), track(2))

    written.after(1)

    assert written.files() == [LIST]
    assert written.numbers() == [2, 1]


def heart(written: Written, user: str, number: int, *, on: bool = True) -> None:
    written.world.hearts.save(
        user, track(number).id, ItemType.AUDIO, FavouriteState(is_favorite=on)
    )


def test_who_is_alone_with_their_hearts_has_favourites(written: Written) -> None:
    written.brings(track(1), track(2), track(3))
    heart(written, ANN, 3)
    heart(written, ANN, 1)
    heart(written, BEN, 7)

    written.after(1)

    assert written.files() == ["Playlists/Favourites.m3u8"]
    assert written.numbers("Playlists/Favourites.m3u8") == [1, 3]


def test_of_several_people_each_has_favourites_with_a_name(written: Written) -> None:
    written.brings(track(1), track(2))
    heart(written, ANN, 1)
    written.after(1)
    heart(written, BEN, 2)
    written.after(600)

    assert written.files() == [
        "Playlists/Favourites (ann).m3u8",
        "Playlists/Favourites (ben).m3u8",
    ]
    assert written.numbers("Playlists/Favourites (ben).m3u8") == [2]


def test_people_whose_files_do_not_go_there_have_no_lists_there(
    written: Written, setting: Setting, world: World
) -> None:
    ben = world.accounts.get(BEN)
    assert ben is not None
    world.accounts.save(replace(ben, name="carl"))
    written.brings(track(1))
    heart(written, BEN, 1)
    written.lists([1], SLOW, BEN)

    written.after(1)

    assert written.files() == []


@pytest.mark.parametrize("name", PresetName)
def test_every_entry_leads_to_a_file_whatever_it_is_called(
    written: Written, setting: Setting, name: PresetName
) -> None:
    setting.changed["preset"] = name.value
    items = [
        track(number, title=title, artist=title, album=title, extension="mp3")
        for number, title in enumerate(TITLES, 1)
    ]
    written.brings(*items)
    for title in TITLES:
        chosen = Chosen(playlist_id=f"{TITLES.index(title):032x}"[::-1], title=title)
        written.lists(range(1, len(TITLES) + 1), chosen)

    written.after(1)

    assert len(written.files()) == len(TITLES)
    for path in written.files():
        found = written.paths(path)
        assert len(found) == len(TITLES)
        assert all((written.stick / one).is_file() for one in found)


def test_a_device_that_becomes_another_player_has_its_lists_where_that_wants_them(
    written: Written, setting: Setting
) -> None:
    written.lists([2, 1])
    written.brings(track(1), track(2))
    written.after(1)

    setting.changed["preset"] = "car"
    written.writer.changed(STICK)
    written.after(30)

    assert written.files() == ["Road trip.m3u"]
    assert written.numbers("Road trip.m3u") == [2, 1]
    assert (written.stick / "Road trip.m3u").read_bytes().startswith(b"\xef\xbb\xbf#EXTM3U\r\n")


def test_a_car_gets_another_folder_when_one_is_full(written: Written, setting: Setting) -> None:
    setting.changed["preset"] = "car"
    songs = [
        replace(track(number), artist=None, album=None, number=None) for number in range(1, 258)
    ]

    found = written.brings(*songs)

    folders = [Path(one.file_path).parent.name for one in found]
    assert (
        folders[254:]
        == ["Unknown Artist - Unknown Album"] + ["Unknown Artist - Unknown Album 2"] * 2
    )


def test_nothing_is_written_to_a_device_in_trouble(written: Written) -> None:
    written.lists([1])
    written.brings(track(1))
    written.registry.trouble(STICK, DeviceError("read-only", "It is read-only"))

    written.after(100)

    assert written.files() == []


def test_nothing_is_written_to_a_device_that_is_paused(written: Written, setting: Setting) -> None:
    written.lists([1])
    written.brings(track(1))
    setting.changed["paused"] = True

    written.after(100)

    assert written.files() == []


def test_a_list_that_would_take_room_from_music_stays_as_it_was(
    written: Written, setting: Setting
) -> None:
    written.lists([1])
    written.brings(track(1))
    written.after(1)
    setting.changed["budget"] = 12_000
    written.lists([1, 1])

    written.after(40)

    assert written.numbers() == [1]


def test_a_device_that_comes_back_gets_what_changed_meanwhile(
    written: Written, world: World
) -> None:
    written.lists([1, 2])
    written.brings(track(1), track(2))
    written.after(1)
    written.registry.close()
    written.lists([2, 1])
    before = (written.stick / LIST).read_bytes()
    written.after(5)
    assert (written.stick / LIST).read_bytes() == before

    written.registry.look(settle=lambda _device: None)
    written.after(1)

    assert written.numbers() == [2, 1]


def test_what_could_not_be_written_is_tried_again(written: Written) -> None:
    in_the_way = written.stick / ".sidecar" / "own.draft"
    in_the_way.mkdir()
    written.lists([1])
    written.brings(track(1))
    written.after(20)
    assert written.files() == []

    in_the_way.rmdir()
    written.after(40)

    assert written.numbers() == [1]


def of_album(number: int, album: str, **facts: object) -> Item:
    return track(number, album=album, album_id=f"{len(album):032x}", **facts)


def test_albums_have_lists_in_their_order_if_that_is_wanted(
    written: Written, setting: Setting
) -> None:
    written.brings(*(of_album(one, "First Light") for one in (10, 2, 1)))
    written.brings(of_album(3, "A single"), of_album(4, "Guests"))
    written.brings(of_album(5, "Guests", artist="Somebody: else"))
    written.after(5)
    assert written.files() == []

    setting.changed["album_playlists"] = True
    written.writer.changed(STICK)
    written.after(5)

    light, guests = "Playlists/The Sine Waves - First Light.m3u8", "Playlists/Guests.m3u8"
    assert written.files() == [guests, light]
    assert written.numbers(light) == [1, 2, 10]
    assert written.numbers(guests) == [5, 4]

    setting.changed["album_playlists"] = False
    written.writer.changed(STICK)
    written.after(5)
    assert written.files() == []
