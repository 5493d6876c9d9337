"""A real player plays what our playlists lead to, all of it and in order."""

from __future__ import annotations

import shutil
import subprocess
import wave
from dataclasses import replace
from pathlib import Path

import pytest

from sidecar.domain.files.m3u import ListName, PlaylistEntry, assign_paths, render
from sidecar.domain.files.naming import build_path
from sidecar.domain.files.presets import PRESETS, PresetName
from sidecar.domain.items.item import Item, ItemType
from tests.patience import PATIENCE_S

TITLES = ("💃🏽 Dance", "#1 Hit", "Wait...", "Tea\nTime", "שלום עולם", "AC/DC: Live?", "100%41 %s")
SONG = Item(id="1" * 32, type=ItemType.AUDIO, title="", number=1, extension="wav")

pytestmark = pytest.mark.skipif(shutil.which("mpv") is None, reason="mpv is not installed")


def sound(file: Path) -> None:
    """Write a fifth of a second of silence."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as made:
        made.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
        made.writeframes(bytes(3200))


def played(playlist: Path) -> list[str]:
    """Let mpv play a list without a sound; return the paths of the files that it could open."""
    shown = "--term-playing-msg=PLAYS ${path}"
    quiet = ["--no-config", "--vo=null", "--ao=null", "--length=0.1", "--no-resume-playback"]
    result = subprocess.run(
        ["mpv", *quiet, shown, f"--playlist={playlist}"],
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    return [line.partition("PLAYS ")[2] for line in lines if "PLAYS " in line]


@pytest.mark.parametrize("name", PresetName)
def test_mpv_plays_every_entry_in_order_and_repeats_too(tmp_path: Path, name: PresetName) -> None:
    preset = PRESETS[name]
    items = [replace(SONG, title=one, album=one, artist=one) for one in TITLES]
    paths = [build_path(one, preset.shape) for one in items]
    for path in paths:
        sound(tmp_path / path)
    order = [*reversed(paths), paths[0]]
    entries = [PlaylistEntry(path, title, title, 0.2) for path in order for title in ("a\nb",)]
    ((_, places),) = assign_paths([ListName("1" * 32, "#1 List…")], preset, strangers=(), ours=())
    file = tmp_path / places[0]
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(render("#1 List…", entries, preset))

    found = played(file)

    assert [Path(one).resolve() for one in found] == [tmp_path / one for one in order]
