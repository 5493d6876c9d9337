"""The running sidecar beside a real Syncthing that carries its device to Ann's phone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.conftest import TRACKS, Person, Sidecar
from tests.fakes.servers.slow_line import wait_until
from tests.fakes.servers.syncthings import OneSyncthing
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def ask(sidecar: Sidecar, path: str, method: str = "GET") -> Any:  # noqa: ANN401 - JSON
    answer = requests.request(
        method,
        f"{sidecar.url}/api/v1/{path}",
        headers={"Authorization": f"Bearer {sidecar.key}"},
        timeout=PATIENCE_S,
    )
    answer.raise_for_status()
    return answer.json()


def carried_files(phone: OneSyncthing) -> set[str]:
    return {
        str(one.relative_to(phone.folder))
        for one in phone.folder.rglob("*")
        if one.is_file() and "Sticks" not in one.parts and "Lacking" not in one.parts
    }


def test_files_travel_parts_do_not_and_what_arrived_is_told(
    sidecar: Sidecar, ann: Person, syncthings: tuple[OneSyncthing, OneSyncthing], tmp_path: Path
) -> None:
    home, phone = syncthings
    key = tmp_path / "key"
    key.write_text(f"{home.key}\n")
    sidecar.environ |= {
        "SIDECAR_DEVICES": json.dumps(
            [{"name": "Phone folder", "path": str(home.folder), "reserve": "1 MB"}]
        ),
        "SIDECAR_SYNCTHING__URL": home.url,
        "SIDECAR_SYNCTHING__API_KEY_FILE": str(key),
        "SIDECAR_SYNCTHING__CERTIFICATE": str(home.certificate),
    }
    sidecar.start()
    sidecar.wait_for_sign_in("ann")
    sidecar.get_key("ann")
    (device,) = ask(sidecar, "devices")["items"]
    line = f"devices/{device['id']}/stignore"
    assert ask(sidecar, line) == {
        "device_id": device["id"],
        "line": "/.sidecar",
        "is_there": False,
    }
    assert not (home.folder / ".stignore").exists()
    assert ask(sidecar, line, "POST")["is_there"] is True

    tracks = ann.tracks()
    ann.heart(tracks["Tone 1"])
    ann.heart(tracks["Long Noise"])
    one = sidecar.wait_for("Tone 1", "completed")
    home.scan()
    arrived = f"downloads/{one['id']}/peers"
    wait_until(
        lambda: ask(sidecar, arrived)["items"][0]["arrived_at"] is not None,
        what="its arrival on the phone",
    )

    assert ask(sidecar, arrived)["items"][0]["peer"] == "Ann's phone"
    assert (phone.folder / one["file_path"]).stat().st_size == TRACKS["Tone 1"]
    shown = ask(sidecar, f"devices/{device['id']}/peers")
    assert (shown["is_asked"], shown["folder"], shown["trouble"]) == (True, "Music", None)
    (peer,) = shown["peers"]
    assert (peer["name"], peer["connected"], peer["id"]) == ("Ann's phone", True, phone.id)
    sidecar.wait_for("Long Noise", "completed")
    home.scan()
    travelled = carried_files(phone)
    assert not [path for path in travelled if path.startswith(".sidecar")]
    assert home.key not in sidecar.log.read_text()
    assert sidecar.stop() == 0
    assert "Traceback" not in sidecar.log.read_text()


def test_the_stick_explains_itself_without_the_sidecar(
    running: Sidecar, ann: Person, stick: Path
) -> None:
    ann.heart(ann.tracks()["What?"])
    one = running.wait_for("What?", "completed")
    wait_until((stick / "Playlists").exists, what="the playlist of the hearts")
    running.stop()

    page = (stick / "Offline library.html").read_text(encoding="utf-8")
    assert "What?" in page
    (told,) = json.loads((stick / ".sidecar/manifest.json").read_bytes())["files"]
    assert (told["path"], told["content_hash"]) == (one["file_path"], one["content_hash"])
    assert (stick / told["path"]).stat().st_size == told["size"] == TRACKS["What?"]
    assert sorted(one.name for one in stick.iterdir()) == [
        ".sidecar",
        "Offline library.html",
        "Playlists",
        "The Sine Waves",
    ]
    assert [one.name for one in (stick / "Playlists").iterdir()] == ["Favourites.m3u8"]
