from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from PIL import Image

from sidecar.domain.files.naming import make_path_key
from sidecar.services.identity.renaming import FileRenaming
from sidecar.store.downloads.insert import FilePlace
from sidecar.store.files.companions import CompanionFiles
from tests.fakes.libraries.tiny import track
from tests.services.conftest import STICK
from tests.services.identity.house import MovingHouse, moving_house, tracks
from tests.statements import trace

ALBUM = "Music/Duo/Twin (2001)"
LOOSE = "Music/Duo/Loose (2001)"


def test_what_the_covers_wait_for_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with moving_house(tmp_path, tracks(2), change=lambda facts: facts.update(lyrics=True)) as house:
        house.fill(*house.items())
        house.server.stop()
        writer = house.services.background.companions

        for _ in range(5):
            house.clock.advance(61)
            writer.step()

        assert caplog.text.count("the covers of Car stick waits") == 1


def test_a_stop_waits_for_the_cover_that_is_just_written(tmp_path: Path) -> None:
    albums = [f"Music/Duo/{name} (2001)" for name in ("One", "Two", "Three")]
    with moving_house(tmp_path, [track(one, 1, "Song") for one in albums]) as house:
        for one in albums:
            put_picture(house, one)
        house.rescan(covers={one: f"covers/{one.rpartition('/')[2]}.jpg" for one in albums})
        house.fill(*house.items())
        # What is written after the stop has a second.
        trace(house.store.db, lambda _: house.clock.advance(2))

        house.services.background.companions.run(StopAfterFirst(house))

        trace(house.store.db, None)
        assert len(pictures(house)) == 1


class StopAfterFirst(Event):
    """A stop that comes with the first picture on the stick."""

    def __init__(self, house: MovingHouse) -> None:
        super().__init__()
        self._house = house

    def is_set(self) -> bool:
        return bool(pictures(self._house))


def put_picture(house: MovingHouse, album: str) -> None:
    place = house.library / "covers" / f"{album.rpartition('/')[2]}.jpg"
    place.parent.mkdir(exist_ok=True)
    Image.new("RGB", (64, 64), "red").save(place)


def pictures(house: MovingHouse) -> dict[str, bytes]:
    return {
        one.relative_to(house.stick).as_posix(): one.read_bytes()
        for one in house.stick.rglob("*.jpg")
    }


def look_beside(house: MovingHouse) -> None:
    for _ in range(2):
        house.clock.advance(3700)
        house.services.background.companions.step()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[MovingHouse]:
    """An album with a picture, and a track that is on no album."""
    loose = track(LOOSE, 1, "Alone", album=None, album_artists=["Duo"])
    entries = [track(ALBUM, 1, "One"), track(ALBUM, 2, "Two"), loose]
    with moving_house(tmp_path, entries) as house:
        put_picture(house, ALBUM)
        house.rescan(covers={ALBUM: "covers/Twin (2001).jpg"})
        house.fill(*house.items())
        yield house


def test_the_cover_has_the_name_that_the_player_looks_for_and_follows_the_preset(
    house: MovingHouse,
) -> None:
    admin = house.person("admin")
    look_beside(house)
    (written,) = pictures(house).items()
    asked = len(house.server.paths)

    assert written[0] == "Duo/Twin (2001)/cover.jpg"
    for preset, name in (("car", "folder.jpg"), ("android", "AlbumArt.jpg")):
        house.services.web.settings.change(admin, STICK, {"preset": preset}, {})
        look_beside(house)
        assert pictures(house) == {f"Duo/Twin (2001)/{name}": written[1]}
    assert len(house.server.paths) == asked


def test_the_picture_of_the_album_comes_before_that_of_a_track(house: MovingHouse) -> None:
    house.store.db.sql("UPDATE downloads SET image_item_id = item_id, image_tag = 'own'")

    look_beside(house)

    assert list(pictures(house)) == ["Duo/Twin (2001)/cover.jpg"]


def test_what_is_renamed_while_its_companions_are_fetched_is_looked_at_again(
    house: MovingHouse,
) -> None:
    """What was fetched lies beside the old name, and goes from there."""
    files, row = CompanionFiles(house.store.db), house.row("One")
    found = files.waiting(STICK, 10)
    new = f"{ALBUM}/renamed.flac"
    assert house.store.downloads.queue.follow(row, FilePlace(new, make_path_key(new)))

    files.note(found)

    assert [one.path for one in files.waiting(STICK, 10)] == [new]


def test_where_files_of_different_albums_lie_together_there_is_no_cover(
    house: MovingHouse,
) -> None:
    look_beside(house)
    assert list(pictures(house)) == ["Duo/Twin (2001)/cover.jpg"]
    house.store.db.sql("UPDATE downloads SET album_id = ? WHERE title = 'Two'", ("f" * 32,))

    look_beside(house)

    assert pictures(house) == {}


def test_the_cover_of_what_a_lost_database_has_put_there_stays_with_it(house: MovingHouse) -> None:
    look_beside(house)
    house.services.background.index.step()
    house.store.db.sql("DELETE FROM downloads")

    look_beside(house)
    house.services.background.index.step()
    look_beside(house)
    assert list(pictures(house)) == ["Duo/Twin (2001)/cover.jpg"]

    for one in house.stick.glob("Duo/Twin (2001)/*.flac"):
        one.unlink()
    look_beside(house)
    assert pictures(house) == {}


def test_each_album_has_its_cover_when_a_shared_folder_is_taken_apart(house: MovingHouse) -> None:
    house.store.db.sql("UPDATE downloads SET album_id = ? WHERE title = 'Two'", ("f" * 32,))
    look_beside(house)
    assert pictures(house) == {}
    second = house.row("Two")
    path = f"Duo/Twin (2001) [ffffffff]/{second.file_path.rpartition('/')[2]}"
    house.store.downloads.identity.plan_renames({second.id: path})

    services = house.services
    FileRenaming(house.store.downloads, services.devices.registry, house.bus).step()
    look_beside(house)

    assert sorted(pictures(house)) == [
        "Duo/Twin (2001) [ffffffff]/cover.jpg",
        "Duo/Twin (2001)/cover.jpg",
    ]
