"""What comes to a device and what goes: on its page and in the API."""

from __future__ import annotations

import re

import pytest

from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.rules.queue_ahead import NAME as AHEAD
from tests.services.conftest import STICK
from tests.web.house import ANN, BEN, EVE, Browser, WebHouse

WHY = "Downloaded ahead of a queue, and something with a higher priority needs the space"
ADDRESS = f"/api/v1/devices/{STICK}/plan"
BLOCK = 4096
# What somebody else's small file takes, as far as anybody may know it.
ROUGHLY = 1_000_000


@pytest.fixture
def users() -> tuple[str, ...]:
    return ("ann",)


def limit(house: WebHouse, blocks: int) -> None:
    """Let the stick hold so much at most."""
    changes: dict[str, object] = {"budget": blocks * BLOCK, "reserve": 0}
    house.services.web.settings.change(ANN, STICK, changes, {})


def crowd(house: WebHouse) -> tuple[Download, Download, Download]:
    """Let one file go for another, and a third one have no room."""
    goes = house.add(1, status=Status.COMPLETED, size=5 * BLOCK, rule=AHEAD)
    comes, waits = house.add(2, size=8 * BLOCK), house.add(3, size=11 * BLOCK)
    limit(house, 10)
    return goes, comes, waits


def fill(house: WebHouse, count: int) -> list[Download]:
    """Let there be many files that may go, and hardly any room."""
    with house.store.db.write():
        files = [
            house.add(number, status=Status.COMPLETED, size=BLOCK, rule=AHEAD)
            for number in range(1, count + 1)
        ]
    limit(house, 2)
    return files


def test_the_page_shows_what_comes_goes_and_waits_and_why(house: WebHouse, ann: Browser) -> None:
    crowd(house)

    page = ann.get("/devices").text

    for words in (
        "Car stick",
        "To be removed: 1",
        "To download: 1",
        "No room: 1",
        # A title in Arabic does not draw the size into itself.
        "<bdi>Tone 1</bdi>",
        "Downloaded ahead of a queue, and something with a higher priority needs the space",
        "It fits once another file is removed",
        "It is larger (45 kB) than the storage limit of Car stick (41 kB)",
        'aria-label="Space on Car stick"',
    ):
        assert words in page
    assert "Remove these" not in page
    assert " style=" not in page


def test_every_page_links_to_the_devices(ann: Browser) -> None:
    page = ann.get("/downloads").text

    places = dict(re.findall(r'<a[^>]* href="([^"]+)"([^>]*)><svg', page))
    assert places["/devices"] == ""
    assert places["/downloads"] == ' aria-current="page"'


def test_programs_read_it(house: WebHouse, ann: Browser) -> None:
    goes, comes, waits = crowd(house)

    told = ann.told(ADDRESS)

    assert (told["bytes_added"], told["bytes_removed"]) == (8 * BLOCK, 5 * BLOCK)
    assert [one["download_id"] for one in told["adds"]] == [comes.id]
    assert told["removals"] == [
        {
            "download_id": goes.id,
            "item_id": goes.item_id,
            "title": "Tone 1",
            "bytes": 5 * BLOCK,
            "reason": WHY,
        }
    ]
    [refusal] = told["refusals"]
    assert refusal == {
        "download_id": waits.id,
        "item_id": waits.item_id,
        "title": "Tone 3",
        "bytes": 11 * BLOCK,
        "reason": "It is larger (45 kB) than the storage limit of Car stick (41 kB)",
        "code": "too-big",
        "is_final": True,
    }
    assert (told["space"]["passing"], told["space"]["most"]) == (5 * BLOCK, 10 * BLOCK)


