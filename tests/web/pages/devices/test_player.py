from __future__ import annotations

import json
import os

import pytest

from sidecar.domain.downloads.download import Status
from tests.fakes.servers.answering import Reply, Request, json_reply
from tests.services.conftest import STICK, track
from tests.services.rules.steered import row
from tests.web.house import ANN, Browser, WebHouse

PAGE = f"/devices/{STICK}/player"
API = f"/api/v1{PAGE}"


@pytest.fixture
def users() -> tuple[str, ...]:
    return ("ann",)


@pytest.fixture
def told(house: WebHouse) -> dict[str, object]:
    """Let the player know a position and a count; return what Jellyfin knows then."""
    download = house.add(7, status=Status.COMPLETED, seconds=270.0)
    known: dict[str, object] = {"ItemId": track(7).id, "IsFavorite": False}
    house.library(row(7, RunTimeTicks=2_700_000_000, UserData=known))

    def answer(request: Request) -> Reply:
        known.update(json.loads(request.body or b"{}"))
        return json_reply(known)

    path = f"/UserItems/{track(7).id}/UserData"
    cleared = json_reply(known)
    house.jellyfin.routes |= {
        f"GET {path}": answer,
        f"POST {path}": answer,
        f"DELETE /UserPlayedItems/{track(7).id}": cleared,
    }
    folder, _, name = download.file_path.rpartition("/")
    (house.folder / ".rockbox").mkdir()
    recent = house.folder / ".rockbox/most-recent.bmark"
    recent.write_text(f">0;0;9;0;61000;0;0;/{folder}/;{name}\n")
    changes = house.folder / ".rockbox/database_changelog.txt"
    changes.write_text(f'filename="/{download.file_path}" playcount="3" rating="9" \n')
    now = house.clock.now().timestamp() - 60
    for one in (recent, changes):
        os.utime(one, (now, now))
    return known


def test_whose_player_it_is_comes_first_then_what_it_knows_then_the_way_back(
    house: WebHouse, ann: Browser, told: dict[str, object]
) -> None:
    first = ann.get(PAGE).text
    assert "Whose player is it?" in first
    assert "Tone 7" not in first
    assert ann.press(PAGE, positions="yes").status_code == 409
    assert ann.press(f"{PAGE}/listener", user=ANN.user_id).status_code == 303

    page = ann.get(PAGE).text
    assert ("Tone 7" in page, "1:01" in page, "3 plays" in page) == (True, True, True)
    done = ann.press(PAGE, positions="yes", counts="yes").text

    assert "Added to your Jellyfin history" in done
    assert (told["PlaybackPositionTicks"], told["PlayCount"]) == (610_000_000, 3)
    again = ann.get(PAGE).text
    assert ("Ratings of 8" in again, "3 plays" in again) == (True, False)
    [made] = ann.told(API)["imports"]
    told["LastPlayedDate"] = "2026-12-01T00:00:00.0000000Z"
    assert ann.press(f"{PAGE}/imports/{made['id']}/undo").status_code == 303
    assert (told["PlaybackPositionTicks"], told["PlayCount"]) == (0, 0)


def test_the_api_says_and_does_the_same(
    house: WebHouse, ann: Browser, ben: Browser, told: dict[str, object]
) -> None:
    assert ann.told(API)["listener"] == {
        "is_chosen": False,
        "user_id": None,
        "name": "",
        "is_you": False,
        "choices": [{"user_id": ANN.user_id, "name": "ann"}, {"user_id": None, "name": ""}],
    }
    chosen = ann.send("PUT", f"{API}/listener", {"user_id": ANN.user_id})
    assert chosen.json is not None
    assert (chosen.json["is_you"], chosen.json["name"]) == (True, "ann")
    [position] = ann.told(API)["positions"]
    assert (position["item_id"], position["seconds"]) == (track(7).id, 61.0)
    done = ann.send("POST", API, {"positions": True, "counts": False, "answers": {}})
    assert done.json == {"positions": 1, "plays": 0, "hearts": 0, "left": 0, "refused": []}
    [made] = ann.told(API)["imports"]
    assert ann.send("POST", f"{API}/imports/{made['id']}/undo").json == {"items": 1}
    for answer in (ben.get(API), ben.get(PAGE), ben.press(PAGE)):
        assert answer.status_code == 404


def test_a_device_that_is_away_is_told(
    house: WebHouse, ann: Browser, told: dict[str, object]
) -> None:
    ann.press(f"{PAGE}/listener", user=ANN.user_id)
    house.unplug()

    for answer in (ann.get(PAGE), ann.press(PAGE), ann.get(API)):
        assert answer.status_code == 409


def test_what_was_heard_at_home_is_written_only_for_the_listener(
    house: WebHouse, ann: Browser, told: dict[str, object]
) -> None:
    recent, changes = (
        house.folder / ".rockbox" / one for one in ("most-recent.bmark", "database_changelog.txt")
    )
    before = recent.read_bytes(), changes.read_bytes()
    assert ann.press(f"{PAGE}/given", bookmarks="yes", changelog="yes").status_code == 409
    assert (recent.read_bytes(), changes.read_bytes()) == before
    ann.press(f"{PAGE}/listener", user=ANN.user_id)
    ann.press(PAGE, positions="yes", counts="yes")
    told |= {
        "PlaybackPositionTicks": 900_000_000,
        "LastPlayedDate": "2026-12-01T00:00:00.0000000Z",
        "IsFavorite": True,
    }
    items = json_reply({"Items": [{"Id": track(7).id, "UserData": told}], "TotalRecordCount": 1})
    house.jellyfin.routes["GET /UserItems/Resume"] = items
    house.library(row(7, RunTimeTicks=2_700_000_000, UserData=told))

    page = ann.press(f"{PAGE}/given", bookmarks="yes").text
    assert "1 bookmark" in page
    assert recent.read_bytes().endswith(b"\n" + before[0])
    assert b";90000;" in recent.read_bytes()
    done = ann.send("POST", f"{API}/given", {"changelog": True})
    assert done.json == {"bookmarks": 0, "tracks": 1}
    assert b'playcount="3" rating="10"' in changes.read_bytes()
