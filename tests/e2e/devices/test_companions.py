"""What lies beside the files on a stick: covers, lyrics, subtitles; with the whole product."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import requests

from sidecar.demo.server.server import DemoServer
from tests.e2e.conftest import Person, Sidecar
from tests.e2e.devices.test_formats import entry
from tests.fakes.libraries.tiny import film
from tests.fakes.media.sounds import ffmpeg
from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

ALBUM = "The Sine Waves/First Light (2019)"
BROKEN = "Nobody/Broken (2019)"
LYRICS = "[00:01.00]One tone\n[01:02.50]and no more"
CAPTIONS = b"1\n00:00:01,000 --> 00:00:02,000\nHallo\n"
FILM = "Colour Bars (1995)"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("beside")
    tracks, covers = [], {}
    for place, album in (("First Light", ALBUM), ("Broken", BROKEN)):
        home = folder / "Music" / album
        home.mkdir(parents=True)
        for number in (1, 2):
            path = f"Music/{album}/{number}.flac"
            (folder / path).write_bytes(f"{path} ".encode() * 500)
            one = entry(path, number, f"{place} {number}", 30.0, "flac")
            one |= {"album": place, "artists": [album.split("/")[0]]}
            one |= {
                "album_artists": [album.split("/")[0]],
                "lyrics": LYRICS if number == 1 else None,
            }
            tracks.append(one)
        covers[f"Music/{album}"] = f"Music/{album}/cover.jpg"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=1400x1400", "-frames:v", "1",
           str(folder / "Music" / ALBUM / "cover.jpg"))  # fmt: skip
    (folder / "Music" / BROKEN / "cover.jpg").write_bytes(b"no picture at all")
    shown = film("Colour Bars", 1995, subtitles=[{"name": "c.de.srt", "language": "de"}])
    (folder / shown["path"]).parent.mkdir(parents=True)
    (folder / shown["path"]).write_bytes(b"film " * 1000)
    (folder / "Movies" / FILM / "c.de.srt").write_bytes(CAPTIONS)
    listing = {
        "version": 1,
        "libraries": [
            {"name": "Music", "collection_type": "music", "path": "Music"},
            {"name": "Movies", "collection_type": "movies", "path": "Movies"},
        ],
        "tracks": tracks,
        "films": [shown],
        "episodes": [],
        "covers": covers,
        "playlists": [],
    }
    (folder / "library.json").write_text(json.dumps(listing))
    return folder


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "library"))


def small_files(stick: Path) -> list[str]:
    found = [one for one in stick.rglob("*") if one.suffix in {".jpg", ".lrc", ".srt"}]
    return sorted(str(one.relative_to(stick)) for one in found)


def lines_with(running: Sidecar, part: str) -> int:
    return sum(part in line for line in running.log.read_text().splitlines())


def test_they_come_with_the_files_and_go_with_them(
    running: Sidecar, ann: Person, stick: Path, jellyfin: DemoServer
) -> None:
    tracks = ann.tracks()
    for title in ("First Light 1", "First Light 2"):
        ann.heart(tracks[title])
        running.wait_for(title, "completed")
    lyrics, cover = f"{ALBUM}/1-01 - First Light 1.lrc", f"{ALBUM}/cover.jpg"
    wait_until(lambda: small_files(stick) == [lyrics, cover], what="cover and lyrics")

    assert (stick / lyrics).read_text() == "[00:01.00]One tone\n[01:02.50]and no more\n"
    picture = (stick / cover).read_bytes()
    assert picture.startswith(b"\xff\xd8\xff")
    assert b"\xff\xc0" in picture
    assert b"\xff\xc2" not in picture

    for title in ("First Light 1", "First Light 2"):
        ann.heart(tracks[title], on=False)
        download = running.by_title(title)
        assert download is not None
        (stick / download["file_path"]).unlink()
        running.wait_for(title, "removed")
        if title == "First Light 1":
            wait_until(lambda: small_files(stick) == [cover], what="the lyrics to go")
    wait_until(lambda: not (stick / "The Sine Waves").exists(), what="cover and folder to go")


def test_what_is_not_ours_stays_and_a_restart_asks_nothing_again(
    running: Sidecar, ann: Person, stick: Path
) -> None:
    (stick / ALBUM).mkdir(parents=True)
    (stick / ALBUM / "cover.jpg").write_bytes(b"a person's own")
    tracks = ann.tracks()
    for title in ("First Light 1", "Broken 1"):
        ann.heart(tracks[title])
        running.wait_for(title, "completed")
    lyrics = f"{BROKEN}/1-01 - Broken 1.lrc"
    wait_until((stick / lyrics).exists, what="the lyrics of what has a broken cover")
    others = stick / ALBUM / "1-01 - First Light 1.lrc"
    wait_until(others.exists, what="the lyrics beside a stranger's cover")
    wait_until(lambda: "no picture that can be read" in running.log.read_text(), what="the log")

    asked = lines_with(running, "/Lyrics")
    before = {path: (stick / path).stat().st_mtime_ns for path in small_files(stick)}
    running.stop()
    looks = lines_with(running, "has 2 favourites")
    running.start()
    wait_until(lambda: lines_with(running, "has 2 favourites") > looks, what="the next look")

    assert (stick / ALBUM / "cover.jpg").read_bytes() == b"a person's own"
    assert not (stick / BROKEN / "cover.jpg").exists()
    assert {path: (stick / path).stat().st_mtime_ns for path in small_files(stick)} == before
    assert lines_with(running, "/Lyrics") == asked


def test_subtitles_lie_beside_their_film(running: Sidecar, ann: Person, stick: Path) -> None:
    asked = requests.post(
        f"{running.url}/api/v1/downloads",
        json={"item_id": ann.item("Colour Bars", "Movie")},
        headers={"Authorization": f"Bearer {running.key}"},
        timeout=PATIENCE_S,
    )
    assert asked.status_code in {200, 201}
    running.wait_for("Colour Bars", "completed")

    captions = f"{FILM}/{FILM}.de.srt"
    wait_until((stick / captions).exists, what="the subtitles")

    assert (stick / captions).read_bytes() == CAPTIONS