def test_programs_may_ask_for_fewer_lines_with_the_numbers_of_all(
    house: WebHouse, ann: Browser
) -> None:
    crowd(house)
    for number in (4, 5):
        house.add(number, size=BLOCK)
        house.add(10 + number, status=Status.COMPLETED, size=5 * BLOCK, rule=AHEAD)
        house.add(20 + number, size=11 * BLOCK)
    lists = ("adds", "removals", "refusals")
    whole = ann.told(ADDRESS)
    assert all(len(whole[one]) > 1 for one in lists)

    for most in (0, 1, 100):
        told = ann.told(f"{ADDRESS}?lines={most}")
        assert told == whole | {one: whole[one][:most] for one in lists}

    assert ann.get(f"{ADDRESS}?lines=-1").status_code == 422


@pytest.mark.parametrize("users", [("ann", "ben")])
def test_somebody_else_s_file_has_no_name(house: WebHouse, ann: Browser, ben: Browser) -> None:
    house.add(1, BEN, status=Status.COMPLETED, size=5 * BLOCK, rule=AHEAD)
    house.services.web.settings.change(EVE, STICK, {"budget": 2 * BLOCK, "reserve": 0}, {})

    assert "Another user's file" in ann.get("/devices").text
    [removal] = ann.told(ADDRESS)["removals"]
    assert [removal[name] for name in ("download_id", "item_id", "title")] == [None] * 3
    assert removal["bytes"] == ROUGHLY
    assert ben.told(ADDRESS)["removals"][0]["title"] == "Tone 1"


def test_many_removals_are_confirmed_with_a_form(house: WebHouse, ann: Browser) -> None:
    files = fill(house, 55)
    page = ann.get("/devices").text
    assert "Remove these 53 files" in page
    assert "and 3 more" in page

    def says_yes(plan_id: str) -> str:
        answer = ann.press(f"/devices/{STICK}/confirm", plan_id=plan_id)
        assert answer.status_code == 303
        return ann.get(answer.headers["Location"]).text

    plan_id = ann.told(ADDRESS)["plan_id"]
    assert "Nothing was removed" in says_yes("another")
    house.services.transfers.space.step()
    assert all(house.path(one).exists() for one in files)
    assert "These files are being removed" in says_yes(plan_id)
    house.services.transfers.space.step()
    assert sum(house.path(one).exists() for one in files) == 2


def test_programs_confirm_it(house: WebHouse, ann: Browser) -> None:
    files = fill(house, 12)
    plan_id = ann.told(ADDRESS)["plan_id"]

    old = ann.send("POST", f"{ADDRESS}/confirm", {"plan_id": "old"})
    assert (old.status_code, old.mimetype) == (409, "application/problem+json")
    assert ann.send("POST", f"{ADDRESS}/confirm", {}).status_code == 422
    assert ann.send("POST", f"{ADDRESS}/confirm", {"plan_id": plan_id}).status_code == 202
    house.services.transfers.space.step()
    assert sum(house.path(one).exists() for one in files) == 2


def test_more_than_it_may_hold_is_said(house: WebHouse, ann: Browser) -> None:
    house.add(1, status=Status.COMPLETED, size=5 * BLOCK)
    limit(house, 2)

    assert "12 kB above the limit are kept" in ann.get("/devices").text
    assert ann.told(ADDRESS)["over"] == 3 * BLOCK


def test_a_device_in_trouble_has_no_plan(house: WebHouse, ann: Browser) -> None:
    house.unplug()

    assert "Car stick is not there" in ann.get("/devices").text
    told = ann.told(ADDRESS)
    assert told["trouble"].startswith("Car stick is not there")
    assert (told["plan_id"], told["space"]) == (None, None)


def test_a_device_of_other_people_is_as_if_it_did_not_exist(
    house: WebHouse, ann: Browser, ben: Browser, eve: Browser
) -> None:
    files = fill(house, 12)
    yes = {"plan_id": ann.told(ADDRESS)["plan_id"]}

    assert "Car stick" not in ben.get("/devices").text
    assert "Car stick" in eve.get("/devices").text
    foreign, unknown = ben.get(ADDRESS), ben.get("/api/v1/devices/none/plan")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.data == unknown.data
    for device in (STICK, "none"):
        for way, body in (("confirm", yes), ("reformat", {"format": "opus-128k"})):
            asked = f"/api/v1/devices/{device}/plan/{way}"
            assert ben.send("POST", asked, body).status_code == 404
    ben.press(f"/devices/{STICK}/confirm", **yes)
    house.services.transfers.space.step()
    assert all(house.path(one).exists() for one in files)


