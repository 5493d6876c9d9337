from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ByteSize

from sidecar.config import DeviceSettings
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Download
from sidecar.errors import DeviceError, NotVisible
from sidecar.jellyfin.client import Jellyfin
from sidecar.process.shares import Shares
from sidecar.services.accounts.person import Person
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.downloads.views import DownloadView
from sidecar.services.files.presence import FilePresence
from sidecar.services.files.search import FileQuery, FileSearch
from sidecar.services.files.streaming import (
    Local,
    MediaStreaming,
    NoFile,
    TooManyStreams,
    UsageTracker,
)
from sidecar.store.downloads.insert import FilePlace, NewDownload
from sidecar.store.files.search import FileIndex
from tests.services.conftest import ANN, STICK, World, as_shown, owned, registry_of, track

ANNE = Person(ANN, "ann", is_admin=False)
BEN = Person("b" * 32, "ben", is_admin=False)
EVE = Person("e" * 32, "eve", is_admin=True)
BODY = b"sound" * 1000


@dataclass
class Home:
    """A stick with files, and everything that looks at them."""

    world: World
    stick: Path
    registry: DeviceRegistry
    offline: FileSearch
    media: MediaStreaming

    def arrived(self, number: int) -> Download:
        path = f"Artist/{number}.flac"
        (self.stick / "Artist").mkdir(exist_ok=True)
        (self.stick / path).write_bytes(BODY)
        place = FilePlace(path, path.casefold())
        item = track(number)
        downloads = self.world.downloads
        downloads.queue.add_all(
            [NewDownload(item=item, device_id=STICK, user_id=ANN, places=[place])]
        )
        (running,) = downloads.queue.claim_together(self.world.clock.now(), at_most=1)
        downloads.transitions.mark_arrived(
            running, size=len(BODY), content_hash="0" * 32, mime_type="audio/flac"
        )
        there = downloads.queries.get(running.id)
        assert there is not None
        return there

    def available(self, person: Person = ANNE) -> list[tuple[str, bool]]:
        found = self.offline.files(person, FileQuery())
        assert found.total == len(found.items)
        return [(one.view.title, one.sight.is_available) for one in found.items]


@pytest.fixture
def home(world: World, tmp_path: Path) -> Iterator[Home]:
    stick = tmp_path / "stick"
    stick.mkdir()
    write_marker(stick, Marker(STICK, "Car stick"))
    settings = DeviceSettings(name="Car stick", path=stick, reserve=ByteSize(0))
    registry = registry_of(world, settings)
    looking = FilePresence(registry, world.devices)

    def views(_person: Person, rows: Sequence[Download]) -> Sequence[DownloadView]:
        return [as_shown(row) for row in rows]

    def nobody(_user_id: str) -> Jellyfin:
        raise AssertionError("Jellyfin was asked")

    offline = FileSearch(
        offline=FileIndex(world.db),
        devices=world.devices,
        looking=looking,
        views=views,
        listed=owned(world).listed,
    )
    media = MediaStreaming(
        offline=offline,
        looking=looking,
        visible=owned(world).visible,
        client=nobody,
        streams=Shares(3, 2),
        uses=UsageTracker(world.downloads.transitions.mark_used, world.clock),
    )
    yield Home(world, stick, registry, offline, media)
    registry.close()


def test_a_file_is_available_only_while_it_is_really_there(home: Home) -> None:
    first, second, third = home.arrived(1), home.arrived(2), home.arrived(3)
    (home.stick / second.file_path).unlink()
    (home.stick / third.file_path).write_bytes(b"something else")

    assert home.available() == [("Tone 3", False), ("Tone 2", False), ("Tone 1", True)]

    sights = {
        one.id: home.offline.item(ANNE, one.item_id)[0].sight for one in (first, second, third)
    }
    assert sights[first.id].path == home.stick / first.file_path
    assert sights[second.id].text == "The file of Tone 2 is not on Car stick any more"
    assert sights[third.id].text == ("The file of Tone 3 on Car stick is not the one that arrived")


