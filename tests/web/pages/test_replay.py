"""Past plays are replayed for the page in a child process, kept, used and taken back."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread

import pytest

from sidecar.domain.rules import album_affinity
from sidecar.domain.rules.registry import RULE_OF
from sidecar.services.activity.replays.child import LIMITS
from sidecar.services.activity.replays.service import LARGEST_FILE, ReplayService
from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S
from tests.services.conftest import STICK, track
from tests.web.house import ANN, Browser, WebHouse

PAGE, API = "/activity/replay", "/api/v1/replay"
CSV = "time,user,item_id,seconds,size,length\n" + "".join(
    f"2026-03-{1 + n // 2:02}T18:00:00,someone,x{n % 2},200,1000,200\nbad\n"
    if n == 7
    else f"2026-03-{1 + n // 2:02}T18:00:00,someone,x{n % 2},200,1000,200\n"
    for n in range(50)
)


@pytest.fixture
def users() -> tuple[str, ...]:
    """Ann has the stick alone, and manages it."""
    return (ANN.name,)


def replays(house: WebHouse) -> ReplayService:
    found = house.services.web.replays
    # What else runs beside the tests would keep it waiting.
    found.limits = replace(LIMITS, nice=0)
    return found


def listen(house: WebHouse) -> None:
    for day in range(20):
        began = house.clock.now() + timedelta(days=day)
        for number in (1, 2):
            house.heard(ANN, number, began)


def test_plays_are_replayed_kept_used_and_taken_back(
    house: WebHouse, ann: Browser, ben: Browser, eve: Browser
) -> None:
    listen(house)
    assert ann.told(API)["state"] == "none"
    assert ann.press(PAGE, share=["20"], other="much", device=STICK).status_code == 422
    assert ann.press(PAGE, device=STICK).status_code == 422

    assert ann.press(PAGE, share=["50"], other="1 GB", device=STICK).status_code == 303
    assert (ann.told(API)["state"], ben.told(API)["state"]) == ("waiting", "none")
    assert "Waits until" in ann.get(PAGE).text
    assert ann.press(PAGE, share=["50"], device=STICK).status_code == 422
    replays(house).step(Event())

    told = ann.told(API)
    assert (told["state"], told["refused"]) == ("done", None)
    report = told["result"]["report"]
    assert [one["name"] for one in report["runs"][:2]] == ["rules", "fill"]
    assert {one["budget"] for one in report["runs"]} == {10**9, report["library"]["bytes"] // 2}
    assert (report["runs"][0]["plays"], report["users"]) == (40, 1)
    assert report["recommended"][1]["set"]["fill.enabled"]
    page = ann.get(f"{PAGE}?budget={report['library']['bytes'] // 2}").text
    assert page.count("<rect") > 8
    assert "Use these rules" in page
    assert report["runs"][1]["missed_most"][0]["title"] in {track(1).title, track(2).title}
    assert report["runs"][1]["missed_most"][0]["title"] in page
    for other in (ben, eve):
        assert other.told(API) == {
            "state": "none",
            "progress": 0.0,
            "refused": None,
            "result": None,
        }
        assert other.press(f"{PAGE}/use", budget=10**9).status_code == 422

    def is_on(rule: str) -> bool:
        return bool(house.services.rules.settings.of(RULE_OF[rule], STICK).enabled)

    done = ann.press(f"{PAGE}/use", budget=10**9)
    assert (is_on("fill"), is_on(album_affinity.NAME)) == (True, False)
    page = ann.get(done.location).text
    assert "The rules of Car stick are set as recommended." in page
    token = done.location.partition("done=")[2]
    ann.send("POST", f"/api/v1/undo/{token}")
    assert (is_on("fill"), is_on(album_affinity.NAME)) == (False, True)

    # What somebody has set otherwise since is not overruled.
    token = ann.press(f"{PAGE}/use", budget=10**9).location.partition("done=")[2]
    house.services.web.settings.change(ANN, STICK, {}, {"fill": {"enabled": False}})
    undone = ann.press("/undo", token=token, next="/devices")
    assert is_on(album_affinity.NAME)
    assert house.services.rules.settings.changes_of(RULE_OF["fill"], STICK)["enabled"] is False
    assert "What was changed since stays as it is." in ann.get(undone.location).text

    ann.send("DELETE", API)
    assert ann.told(API)["result"] is None


def test_only_who_manages_a_device_changes_its_rules(
    house: WebHouse, ben: Browser, eve: Browser
) -> None:
    listen(house)
    # Ben does not use the stick; what is everybody's is for admins.
    assert ben.press(PAGE, share=["50"], device=STICK).status_code == 404
    assert ben.press(PAGE, share=["50"], whose="all").status_code == 404
    assert eve.press(PAGE, share=["50"], whose="all", device=STICK).status_code == 303
    replays(house).step(Event())

    kept = eve.told(API)["result"]
    assert (kept["is_household"], kept["report"]["runs"][0]["plays"]) == (True, 40)
    budget = kept["report"]["recommended"][0]["budget"]
    used = eve.send("POST", f"{API}/use", {"budget": budget})
    assert (used.json or {})["undo"]["token"]


def test_a_file_comes_in_parts_or_with_the_form_and_is_bounded(
    house: WebHouse, ann: Browser, ben: Browser
) -> None:
    octets = CSV.encode()
    headers = {"X-Sidecar-CSRF": ann.csrf, "Content-Type": "application/octet-stream"}

    def put(offset: int, part: bytes) -> int:
        path = f"{API}/history?offset={offset}"
        return ann.client.put(path, data=part, headers=headers).status_code

    assert ann.send("POST", API, {"budgets": ["1 kB"], "is_uploaded": True}).status_code == 422
    assert put(7, octets) == 422
    assert put(0, octets[:500]) == put(500, octets[500:]) == 200
    assert ann.send("POST", API, {"budgets": ["1 kB"], "is_uploaded": True}).status_code == 202
    assert (
        ben.client.post(
            PAGE,
            data={"csrf": ben.csrf, "share": "50", "history": (io.BytesIO(b"a,b\n1,2\n"), "x.csv")},
        ).status_code
        == 303
    )
    replays(house).step(Event())

    kept = ann.told(API)["result"]
    assert (kept["bad_rows"], kept["bad_lines"], kept["is_uploaded"]) == (1, [10], True)
    assert kept["report"]["runs"][0]["plays"] == 50
    assert "1 line could not be read, the first in line 10." in ann.get(PAGE).text
    assert ben.told(API)["state"] == "failed"
    assert "neither an export" in ben.get(PAGE).text
    assert list(house.folder.parent.joinpath("data").glob("tmp*")) == []
    part = b"x" * 60_000
    for offset in range(0, LARGEST_FILE - len(part), len(part)):
        replays(house).put_part(ANN, offset, part)
    assert put(LARGEST_FILE // len(part) * len(part), part) == 422


def test_a_running_replay_shows_how_far_it_is_and_is_cancelled(
    house: WebHouse, ann: Browser
) -> None:
    rows = "".join(
        f"{2000 + n // 300}-{1 + n // 25 % 12:02}-{1 + n % 25:02}T18:00:00,u,x{n % 90},200,1000\n"
        for n in range(3000)
    )
    octets = f"time,user,item_id,seconds,size\n{rows}".encode()
    replays(house).put_part(ANN, 0, octets)
    assert ann.send("POST", API, {"budgets": ["5%"], "is_uploaded": True}).status_code == 202
    thread = Thread(target=replays(house).step, args=(Event(),))
    thread.start()
    try:
        wait_until(lambda: ann.told(API)["progress"] > 0, what="progress")
        assert "% done" in ann.get(PAGE).text
    finally:
        ann.press(f"{PAGE}/cancel")
        thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert ann.told(API)["state"] == "none"