def test_another_format_costs_something_and_takes_a_yes(house: WebHouse, ann: Browser) -> None:
    house.add(1, status=Status.COMPLETED, size=5 * BLOCK)
    house.services.web.settings.change(ANN, STICK, {"format": "opus"}, {})

    def say(name: object) -> int:
        return ann.send("POST", f"{ADDRESS}/reformat", {"format": name}).status_code

    reformat = ann.told(ADDRESS)["reformat"]
    text = reformat.pop("text")
    assert text.startswith("1 file is on it in another format than Opus 128k")
    assert text in ann.get("/devices").text
    assert reformat == {
        "format": "opus-128k",
        "files": 1,
        "whose": {"total": 1, "yours": 1, "shared": 0, "others": [], "hidden": 0},
        "bytes_to_fetch": 5 * BLOCK,
        "bytes_now": 5 * BLOCK,
        "bytes_after": 5 * BLOCK,
        "is_confirmed": False,
    }
    assert [say("mp3-192k"), say(""), say(7)] == [409, 422, 422]
    assert not ann.told(ADDRESS)["reformat"]["is_confirmed"]
    assert say("opus-128k") == 202
    assert ann.told(ADDRESS)["reformat"]["is_confirmed"]


def test_on_the_page_another_format_takes_a_yes(house: WebHouse, ann: Browser) -> None:
    house.add(1, status=Status.COMPLETED, size=5 * BLOCK)
    house.services.web.settings.change(ANN, STICK, {"format": "opus"}, {})

    other = ann.press(f"/devices/{STICK}/reformat", format="mp3-64k")
    nowhere = ann.press("/devices/none/reformat", format="opus-128k")
    assert other.location == "/devices?outcome=changed"
    assert nowhere.status_code == 404
    assert not ann.told(ADDRESS)["reformat"]["is_confirmed"]
    said = ann.press(f"/devices/{STICK}/reformat", format="opus-128k")
    assert (said.status_code, said.location) == (303, "/devices")
    assert ann.told(ADDRESS)["reformat"]["is_confirmed"]


def test_what_was_too_large_is_tried_again_when_the_limit_is_another(
    house: WebHouse, ann: Browser
) -> None:
    limit = house.services.web.settings.change
    waits = house.add(1, size=11 * BLOCK)

    def told(budget: int) -> str:
        limit(EVE, STICK, {"budget": budget, "reserve": 0}, {})
        house.services.transfers.space.step()
        return " ".join(ann.get("/downloads?tab=failed").text.split())

    assert "larger (45 kB) than the storage limit of Car stick (41 kB)" in told(10 * BLOCK)
    assert "larger (45 kB) than the storage limit of Car stick (43 kB)" in told(43_000)
    assert "storage limit of Car stick (41 kB)" not in told(43_000)
    assert "than the storage limit" not in told(20 * BLOCK)
    assert house.now(waits).status is Status.PENDING


def test_every_page_tells_one_number_for_what_is_used(house: WebHouse, ann: Browser) -> None:
    for number in range(1, 41):
        house.add(number, status=Status.COMPLETED, size=51_000 + number, rule=AHEAD)
    house.services.web.settings.change(EVE, STICK, {"budget": 5_000_000, "reserve": 0}, {})

    home, devices = ann.get("/").text, ann.get("/devices").text
    space = ann.told(ADDRESS)["space"]

    assert "2.0 MB of 5.0 MB used" in home
    assert "2.0 MB of 5.0 MB used" in devices
    assert space["lasting"] + space["passing"] == sum(51_000 + number for number in range(1, 41))
