"""What a person says in the API happens to the files, with all threads and a real process."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.e2e.conftest import MIB, TRACKS, Person, Sidecar
from tests.fakes.servers.slow_line import SlowLine, wait_until
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def ask(
    running: Sidecar, verb: str, path: str, json: dict[str, Any] | None = None
) -> requests.Response:
    (device,) = get(running, "")["items"]
    url = f"{running.url}/api/v1/devices/{device['id']}/{path}"
    headers = {"Authorization": f"Bearer {running.key}"}
    return requests.request(verb, url, headers=headers, timeout=PATIENCE_S, json=json)


def get(running: Sidecar, path: str) -> dict[str, Any]:
    if path:
        answer = ask(running, "GET", path)
    else:
        headers = {"Authorization": f"Bearer {running.key}"}
        answer = requests.get(f"{running.url}/api/v1/devices", headers=headers, timeout=PATIENCE_S)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def why(running: Sidecar, item_id: str) -> str:
    return " ".join(get(running, f"items/{item_id}/why")["sentences"])


def change(running: Sidecar, **settings: object) -> None:
    answer = ask(running, "PATCH", "settings", json={"settings": settings})
    assert answer.status_code == 200, answer.text


def test_a_pinned_album_comes_whole_and_says_why(running: Sidecar, ann: Person) -> None:
    album = ann.item("First Light", "MusicAlbum")
    song = ann.tracks()["Tone 1"]
    assert "You have not downloaded it" in why(running, song)

    assert ask(running, "PUT", f"pins/{album}").json() == {"queued": len(TRACKS)}
    for title in TRACKS:
        running.wait_for(title, "completed")

    told = get(running, f"items/{song}/why")
    assert told["is_here"]
    assert told["sentences"] == [
        "It is on Car stick.",
        "Needed for you: downloaded by you (First Light).",
    ]
    assert ask(running, "DELETE", f"pins/{album}").status_code == 200
    assert "removed when space runs out" in why(running, song)


def test_a_paused_device_stops_at_once_and_goes_on_where_it_was(
    running: Sidecar, ann: Person, line: SlowLine
) -> None:
    line.bytes_a_second = 8 * MIB
    song = ann.tracks()["Long Noise"]
    ask(running, "PUT", f"pins/{song}")

    def is_under_way() -> bool:
        one = running.by_title("Long Noise")
        return one is not None and one["bytes_downloaded"] > MIB

    wait_until(is_under_way, what="a part of the file")

    before = line.passed
    change(running, paused=True)
    running.wait_for("Long Noise", "pending")
    # What comes in two seconds: on a busy machine they are as long, and less comes.
    assert line.passed - before < 16 * MIB
    waits = running.by_title("Long Noise")
    assert waits is not None
    assert (waits["retry_count"], waits["error_code"]) == (0, None)
    assert "Car stick is paused" in why(running, song)
    assert get(running, "")["items"][0]["trouble"] is None

    line.bytes_a_second = None
    before = line.passed
    change(running, paused=None)
    running.wait_for("Long Noise", "completed")
    assert line.passed - before < TRACKS["Long Noise"]


def test_what_is_unpinned_while_it_runs_stops_and_leaves_nothing(
    running: Sidecar, ann: Person, line: SlowLine
) -> None:
    line.bytes_a_second = 4 * MIB
    song = ann.tracks()["Long Noise"]
    ask(running, "PUT", f"pins/{song}")
    parts = running.stick / ".sidecar" / "parts"
    wait_until(lambda: any(parts.iterdir()), what="a part file")

    assert ask(running, "DELETE", f"pins/{song}").status_code == 200

    wait_until(lambda: not any(parts.iterdir()), what="an empty folder of parts")
    assert running.downloads() == []


def test_a_budget_is_changed_while_it_runs(running: Sidecar, ann: Person) -> None:
    change(running, budget="1 MB")
    song = ann.tracks()["Tone 2"]
    ask(running, "PUT", f"pins/{song}")
    running.wait_for("Tone 2", "failed")
    assert "larger" in why(running, song)

    refused = ask(running, "PATCH", "settings", json={"settings": {"budget": "lots"}})
    assert refused.status_code == 422
    assert get(running, "settings")["settings"]["budget"]["value"] == 1_000_000


def test_an_excluded_track_of_a_favourite_album_goes_and_the_others_stay(
    running: Sidecar, ann: Person
) -> None:
    album, songs = ann.item("First Light", "MusicAlbum"), ann.tracks()
    assert ask(running, "PUT", f"exclusions/favourites/{songs['What?']}").status_code == 200

    ann.heart(album)
    running.wait_for("Tone 1", "completed")
    running.wait_for("Tone 2", "completed")

    assert running.by_title("What?") is None
    assert "You excluded it" in why(running, songs["What?"])
    assert ask(running, "DELETE", f"exclusions/favourites/{songs['What?']}").status_code == 204
    running.wait_for("What?", "completed")
