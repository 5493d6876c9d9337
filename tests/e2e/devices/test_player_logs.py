"""What comes back from a stick, through the whole product."""

from __future__ import annotations

from typing import Any

import requests

from tests.e2e.conftest import Person, Sidecar
from tests.patience import PATIENCE_S

NOON = 1_790_856_000  # 2026-10-01 12:00 on the wall


def ask(sidecar: Sidecar, verb: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
    answer = requests.request(
        verb,
        f"{sidecar.url}/api/v1{path}",
        json=body,
        headers={"Authorization": f"Bearer {sidecar.key}"},
        timeout=PATIENCE_S,
    )
    assert answer.status_code < 300, answer.text
    return answer.json()


def marks(ann: Person, item_id: str) -> tuple[int, str]:
    told = ann.session.get(
        f"{ann.url}/UserItems/{item_id}/UserData",
        params={"userId": ann.user_id},
        timeout=PATIENCE_S,
    ).json()
    return told["PlayCount"], told.get("LastPlayedDate", "")


def test_what_was_heard_on_the_player_comes_home_once(running: Sidecar, ann: Person) -> None:
    item = ann.tracks()["Tone 1"]
    ask(running, "POST", "/downloads", {"item_ids": [item]})
    download = running.wait_for("Tone 1", "completed")
    device = download["device_id"]
    ask(running, "PATCH", f"/devices/{device}/settings", {"settings": {"time_zone": "Asia/Tokyo"}})
    log = running.stick / ".rockbox" / "playback.log"
    log.parent.mkdir()
    log.write_text(f"{NOON}:30000:30000:/<SD0>/{download['file_path']}\n")

    view = ask(running, "GET", f"/devices/{device}/log")
    first = ask(running, "POST", f"/devices/{device}/log", {})
    second = ask(running, "POST", f"/devices/{device}/log", {})

    assert [one["title"] for one in view["plays"]] == ["Tone 1"]
    assert (first["taken"], second["taken"]) == (1, 0)
    assert marks(ann, item) == (1, "2026-10-01T02:59:30.0000000Z")
    assert [one["client"] for one in ask(running, "GET", "/plays")["items"]] == ["Rockbox"]
    assert log.read_text().count("\n") == 1
    assert running.by_title("Tone 1") is not None


def test_what_was_on_the_stick_before_is_adopted_and_not_fetched(
    running: Sidecar, ann: Person
) -> None:
    item = ann.tracks()["Tone 2"]
    place = "The Sine Waves/First Light (2019)/1-02 - Tone 2.flac"
    mine, other = running.stick / place, running.stick / "Own" / "song.flac"
    for file, content in ((mine, ann.bytes_of(item)), (other, b"mine")):
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
    [device] = ask(running, "GET", "/devices")["items"]
    path = f"/devices/{device['id']}/adoption"

    offer = ask(running, "GET", path)
    outcome = ask(running, "POST", path, {"ids": [one["id"] for one in offer["matched"]]})

    assert [one["path"] for one in offer["matched"]] == [place]
    assert (offer["strangers"], offer["examples"]) == (1, ["Own/song.flac"])
    assert outcome == {"adopted": 1, "left": 0, "refused": []}
    row = running.wait_for("Tone 2", "completed")
    assert (row["file_path"], row["started_at"]) == (place, None)
    assert [one["rule"] for one in row["reasons"]] == ["pin"]
    ask(running, "POST", "/downloads", {"item_ids": [item]})
    again = running.by_title("Tone 2")
    assert again is not None
    assert again | {"reasons": row["reasons"]} == row
    assert other.read_bytes() == b"mine"