def test_nothing_is_available_on_a_device_that_is_not_there(home: Home, tmp_path: Path) -> None:
    one = home.arrived(1)
    home.stick.rename(tmp_path / "elsewhere")

    (file,) = home.offline.item(ANNE, one.item_id)

    assert not file.sight.is_available
    assert file.sight.text is not None
    assert "Car stick is not there" in file.sight.text
    with pytest.raises(DeviceError):
        home.media.open(ANNE, one.id)


def test_an_empty_folder_at_the_place_of_the_device_is_no_device(
    home: Home, tmp_path: Path
) -> None:
    one = home.arrived(1)
    home.stick.rename(tmp_path / "elsewhere")
    (home.stick / "Artist").mkdir(parents=True)
    (home.stick / one.file_path).write_bytes(BODY)

    assert home.available() == [("Tone 1", False)]


def test_a_link_in_the_place_of_a_file_leads_nowhere(home: Home, tmp_path: Path) -> None:
    one = home.arrived(1)
    secret = tmp_path / "secret"
    secret.write_bytes(BODY)
    (home.stick / one.file_path).unlink()
    (home.stick / one.file_path).symlink_to(secret)

    assert home.available() == [("Tone 1", False)]
    with pytest.raises(NoFile, match="not on Car stick any more"):
        home.media.open(ANNE, one.id)
    (home.stick / "Artist").rename(tmp_path / "moved")
    (home.stick / "Artist").symlink_to(tmp_path / "moved")
    assert home.available() == [("Tone 1", False)]


def test_everybody_finds_and_opens_their_own(home: Home) -> None:
    one = home.arrived(1)

    assert home.available(BEN) == []
    assert home.available(EVE) == [("Tone 1", True)]
    for ask in (
        lambda: home.offline.item(BEN, one.item_id),
        lambda: home.offline.item(ANNE, "9" * 32),
        lambda: home.media.open(BEN, one.id),
        lambda: home.media.open(ANNE, 99),
    ):
        with pytest.raises(NotVisible):
            ask()


def test_a_device_is_asked_for_by_its_name_or_its_id(home: Home) -> None:
    home.arrived(1)

    for device, found in (("Car stick", 1), (STICK, 1), ("another", 0)):
        assert home.offline.files(ANNE, FileQuery(device_id=device)).total == found


def test_an_open_file_is_the_one_that_arrived(home: Home) -> None:
    one = home.arrived(1)

    with home.media.open(ANNE, one.id).file as file:
        assert file.read() == BODY
    found = home.media.open(ANNE, one.id)
    found.file.close()
    assert (found.size, found.name, found.mime_type) == (len(BODY), "1.flac", "audio/flac")
    assert home.media.source(ANNE, one.item_id) == Local(one.id, home.stick / one.file_path)
    (home.stick / one.file_path).write_bytes(BODY + b"more")
    with pytest.raises(NoFile, match="not the one that arrived"):
        home.media.open(ANNE, one.id)


def test_what_is_still_on_its_way_is_not_there_yet(home: Home) -> None:
    home.world.downloads.queue.add_all(
        [NewDownload(item=track(5), device_id=STICK, user_id=ANN, places=[FilePlace("5", "5")])]
    )

    (file,) = home.offline.item(ANNE, track(5).id)

    assert file.sight.text == "Tone 5 has not arrived, or is not kept any more"
    with pytest.raises(NoFile):
        home.media.open(ANNE, file.view.id)


def test_a_use_makes_a_file_the_last_one_to_go(home: Home) -> None:
    first, second = home.arrived(1), home.arrived(2)
    for one in (second, first, first):
        found = home.media.open(ANNE, one.id)
        home.media.note_use(ANNE, found)
        found.file.close()

    used = [home.world.downloads.queries.get(one.id) for one in (first, second)]
    assert [one.last_used_seq for one in used if one] == [2, 1]


def test_each_person_plays_a_few_files_at_once_and_all_together_some_more(home: Home) -> None:
    home.media.begin(ANNE)
    end = home.media.begin(ANNE)

    with pytest.raises(TooManyStreams, match="You play too many") as own:
        home.media.begin(ANNE)
    home.media.begin(BEN)
    with pytest.raises(TooManyStreams, match="Too many files are played") as full:
        home.media.begin(BEN)

    assert (own.value.is_own, full.value.is_own) == (True, False)
    end()
    home.media.begin(BEN)
