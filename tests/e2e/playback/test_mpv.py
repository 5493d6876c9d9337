"""The example for mpv, with the real mpv: from the device if it is there, else as a stream."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.conftest import Person, Sidecar
from tests.e2e.devices.test_formats import entry
from tests.fakes.media.sounds import sound
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SCRIPT = Path(__file__).parents[3] / "docs" / "mpv" / "sidecar.lua"
ALBUM = "The Sine Waves/First Light (2019)"
SAYS = "plays ${stream-open-filename} for ${=duration}"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    (folder / "Music" / ALBUM).mkdir(parents=True)
    sound(folder / "Music" / ALBUM / "1.flac")
    listing = {
        "version": 1,
        "libraries": [{"name": "Music", "collection_type": "music", "path": "Music"}],
        "tracks": [entry(f"Music/{ALBUM}/1.flac", 1, "Tone", 3.0, "flac")],
        "films": [],
        "episodes": [],
        "covers": {},
        "playlists": [],
    }
    (folder / "library.json").write_text(json.dumps(listing))
    return folder


def mpv(
    sidecar: Sidecar, item: str, key: str, work: Path, *, through: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Play it without sound, as fast as it goes; `through` is a command that starts another."""
    (work / "key").write_text(f"{key}\n")
    options = f"sidecar-url={sidecar.url},sidecar-key_file={work / 'key'}"
    command = [*through, "mpv", "--no-config", "--vo=null", "--ao=null", "--ao-null-untimed"]
    command += [f"--script={SCRIPT}", f"--script-opts={options}", f"--term-playing-msg={SAYS}"]
    command.append(f"jellyfin://{item}")
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def test_mpv_plays_the_file_on_the_stick_and_streams_what_is_not_there(
    running: Sidecar, ann: Person, stick: Path, tmp_path: Path
) -> None:
    item = ann.tracks()["Tone"]

    streamed = mpv(running, item, running.key, tmp_path)
    ann.heart(item)
    there = running.wait_for("Tone", "completed")
    played = mpv(running, item, running.key, tmp_path)
    stick.rename(tmp_path / "pulled")
    away = mpv(running, item, running.key, tmp_path)

    assert f"plays {running.url}/media/item/{item} for 3." in streamed.stdout, streamed
    assert f"plays {stick / there['file_path']} for 3." in played.stdout, played
    assert f"plays {running.url}/media/item/{item} for 3." in away.stdout, away
    assert [one.returncode for one in (streamed, played, away)] == [0, 0, 0]
    said = "".join(one.stdout + one.stderr for one in (streamed, played, away))
    assert running.key not in said


def test_from_another_machine_the_file_comes_through_the_sidecar(
    running: Sidecar, ann: Person, stick: Path, tmp_path: Path
) -> None:
    item = ann.tracks()["Tone"]
    ann.heart(item)
    there = running.wait_for("Tone", "completed")
    # As seen from there: the path that the sidecar tells leads nowhere.
    hidden = f'mount -t tmpfs none {stick} && exec "$@"'
    elsewhere = ["unshare", "--mount", "sh", "-c", hidden, "sh"]

    played = mpv(running, item, running.key, tmp_path, through=elsewhere)

    assert f"plays {running.url}/media/{there['id']} for 3." in played.stdout, played


def test_a_wrong_key_is_said_in_words(running: Sidecar, ann: Person, tmp_path: Path) -> None:
    item = ann.tracks()["Tone"]

    refused = mpv(running, item, "wrong", tmp_path)

    assert refused.returncode != 0
    assert f"the sidecar does not know {item}" in refused.stdout + refused.stderr
