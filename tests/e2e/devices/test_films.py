"""A film that is converted while the sidecar is killed: what took long is not done again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.conftest import PASSWORDS, Person, Sidecar
from tests.e2e.devices.test_formats import leftovers
from tests.fakes.libraries.tiny import film
from tests.fakes.media.films import SECONDS, foreign_film, streams
from tests.fakes.media.sounds import ffmpeg
from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S

# ffmpeg gives way to everything else: where a machine is busy it takes minutes.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif("SIDECAR_LONG_FILM" not in os.environ, reason="`make nightly` runs it"),
]

# Eight segments, of so few pixels that each takes a moment only.
FILM_S = 480.0


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    listed = film("Foreign", 2003) | {"seconds": FILM_S, "codec": "mpeg4"}
    whole = folder / listed["path"]
    whole.parent.mkdir(parents=True)
    short = foreign_film(folder / "short.mkv", size="96x54")
    loops = str(round(FILM_S / SECONDS) - 1)
    ffmpeg("-stream_loop", loops, "-i", str(short), "-map", "0", "-c", "copy", str(whole))
    for one in folder.glob("short.*"):
        one.unlink()
    listing = {
        "version": 1,
        "libraries": [{"name": "Movies", "collection_type": "movies", "path": "Movies"}],
        "tracks": [],
        "films": [listed],
        "episodes": [],
        "covers": {},
        "playlists": [],
    }
    (folder / "library.json").write_text(json.dumps(listing), encoding="utf-8")
    return folder


@pytest.fixture
def sidecar(sidecar: Sidecar) -> Sidecar:
    (device,) = json.loads(sidecar.environ["SIDECAR_DEVICES"])
    device |= {"video": "player", "audio_languages": "de"}
    sidecar.environ["SIDECAR_DEVICES"] = json.dumps([device])
    return sidecar


def test_killed_in_the_middle_of_a_film_it_goes_on_from_its_segments(
    running: Sidecar, ann: Person, stick: Path
) -> None:
    ann.heart(ann.item("Foreign", "Movie"))
    parts = stick / ".sidecar" / "parts"

    def count_whole() -> int:
        # The first line says of what they are.
        records = [one.read_bytes().count(b"\n") - 1 for one in parts.glob("*.film")]
        return max(records, default=0)

    wait_until(lambda: count_whole() > 0, what="a whole segment", within_s=300)
    running.kill()
    whole = count_whole()
    assert not list(stick.rglob("*.mp4"))
    assert not list(stick.rglob("*.mkv"))

    running.start()
    browser = requests.Session()
    who = {"username": "ann", "password": PASSWORDS["ann"]}
    browser.post(f"{running.url}/api/v1/session", json=who, timeout=PATIENCE_S).raise_for_status()
    seen: list[dict[str, Any]] = []
    pages: list[str] = []

    def is_done() -> bool:
        one = running.by_title("Foreign")
        assert one is not None
        if one["phase"] == "converting":
            seen.append(one)
            pages.append(browser.get(f"{running.url}/downloads", timeout=PATIENCE_S).text)
        return bool(one["status"] == "completed")

    wait_until(is_done, what="the film", within_s=500)
    browser.close()

    assert (
        min(one["progress"] for one in seen if one["progress"]) > 0.9 * whole * 60 / FILM_S - 0.02
    )
    assert any(one["seconds_left"] for one in seen)
    assert any("Converting" in one for one in pages)
    assert any(" left</span>" in one for one in pages)
    made = stick / "Foreign (2003)" / "Foreign (2003).mp4"
    assert streams(made, "video") == [("h264", "und")]
    assert streams(made, "audio") == [("aac", "ger")]
    assert [one for _, one in streams(made, "subtitle")] == ["ger", "eng", "fre"]
    told = running.by_title("Foreign")
    assert told is not None
    assert told["format"] == "h264-1080p-a.de"
    assert leftovers(stick) == []
