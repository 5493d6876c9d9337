from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.domain.downloads.download import Status
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import json_reply
from tests.services.conftest import STICK, track
from tests.web.house import ANN, Browser, WebHouse
from tests.web.returned import PLACE, STRANGER, bring_log, bring_song
from tests.web.syncthing import carried_house, carry

PAGE = f"/devices/{STICK}"


@pytest.fixture
def users() -> tuple[str, ...]:
    return ("ann",)


@pytest.fixture
def carried(quick_path: Path, clock: FakeClock) -> Iterator[WebHouse]:
    """A house whose stick Syncthing carries to Ann's phone."""
    with carried_house(quick_path, clock) as (house, syncthing):
        carry(house, syncthing)
        yield house


def told(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def test_files_that_were_there_are_offered_with_the_reason(house: WebHouse, ann: Browser) -> None:
    bring_song(house)
    [match] = ann.told(f"/api/v1{PAGE}/adoption")["matched"]

    page = ann.get(f"{PAGE}/found").text

    assert "1 certain match" in page
    assert match["why"] in told(page)
    assert f'value="{match["id"]}" checked' in page
    assert "1 other file" in page
    assert STRANGER in page


def test_a_device_that_was_copied_here_says_what_to_do(house: WebHouse, ann: Browser) -> None:
    bring_song(house)
    (house.folder / "Copy <i>" / ".sidecar").mkdir(parents=True)

    page = told(ann.get(f"{PAGE}/found").text)

    assert "The folder Copy &lt;i&gt; is a device of its own" in page
    assert "delete the hidden folder .sidecar in it and load this page again" in page


def test_what_is_ticked_is_adopted_and_what_was_not_is_said(house: WebHouse, ann: Browser) -> None:
    bring_song(house)
    [match] = ann.told(f"/api/v1{PAGE}/adoption")["matched"]
    (house.folder / PLACE).write_bytes(b"another")

    changed = ann.press(f"{PAGE}/found", match=[match["id"], "odd"])
    asked = ann.press(f"{PAGE}/found", all="yes", total="1200")

    assert "Import 1,200 files?" in asked.text
    assert changed.status_code == 200
    assert PLACE in changed.text
    assert house.store.downloads.queries.by_item(STICK, track(7).id) is None
    bring_song(house)
    [match] = ann.told(f"/api/v1{PAGE}/adoption")["matched"]
    nothing = ann.press(f"{PAGE}/found", match=["odd"])
    done = ann.press(f"{PAGE}/found", match=[match["id"]])
    assert (nothing.status_code, "Nothing was chosen" in nothing.text) == (400, True)
    assert "1 file was imported" in done.text
    assert house.row(7).status is Status.COMPLETED


def test_all_that_is_sure_is_adopted_together(house: WebHouse, ann: Browser) -> None:
    bring_song(house)

    assert "1 file was imported" in ann.press(f"{PAGE}/found", all="yes", sure="yes").text
    assert house.row(7).file_path == PLACE


def test_what_was_heard_is_shown_before_it_is_taken_over(house: WebHouse, ann: Browser) -> None:
    bring_log(house)
    house.jellyfin.routes[f"GET /UserItems/{track(8).id}/UserData"] = json_reply({}, 404)

    page = told(ann.get(f"{PAGE}/heard").text)
    assert "2 new plays" in page
    assert "0:13 played" in page
    assert "Europe/Berlin" in page
    assert "not readable 1" in page
    assert house.store.plays.page(ANN.user_id, 1, 10)[1] == 0

    done = ann.press(f"{PAGE}/heard")

    assert "1 play was added" in done.text
    assert "Tone 8: Jellyfin does not have it any more" in told(done.text)
    [play] = house.store.plays.page(ANN.user_id, 1, 10)[0]
    assert play.play.title == "Tone 7"


def test_a_list_from_the_device_is_shown_and_answered(house: WebHouse, ann: Browser) -> None:
    download = house.add(7, status=Status.COMPLETED)
    (house.folder / "Road.m3u").write_text(f"#EXTM3U\n{download.file_path}\nnone.mp3\n")
    api = f"/api/v1{PAGE}/lists"

    page = told(ann.get(f"{PAGE}/lists").text)
    assert "Road was made on Car stick: 1 track" in page
    assert "1 line names no file of this device" in page
    (one,) = ann.told(api)["lists"]
    assert (one["path"], one["kind"], one["changes"]["added"]) == ("Road.m3u", "new", ["Tone 7"])
    for odd in (
        {"path": "Road.m3u", "mark": one["mark"], "answer": "perhaps"},
        {"path": "Road.m3u", "mark": "x", "answer": "take"},
        {"path": "", "mark": one["mark"], "answer": "take"},
        {},
    ):
        assert ann.send("POST", api, odd).status_code == 422
    other = {"path": "Road.m3u", "mark": "0" * 16, "answer": "take"}
    assert ann.send("POST", api, other).status_code == 409
    assert ann.press(f"{PAGE}/lists", **other).status_code == 409
    assert ann.press(f"{PAGE}/lists", answer="odd").status_code == 400
    assert ann.press(f"{PAGE}/lists/undo", path="Road.m3u").status_code == 404

    done = ann.press(f"{PAGE}/lists", path="Road.m3u", mark=one["mark"], answer="ignore")

    assert "Road stays in Jellyfin as it is" in told(done.text)
    assert "No changed playlists" in told(done.text)
    assert ann.told(api)["lists"] == []


@pytest.mark.parametrize("path", ["found", "heard", "lists"])
def test_a_device_of_others_is_not_there(house: WebHouse, ben: Browser, path: str) -> None:
    bring_song(house)

    assert ben.get(f"{PAGE}/{path}").status_code == 404
    assert ben.press(f"{PAGE}/{path}").status_code == 404
    assert house.jellyfin.requests == []


def test_when_it_cannot_be_done_now_the_page_says_why(house: WebHouse, ann: Browser) -> None:
    house.unplug()

    pages = (ann.get(f"{PAGE}/found"), ann.press(f"{PAGE}/heard"), ann.get(f"{PAGE}/lists"))
    for answer in pages:
        assert answer.status_code == 409
        assert "Car stick is not there: plug it in and it goes on." in answer.text


def test_the_device_page_tells_where_syncthing_carries_it(carried: WebHouse) -> None:
    ann = carried.come_in(ANN)
    page = told(ann.get(PAGE).text)
    assert "Ann&#39;s phone connected" in page
    assert "99 % · 1 file is missing" in page
    assert "what can be removed waits until Ann&#39;s phone has 1 newer file" in page
    assert "Write the line" in page

    done = ann.press(f"{PAGE}/stignore")

    assert done.headers["Location"] == PAGE
    assert "/.sidecar" in (carried.folder / ".stignore").read_text()
    assert "Write the line" not in ann.get(PAGE).text


def test_the_line_is_refused_with_the_reason(house: WebHouse, ann: Browser) -> None:
    house.unplug()

    refused = ann.press(f"{PAGE}/stignore")

    assert refused.status_code == 422
    assert "plug it in" in refused.text


def test_a_file_tells_on_which_phone_it_has_arrived(carried: WebHouse) -> None:
    ann = carried.come_in(ANN)
    ids = re.findall(r'id="download-(\d+)"', ann.get("/downloads?tab=completed").text)
    opened = "".join(f"&open={one}" for one in ids)
    page = told(ann.get(f"/downloads?tab=completed{opened}").text)

    assert page.count("on Ann&#39;s phone") == 1
