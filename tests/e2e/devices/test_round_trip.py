"""The stick alone, somewhere else: on a FAT image and back, played, read, and synced again.

The image is written and read by mtools, not by a kernel. Unlike one it has no signs beyond the
first 65,536 of Unicode: emoji travel in `tests.device.test_other_systems`, over NTFS and exFAT.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from tests.e2e.conftest import Person, Sidecar
from tests.e2e.devices.test_formats import entry
from tests.e2e.playback.test_mpv_playlists import played
from tests.fakes.media.mutagens import FLAC
from tests.fakes.media.sounds import cover, sound
from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

ALBUMS = {
    "Wärme: live? (2005)": ("Glósóli", "#1 Hit", "Wait...", "AC/DC <Live> *"),
    "שלום 日本 (2011)": ("CON", "x" * 200, "100%41 %s"),
}
ARTIST = "Sigur & Söhne."
LYRICS = "[00:01.00]One tone\n[00:02.50]and no more"
FAT_SECTORS = 262_144  # of 512 bytes: large enough for FAT32


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("awkward")
    tracks, covers, paths = [], {}, {}
    for number, (album, titles) in enumerate(ALBUMS.items(), 1):
        home = f"Music/{number}"
        (folder / home).mkdir(parents=True)
        covers[home] = f"{home}/cover.jpg"
        picture = cover(folder / home / "cover.jpg", 200 * number)
        name, _, year = album.removesuffix(")").rpartition(" (")
        for place, title in enumerate(titles, 1):
            path = f"{home}/{place}.flac"
            tags = {"title": title, "artist": ARTIST, "album": name, "track": str(place)}
            sound(folder / path, seconds=0.5, tags=tags, picture=picture)
            one = entry(path, place, title, 0.5, "flac")
            one |= {"album": name, "artists": [ARTIST], "album_artists": [ARTIST]}
            tracks.append(one | {"year": int(year), "lyrics": LYRICS if place == 1 else None})
            paths[title] = path
    order = ["Wait...", "CON", "Glósóli", "Wait...", "x" * 200]
    listing = {
        "version": 1,
        "libraries": [{"name": "Music", "collection_type": "music", "path": "Music"}],
        "tracks": tracks,
        "films": [],
        "episodes": [],
        "covers": covers,
        "playlists": [
            {"name": "Road trip: ☕?", "owner": "ann", "tracks": [paths[one] for one in order]}
        ],
    }
    (folder / "library.json").write_text(json.dumps(listing))
    return folder


@pytest.fixture
def sidecar(sidecar: Sidecar) -> Sidecar:
    (device,) = json.loads(sidecar.environ["SIDECAR_DEVICES"])
    device["album_playlists"] = True
    sidecar.environ["SIDECAR_DEVICES"] = json.dumps([device])
    return sidecar


@dataclass
class Image:
    """A FAT image."""

    file: Path
    environ: dict[str, str] = field(default_factory=lambda: {**os.environ, "LC_ALL": "C.UTF-8"})

    def make(self) -> None:
        self._run("mformat", "-C", "-F", "-T", str(FAT_SECTORS), "-i", str(self.file), "::")

    def put(self, folder: Path) -> None:
        self._run("mcopy", *self._how, *map(str, folder.iterdir()), "::/")

    def take(self, folder: Path) -> None:
        folder.mkdir()
        self._run("mcopy", *self._how, "::*", str(folder))

    @property
    def _how(self) -> list[str]:
        return ["-s", "-m", "-Q", "-i", str(self.file)]

    def _run(self, *command: str) -> None:
        done = subprocess.run(command, env=self.environ, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()


def everything(folder: Path) -> dict[str, bytes]:
    found = [one for one in folder.rglob("*") if one.is_file()]
    return {str(one.relative_to(folder)): one.read_bytes() for one in found}


def media(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in everything(folder).items() if name.endswith(".flac")}


def fill(running: Sidecar, ann: Person, stick: Path) -> None:
    """Have all of it on the stick, with its lists, covers, lyrics and page."""
    auth = {"Authorization": f"Bearer {running.key}"}
    api = f"{running.url}/api/v1"
    device = requests.get(f"{api}/devices", headers=auth, timeout=PATIENCE_S).json()["items"][0][
        "id"
    ]
    playlist = ann.item("Road trip: ☕?", "Playlist")
    url = f"{api}/devices/{device}/playlists/{playlist}"
    requests.put(url, headers=auth, timeout=PATIENCE_S).raise_for_status()
    tracks = ann.tracks()
    for one in tracks.values():
        ann.heart(one)
    for title in tracks:
        running.wait_for(title, "completed")
    wait_until(lambda: len(list(stick.rglob("*.m3u8"))) == 4, what="the playlists")
    wait_until(lambda: entries(stick) == [3, 4, 5, 7], what="what is in them")
    wait_until(lambda: len(list(stick.rglob("cover.jpg"))) == 2, what="the covers")
    wait_until(lambda: len(list(stick.rglob("*.lrc"))) == 2, what="the lyrics")
    wait_until(lambda: _told_of(stick) == len(tracks), what="the page and the manifest")


def _told_of(stick: Path) -> int:
    manifest = stick / ".sidecar" / "manifest.json"
    page = stick / "Offline library.html"
    if not (manifest.exists() and page.exists()) or page.read_text().count("cover.jpg") < 2:
        return 0
    return len(json.loads(manifest.read_text())["files"])


def entries(folder: Path) -> list[int]:
    lists = [one.read_text().splitlines() for one in folder.rglob("*.m3u8")]
    return sorted(sum(not line.startswith("#") for line in lines) for lines in lists)


def fetches(running: Sidecar) -> int:
    return running.log.read_text().count("pending -> downloading")


def test_it_survives_fat_plays_everywhere_and_moves_nothing_twice(
    running: Sidecar, ann: Person, stick: Path, tmp_path: Path, library: Path
) -> None:
    fill(running, ann, stick)
    assert running.stop() == 0
    sent = everything(stick)

    image, back = Image(tmp_path / "fat.img"), tmp_path / "another machine"
    image.make()
    image.put(stick)
    image.take(back)

    assert everything(back) == sent
    for file in back.rglob("*.m3u8"):
        lines = [one for one in file.read_text().splitlines() if not one.startswith("#")]
        wanted = [(file.parent / one).resolve() for one in lines]
        assert [Path(one).resolve() for one in played(file)] == wanted
    tags = [FLAC(one) for one in back.rglob("*.flac")]
    titles = sorted(title for album in ALBUMS.values() for title in album)
    assert sorted(one["title"][0] for one in tags) == titles
    for number, (title, *_) in enumerate(ALBUMS.values(), 1):
        (one,) = [tag for tag in tags if tag["title"] == [title]]
        assert one["artist"] == [ARTIST]
        assert one.pictures[0].data == (library / f"Music/{number}/cover.jpg").read_bytes()

    # The copy takes the stick's place.
    fetched, brought = fetches(running), media(stick)
    stick.rename(tmp_path / "the first one")
    back.rename(stick)
    looks = running.log.read_text().count("has 7 favourites")
    running.start()
    wait_until(
        lambda: running.log.read_text().count("has 7 favourites") > looks, what="the next look"
    )
    assert {one["status"] for one in running.downloads()} == {"completed"}
    assert running.stop() == 0
    assert fetches(running) == fetched
    assert media(stick) == brought
