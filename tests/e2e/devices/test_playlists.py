"""Playlists that people choose lie on their devices as files, through the whole product."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.config import DeviceSettings, JellyfinSettings, ServerSettings, Settings
from sidecar.config.settings import NetworkSettings
from sidecar.demo.protocol.messages import Reply, Request, empty_reply
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.demo.state.timing import Timing
from sidecar.domain.transfers.network import Use
from sidecar.runtime import Runtime
from tests.e2e.conftest import Person
from tests.e2e.household import HouseClock, Page, page_of
from tests.fakes.libraries.tiny import LIBRARIES, track, write
from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

# Faster, and a machine under load takes its own slowness for a connection that died.
SPEED = 6.0
TIMING = Timing(user_data_s=0.05, library_changed_s=0.1)
ALBUM = "Music/Kettle/Steam (2005)"
TITLES = ("💃🏽 Dance", "#1 Hit", "Wait...", "Tea\nTime", "שלום עולם")
STRANGERS = b"#EXTM3U\r\n..\\My own\\song.mp3\r\n"


@dataclass
class Telling(DemoServer):
    """A demo server that notes what it is asked for, and fails at playlists when told to.

    Unlike a server in trouble it answers everything else.
    """

    def __init__(self, library: Path, speaks: Version) -> None:
        self.asked: list[str] = []
        self.is_failing = False
        super().__init__(library, speaks=speaks, timing=TIMING)

    def answer(self, request: Request) -> Reply:
        self.asked.append(request.path)
        if self.is_failing and request.path.startswith("/Playlists/"):
            return empty_reply(HTTPStatus.INTERNAL_SERVER_ERROR)
        return super().answer(request)


@dataclass
class Home:
    """Ann, her page, her stick, and a playlist of hers with awkward titles."""

    server: Telling
    clock: HouseClock
    ann: Person
    page: Page
    stick: Path
    settings: Settings
    runtime: Runtime
    device: str = ""
    playlist: str = ""
    ids: list[str] = field(default_factory=list)

    def change(self, **what: str | list[str]) -> None:
        """Change the playlist in Jellyfin."""
        path = f"{self.server.url}/Playlists/{self.playlist}"
        self.ann.session.post(path, json={**what}, timeout=PATIENCE_S).raise_for_status()

    def choose(self) -> None:
        assert self.page.ask("PUT", f"/devices/{self.device}/playlists/{self.playlist}").ok

    def titles(self, name: str = "Road trip.m3u8", folder: str = "Playlists") -> list[str]:
        """The titles of the files that a list leads to, all of which are there."""
        file = self.stick / folder / name
        if not file.exists():
            return []
        found = []
        for line in file.read_text(encoding="utf-8-sig").splitlines():
            if not line.startswith("#"):
                path = posixpath.normpath(posixpath.join(folder, line))
                assert (self.stick / path).is_file(), line
                downloads = self.page.downloads(self.device).values()
                found += [one["title"] for one in downloads if one["file_path"] == path]
        return found

    def shows(self, *numbers: int, name: str = "Road trip.m3u8", folder: str = "Playlists") -> None:
        """Wait until a list leads to the files of these titles."""
        wanted = [TITLES[one] for one in numbers]
        wait_until(lambda: self.titles(name, folder) == wanted, what=f"{name}: {wanted}")

    def rest(self) -> None:
        """Let everything be written that is to be written."""
        writes = self.clock.monotonic() + 20
        wait_until(lambda: self.clock.monotonic() > writes, what="a rest")


def facts(file: Path) -> tuple[int, int, int]:
    """What changes with every writing of a file."""
    there = file.stat()
    return there.st_ino, there.st_size, there.st_mtime_ns


@pytest.fixture
def home(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Home]:
    tracks = [
        track(ALBUM, number, f"file {number}") | {"title": title}
        for number, title in enumerate(TITLES, 1)
    ]
    listed = {
        "version": 1,
        "libraries": LIBRARIES[:1],
        "tracks": tracks,
        "films": [],
        "episodes": [],
        "covers": {},
        "playlists": [
            {
                "name": "Road trip",
                "owner": "ann",
                "tracks": [tracks[one]["path"] for one in (4, 0, 2, 1, 3)],
            }
        ],
    }
    write(tmp_path / "library", listed)
    clock, stick = HouseClock(SPEED), tmp_path / "stick"
    (stick / "Playlists").mkdir(parents=True)
    (stick / "Playlists" / "x.m3u8").write_bytes(STRANGERS)
    with ExitStack() as open_now:
        speaks = getattr(request, "param", Version.V12_0)
        server = open_now.enter_context(Telling(tmp_path / "library", speaks))
        settings = _settings(tmp_path, server.url)
        running = open_now.enter_context(Runtime(settings, clock))
        ann = Person(server.url, "ann").sign_in()
        open_now.callback(ann.session.close)
        page = open_now.enter_context(page_of(running.url, "ann", "ann"))
        wait_until(lambda: bool(page.get("/devices")["items"]), what="a device")
        home = Home(server, clock, ann, page, stick, settings, running, page.device("Stick"))
        home.playlist = ann.item("Road trip", "Playlist")
        found = ann.tracks()
        home.ids = [found[one] for one in TITLES]
        yield home


def _settings(folder: Path, url: str) -> Settings:
    return Settings(
        jellyfin=JellyfinSettings(url=url, username="ann", password=SecretStr("ann")),
        server=ServerSettings(port=0, data_dir=folder / "data"),
        network=NetworkSettings(use=Use.ANY),
        devices=(DeviceSettings(name="Stick", path=folder / "stick", users=("ann",)),),
    )


@pytest.mark.parametrize("home", [Version.V10_11, Version.V12_0], ids=str, indirect=True)
def test_a_chosen_playlist_follows_jellyfin_and_goes_when_it_is_dropped(home: Home) -> None:
    home.choose()
    home.shows(4, 0, 2, 1, 3)
    first = (home.stick / "Playlists" / "Road trip.m3u8").read_text("utf-8").split("\n")
    assert first[:3] == ["#EXTM3U", "#PLAYLIST:Road trip", "#EXTINF:27,Kettle - שלום עולם"]
    home.rest()

    # Another order is one request, and the file is the same one with other lines.
    home.server.asked.clear()
    home.change(ids=[home.ids[one] for one in (0, 1, 0)])
    home.shows(0, 1, 0)
    assert [one for one in home.server.asked if home.playlist in one].count(
        f"/Playlists/{home.playlist}/Items"
    ) == 1
    assert f"/Items/{home.playlist}" not in home.server.asked

    # Another name is another file.
    home.rest()
    home.change(name="Long way")
    home.shows(0, 1, 0, name="Long way.m3u8")
    wait_until(lambda: not (home.stick / "Playlists/Road trip.m3u8").exists(), what="one file")

    assert home.page.ask("DELETE", f"/devices/{home.device}/playlists/{home.playlist}").ok
    there = home.stick / "Playlists"
    wait_until(lambda: [one.name for one in there.iterdir()] == ["x.m3u8"], what="no file")
    assert (there / "x.m3u8").read_bytes() == STRANGERS


@pytest.mark.parametrize("how", ["fails", "is empty"])
def test_a_playlist_that_cannot_be_listed_stays_as_it_was(home: Home, how: str) -> None:
    home.choose()
    home.shows(4, 0, 2, 1, 3)
    home.rest()
    file = home.stick / "Playlists" / "Road trip.m3u8"
    before, when = file.read_bytes(), facts(file)

    home.server.asked.clear()
    home.server.is_failing = how == "fails"
    if how == "is empty":
        home.change(ids=[])
    else:
        home.server.core.news.library_changed([], [home.playlist], [])
    listing = f"/Playlists/{home.playlist}/Items"
    wait_until(lambda: listing in home.server.asked, what="a listing")
    home.rest()
    home.rest()

    assert file.read_bytes() == before
    # Nothing was written, not even the same again.
    assert facts(file) == when


def test_hearts_are_a_playlist_too(home: Home) -> None:
    home.ann.heart(home.ids[3])
    home.ann.heart(home.ids[0])
    home.shows(0, 3, name="Favourites.m3u8")

    home.ann.heart(home.ids[3], on=False)

    home.shows(0, name="Favourites.m3u8")


def test_a_device_for_a_car_has_short_paths_and_its_lists_in_the_root(home: Home) -> None:
    settings = {"settings": {"preset": "car"}}
    assert home.page.ask("PATCH", f"/devices/{home.device}/settings", settings).ok

    home.choose()

    home.shows(4, 0, 2, 1, 3, name="Road trip.m3u", folder="")
    assert (home.stick / "Road trip.m3u").read_bytes().startswith(b"\xef\xbb\xbf#EXTM3U\r\nKettle")
    assert [one.name for one in home.stick.glob("Kettle*")] == ["Kettle - Steam"]


def test_a_sidecar_that_starts_again_writes_nothing_anew(home: Home) -> None:
    home.choose()
    home.shows(4, 0, 2, 1, 3)
    home.rest()
    home.runtime.stop()
    own = [home.stick / "Playlists/Road trip.m3u8", home.stick / ".sidecar/own.json"]
    before = [facts(one) for one in own]
    home.server.asked.clear()

    with Runtime(home.settings, home.clock):
        listing = f"/Playlists/{home.playlist}/Items"
        wait_until(lambda: listing in home.server.asked, what="a listing")
        home.rest()

    assert [facts(one) for one in own] == before
