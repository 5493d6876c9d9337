"""What people do with downloads, through the whole product."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.conftest import PASSWORDS, TRACKS, Person, Sidecar, sha256
from tests.fakes.servers.slow_line import SlowLine, wait_until
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SLOW = 8 * 1024 * 1024
NOISE = "Long Noise"


def ask(
    running: Sidecar, verb: str, path: str, body: dict[str, Any] | None = None
) -> requests.Response:
    return requests.request(
        verb,
        f"{running.url}/api/v1/{path}",
        json=body,
        headers={"Authorization": f"Bearer {running.key}"},
        timeout=PATIENCE_S,
    )


def begin(running: Sidecar, ann: Person, line: SlowLine) -> dict[str, Any]:
    """Ask for the long track and wait for some of it."""
    line.bytes_a_second = SLOW
    asked = ask(running, "POST", "downloads", {"item_id": ann.tracks()[NOISE]})
    assert asked.status_code == 201, asked.text

    def some() -> bool:
        one = running.by_title(NOISE)
        return one is not None and one["bytes_downloaded"] > 2 * SLOW

    wait_until(some, what="a part of the file")
    found = running.by_title(NOISE)
    assert found is not None
    return found


def test_an_album_is_asked_for_fifty_times_at_once_and_comes_once(
    running: Sidecar, ann: Person
) -> None:
    album = ann.item("First Light", "MusicAlbum")

    with ThreadPoolExecutor(50) as pool:
        asked = list(
            pool.map(lambda _: ask(running, "POST", "downloads", {"item_id": album}), range(50))
        )

    # Only so many of one account wait for Jellyfin at once; the others are told to come again.
    codes = [one.status_code for one in asked]
    assert 201 in codes
    assert set(codes) <= {200, 201, 503}
    assert all("Retry-After" in one.headers for one in asked if one.status_code == 503)
    assert len(running.downloads()) == len(TRACKS)
    for title in TRACKS:
        there = running.wait_for(title, "completed")
        assert there["reasons"][0]["text"] == "downloaded by you (First Light)"


def test_what_runs_is_paused_at_once_goes_on_and_is_whole(
    running: Sidecar, ann: Person, line: SlowLine, stick: Path
) -> None:
    one = begin(running, ann, line)

    with ThreadPoolExecutor(50) as pool:
        paused = list(
            pool.map(lambda _: ask(running, "POST", f"downloads/{one['id']}/pause"), range(50))
        )

    assert sorted(answer.json()["result"] for answer in paused).count("done") == 1
    held = running.wait_for(NOISE, "paused")["bytes_downloaded"]
    line.bytes_a_second = None
    assert ask(running, "POST", f"downloads/{one['id']}/resume").status_code == 200
    there = running.wait_for(NOISE, "completed")
    assert held > 0
    file = (stick / there["file_path"]).read_bytes()
    assert sha256(file) == sha256(ann.bytes_of(there["item_id"]))


def test_what_is_cancelled_leaves_nothing_unless_its_part_is_kept(
    running: Sidecar, ann: Person, line: SlowLine, stick: Path
) -> None:
    parts = stick / ".sidecar" / "parts"
    one = begin(running, ann, line)
    assert ask(running, "POST", f"downloads/{one['id']}/cancel").status_code == 200
    wait_until(lambda: not list(parts.iterdir()), what="no part file")
    assert ask(running, "GET", f"downloads/{one['id']}").status_code == 404

    two = begin(running, ann, line)
    cancel = ask(running, "POST", f"downloads/{two['id']}/cancel", {"keep_part": True})
    assert cancel.status_code == 200
    assert len(list(parts.iterdir())) == 1
    running.stop()
    running.start()
    assert len(list(parts.iterdir())) == 1
    line.bytes_a_second = None
    ask(running, "POST", "downloads", {"item_id": ann.tracks()[NOISE]})

    there = running.wait_for(NOISE, "completed")
    assert there["id"] == two["id"]
    file = (stick / there["file_path"]).read_bytes()
    assert sha256(file) == sha256(ann.bytes_of(there["item_id"]))


def test_what_is_deleted_goes_and_its_heart_does_not_bring_it_back(
    running: Sidecar, ann: Person, stick: Path
) -> None:
    ann.heart(ann.tracks()["Tone 1"])
    there = running.wait_for("Tone 1", "completed")

    assert ask(running, "DELETE", f"downloads/{there['id']}").json()["status"] == "removed"

    assert not (stick / there["file_path"]).exists()
    running.stop()
    running.start()
    wait_until(lambda: "has 1 favourites" in running.log.read_text(), what="a look")
    assert running.wait_for("Tone 1", "removed")
    assert ask(running, "POST", f"downloads/{there['id']}/retry").status_code == 200
    assert running.wait_for("Tone 1", "completed")


def test_a_key_is_made_used_and_revoked(running: Sidecar) -> None:
    first = running.key
    assert ask(running, "POST", "keys", {"label": "a script"}).status_code == 403
    with requests.Session() as browser:
        signed_in = browser.post(
            f"{running.url}/api/v1/session",
            json={"username": "ann", "password": PASSWORDS["ann"]},
            timeout=PATIENCE_S,
        ).json()
        made = browser.post(
            f"{running.url}/api/v1/keys",
            json={"label": "a script"},
            headers={"X-Sidecar-CSRF": signed_in["csrf"]},
            timeout=PATIENCE_S,
        ).json()
    running.key = made["key"]
    assert ask(running, "GET", "downloads").status_code == 200

    assert ask(running, "DELETE", f"keys/{made['id']}").status_code == 204

    assert ask(running, "GET", "downloads").status_code == 401
    running.key = first
    assert made["id"] not in {one["id"] for one in ask(running, "GET", "keys").json()["items"]}
    assert made["key"] not in running.log.read_text()
