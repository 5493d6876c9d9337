"""A device that wants another format, with real music, the real ffmpeg and a real process."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Person, Sidecar
from tests.fakes.media.mutagens import FLAC, OggOpus, Picture
from tests.fakes.media.sounds import TAGS, sound, tagged_flac
from tests.fakes.servers.slow_line import SlowLine, wait_until
from tests.patience import PATIENCE_S
from tests.processes import is_running, list_children, read_command

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

ALBUM = "The Sine Waves/First Light (2019)"


def entry(path: str, number: int, title: str, seconds: float, codec: str) -> dict[str, Any]:
    return {
        "path": path,
        "title": title,
        "artists": ["The Sine Waves"],
        "album": "First Light",
        "album_artists": ["The Sine Waves"],
        "track": number,
        "disc": 1,
        "year": 2019,
        "genres": ["Test"],
        "seconds": seconds,
        "codec": codec,
        "bitrate": 800_000,
        "sample_rate": 44100,
        "channels": 2,
        "bit_depth": 16,
        "lyrics": None,
    }


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    album = folder / "Music" / ALBUM
    album.mkdir(parents=True)
    tagged_flac(album / "1.flac")
    sound(album / "2.mp3", "-b:a", "96k")
    sound(album / "3.flac", seconds=240.0)
    tracks = [
        entry(f"Music/{ALBUM}/1.flac", 1, "Tone", 3.0, "flac"),
        entry(f"Music/{ALBUM}/2.mp3", 2, "Small", 3.0, "mp3"),
        entry(f"Music/{ALBUM}/3.flac", 3, "Long", 240.0, "flac"),
    ]
    listing = {
        "version": 1,
        "libraries": [{"name": "Music", "collection_type": "music", "path": "Music"}],
        "tracks": tracks,
        "films": [],
        "episodes": [],
        "covers": {},
        "playlists": [],
    }
    (folder / "library.json").write_text(json.dumps(listing))
    return folder


@pytest.fixture
def sidecar(sidecar: Sidecar) -> Sidecar:
    (device,) = json.loads(sidecar.environ["SIDECAR_DEVICES"])
    device["format"] = "opus"
    sidecar.environ["SIDECAR_DEVICES"] = json.dumps([device])
    return sidecar


def ask(
    running: Sidecar, verb: str, path: str, body: dict[str, Any] | None = None
) -> requests.Response:
    headers = {"Authorization": f"Bearer {running.key}"}
    url = f"{running.url}/api/v1/{path}"
    return requests.request(verb, url, headers=headers, timeout=PATIENCE_S, json=body)


def device_id(running: Sidecar) -> str:
    return str(ask(running, "GET", "devices").json()["items"][0]["id"])


def leftovers(stick: Path) -> list[str]:
    return sorted(one.name for one in (stick / ".sidecar" / "parts").iterdir())


def test_a_heart_brings_opus_with_tags_and_cover(
    running: Sidecar, ann: Person, stick: Path, library: Path
) -> None:
    ann.heart(ann.tracks()["Tone"])

    told = running.wait_for("Tone", "completed")

    path = f"{ALBUM}/1-01 - Tone.opus"
    source = (library / "Music" / ALBUM / "1.flac").stat().st_size
    assert (told["file_path"], told["format"], told["source_size"]) == (path, "opus-128k", source)
    assert (told["format_note"], told["phase"]) == (None, None)
    assert told["bytes_downloaded"] == told["expected_size"] == (stick / path).stat().st_size
    made = OggOpus(stick / path)
    assert made["title"] == [TAGS["title"]]
    assert made["r128_track_gain"] == ["-2944"]
    picture = Picture(base64.b64decode(made["metadata_block_picture"][0]))
    assert picture.data == (library / "Music" / ALBUM / "1.jpg").read_bytes()
    assert leftovers(stick) == []
    (device,) = ask(running, "GET", "devices").json()["items"]
    assert source > device["used"] >= told["expected_size"]


def test_a_small_lossy_file_comes_as_it_is_and_says_why(
    running: Sidecar, ann: Person, stick: Path, library: Path
) -> None:
    ann.heart(ann.tracks()["Small"])

    told = running.wait_for("Small", "completed")

    path = f"{ALBUM}/1-02 - Small.mp3"
    assert told["file_path"] == path
    assert "already 96 kbit/s" in told["format_note"]
    assert (stick / path).read_bytes() == (library / "Music" / ALBUM / "2.mp3").read_bytes()


def test_a_pause_ends_ffmpeg_and_a_resume_makes_the_file(
    running: Sidecar, ann: Person, stick: Path
) -> None:
    assert running.process is not None
    ann.heart(ann.tracks()["Long"])
    children = busy_children(running)

    found = running.by_title("Long")
    assert found is not None
    assert found["phase"] == "converting"
    ask(running, "POST", f"downloads/{found['id']}/pause").raise_for_status()
    wait_until(lambda: not any(map(is_running, children)), what="the end of ffmpeg")
    wait_until(lambda: leftovers(stick) == [f"{found['id']}.part"], what="nothing half converted")

    ask(running, "POST", f"downloads/{found['id']}/resume").raise_for_status()
    told = running.wait_for("Long", "completed", within_s=240)
    assert OggOpus(stick / told["file_path"]).info.length == pytest.approx(240, abs=1)
    assert leftovers(stick) == []


def test_ffmpeg_dies_with_the_sidecar_and_the_next_start_makes_the_file(
    running: Sidecar, ann: Person, stick: Path
) -> None:
    ann.heart(ann.tracks()["Long"])
    children = busy_children(running)

    running.kill()

    wait_until(lambda: not any(map(is_running, children)), what="the end of ffmpeg")
    assert not list(stick.rglob("*.opus"))
    running.start()
    told = running.wait_for("Long", "completed", within_s=240)
    assert OggOpus(stick / told["file_path"]).info.length == pytest.approx(240, abs=1)
    assert leftovers(stick) == []


def busy_children(running: Sidecar) -> list[int]:
    """Return what converts, standing still: from now on it ends only if it is killed."""
    assert running.process is not None
    process_id = running.process.pid
    found: list[int] = []

    def is_converting() -> bool:
        found[:] = [one for one in list_children(process_id) if b"ffmpeg" in program_of(one)]
        for one in found:
            os.kill(one, signal.SIGSTOP)
        download = running.by_title("Long")
        is_at_it = bool(found) and download is not None and download["phase"] == "converting"
        for one in () if is_at_it else found:
            os.kill(one, signal.SIGCONT)
        return is_at_it

    wait_until(is_converting, what="a conversion")
    return found


def program_of(process_id: int) -> bytes:
    return b"".join(read_command(process_id)[:1])


def test_another_format_waits_for_a_yes_and_says_what_it_costs(
    running: Sidecar, ann: Person, stick: Path, library: Path
) -> None:
    for title in ("Tone", "Small"):
        ann.heart(ann.tracks()[title])
        running.wait_for(title, "completed")
    here = f"devices/{device_id(running)}"
    assert ask(running, "GET", f"{here}/plan").json()["reformat"] is None

    changed = ask(running, "PATCH", f"{here}/settings", {"settings": {"format": "original"}})
    assert changed.status_code == 200, changed.text
    cost = ask(running, "GET", f"{here}/plan").json()["reformat"]

    source = (library / "Music" / ALBUM / "1.flac").stat().st_size
    assert (cost["files"], cost["bytes_to_fetch"], cost["bytes_after"]) == (1, source, source)
    assert not cost["is_confirmed"]
    assert (stick / ALBUM / "1-01 - Tone.opus").exists(), "nothing happens before a yes"
    refused = ask(running, "POST", f"{here}/plan/reformat", {"format": "mp3-192k"})
    assert refused.status_code == 409

    said = ask(running, "POST", f"{here}/plan/reformat", {"format": "original"})
    assert said.status_code == 202, said.text
    flac = stick / ALBUM / "1-01 - Tone.flac"
    wait_until(flac.exists, what="the original")
    running.wait_for("Tone", "completed")
    assert flac.read_bytes() == (library / "Music" / ALBUM / "1.flac").read_bytes()
    assert FLAC(flac)["title"] == [TAGS["title"]]
    assert not (stick / ALBUM / "1-01 - Tone.opus").exists()
    assert ask(running, "GET", f"{here}/plan").json()["reformat"] is None


def test_a_bitrate_that_the_format_does_not_know_is_refused(running: Sidecar) -> None:
    here = f"devices/{device_id(running)}/settings"

    refused = ask(running, "PATCH", here, {"settings": {"format": "mp3", "bitrate": "500k"}})

    assert refused.status_code == 422
    assert "must be from 64k to 320k for MP3 (usual: 192k)" in refused.json()["detail"]


def test_without_ffmpeg_the_setting_is_refused_at_start(sidecar: Sidecar) -> None:
    sidecar.environ["SIDECAR_TRANSFER__FFMPEG"] = "ffmpeg-that-is-not-there"

    told = sidecar.command("run")

    assert told.returncode == 2
    assert "Car stick" in told.stderr
    assert "ffmpeg-that-is-not-there is not installed" in told.stderr


def test_a_stop_ends_in_time_while_ffmpeg_is_at_work(running: Sidecar, ann: Person) -> None:
    ann.heart(ann.tracks()["Long"])
    children = busy_children(running)
    assert running.process is not None

    running.process.send_signal(signal.SIGTERM)

    wait_until(lambda: not any(map(is_running, children)), what="the end of ffmpeg")
    assert running.stop() == 0


def test_what_was_converted_is_known_again_after_the_database_was_lost(
    running: Sidecar, ann: Person, stick: Path, tmp_path: Path
) -> None:
    titles = ("Tone", "Small")
    for title in titles:
        ann.heart(ann.tracks()[title])
    before = [running.wait_for(title, "completed") for title in titles]
    manifest = stick / ".sidecar" / "manifest.json"
    wait_until(
        lambda: "Small" in (manifest.read_text() if manifest.exists() else ""),
        what="the manifest",
    )
    running.stop()
    shutil.rmtree(tmp_path / "data")
    assert running.command("sign-in").returncode == 0

    assert running.command("adopt").returncode == 0

    running.start()
    running.get_key("ann")
    after = [running.wait_for(title, "completed") for title in titles]
    for then, now in zip(before, after, strict=True):
        for name in ("file_path", "content_hash", "format", "source_size"):
            assert now[name] == then[name], name
        assert now["started_at"] is None, "it was fetched again"


def test_a_kept_original_makes_another_format_without_a_download(
    running: Sidecar, ann: Person, stick: Path, library: Path, line: SlowLine
) -> None:
    here = f"devices/{device_id(running)}"
    settings = {"settings": {"keep_original": True}}
    ask(running, "PATCH", f"{here}/settings", settings).raise_for_status()
    ann.heart(ann.tracks()["Tone"])
    found = running.wait_for("Tone", "completed")
    source = (library / "Music" / ALBUM / "1.flac").read_bytes()
    original = stick / ".sidecar" / "parts" / f"{found['id']}.original"
    assert original.read_bytes() == source
    made = (stick / f"{ALBUM}/1-01 - Tone.opus").stat().st_size
    assert ask(running, "GET", "devices").json()["items"][0]["used"] == made + len(source)

    wanted = {"settings": {"format": "mp3", "bitrate": "96k"}}
    ask(running, "PATCH", f"{here}/settings", wanted).raise_for_status()
    cost = ask(running, "GET", f"{here}/plan").json()["reformat"]
    assert (cost["files"], cost["bytes_to_fetch"]) == (1, 0)
    before = line.passed
    ask(running, "POST", f"{here}/plan/reformat", {"format": "mp3-96k"}).raise_for_status()
    mp3 = stick / f"{ALBUM}/1-01 - Tone.mp3"
    wait_until(mp3.exists, what="another format")
    running.wait_for("Tone", "completed")
    assert line.passed - before < len(source) / 2
    assert original.read_bytes() == source

    settings = {"settings": {"keep_original": False}}
    ask(running, "PATCH", f"{here}/settings", settings).raise_for_status()
    wait_until(lambda: leftovers(stick) == [], what="the original to go")
    assert mp3.exists()
