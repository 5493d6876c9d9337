"""What is done with downloads, in the API and by the buttons of the page."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from sidecar.domain.downloads.download import Download, Status, Validator
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.domain.wishes import PIN
from sidecar.web.pages.downloads.view import STATUSES
from tests.services.conftest import track
from tests.services.rules.steered import row
from tests.web.house import ANN, BEN, EVE, UNKNOWN, Browser, WebHouse

API = "/api/v1/downloads"
BULK = f"{API}/bulk"
ITEM = track(7).id
BROKEN_OFF = Failure(FailureClass.TRANSIENT, "reset", "The connection ended")
UNPROVED = Failure(FailureClass.UNPROVED, "unproved", "It is shorter than the library says")


def one(house: WebHouse, status: Status = Status.PENDING, **how: object) -> Download:
    return house.add(7, status=status, **how)  # type: ignore[arg-type]  # by name


def unproved(house: WebHouse, status: Status, number: int = 7) -> Download:
    """Let a file have come in another length than the library says."""
    found = house.add(number, status=Status.DOWNLOADING)
    downloads = house.store.downloads.transitions
    downloads.transfer_started(found.id, Validator("Sun, 01 Nov 2026 10:00:00 GMT", 99), 99)
    later = house.clock.now() + timedelta(hours=1)
    fail = downloads.give_up if status is Status.FAILED else downloads.postpone
    assert fail(house.now(found), until=later, failure=UNPROVED, retry_count=1)
    return house.now(found)


def queue(house: WebHouse) -> list[str]:
    """Return the titles of what waits, the next one first."""
    found = house.come_in(EVE).told(f"{API}?sort=queue&status=pending")
    return [item["title"] for item in found["items"]]


def plain(answer: TestResponse) -> str:
    """Where an answer leads, without what tells there what was done."""
    return re.sub(r"[?&]done=[\w-]+$", "", answer.headers["Location"])


@pytest.mark.parametrize(
    ("way", "before", "after"),
    [
        ("POST /pause", Status.PENDING, Status.PAUSED),
        ("POST /resume", Status.PAUSED, Status.PENDING),
        ("POST /retry", Status.FAILED, Status.PENDING),
        ("DELETE ", Status.COMPLETED, Status.REMOVED),
        ("POST /cancel", Status.PENDING, None),
    ],
)
def test_each_way_moves_the_download(
    house: WebHouse, ann: Browser, way: str, before: Status, after: Status | None
) -> None:
    download, (verb, path) = one(house, before), way.split(" ")

    answer = ann.send(verb, f"{API}/{download.id}{path}")

    assert answer.status_code == 200
    assert answer.json is not None
    assert (answer.json["id"], answer.json["result"]) == (download.id, "done")
    assert house.status(download) is after
    assert answer.json.get("status") == (after.value if after else None)
    assert not house.path(download).exists()


def test_the_queue_is_put_in_another_order(house: WebHouse, ann: Browser) -> None:
    first, second, third = (house.add(number) for number in (1, 2, 3))

    assert ann.send("POST", f"{API}/{second.id}/prioritise", {"priority": 3}).status_code == 200
    assert queue(house) == ["Tone 2", "Tone 1", "Tone 3"]
    assert house.now(second).priority == 3
    assert ann.send("POST", f"{API}/{third.id}/top").status_code == 200
    assert queue(house) == ["Tone 3", "Tone 2", "Tone 1"]
    assert ann.send("POST", f"{API}/{first.id}/move", {"before": second.id}).status_code == 200
    assert queue(house) == ["Tone 3", "Tone 1", "Tone 2"]
    assert ann.send("POST", f"{API}/{third.id}/move", {"before": None}).status_code == 200
    assert queue(house) == ["Tone 1", "Tone 2", "Tone 3"]


@pytest.mark.parametrize("status", [Status.PENDING, Status.FAILED])
def test_what_could_not_be_proved_whole_is_accepted(
    house: WebHouse, ann: Browser, status: Status
) -> None:
    download = unproved(house, status)

    assert ann.send("POST", f"{API}/{download.id}/accept", {}).status_code == 200

    assert house.now(download).accepted == download.validator
    assert house.status(download) is Status.PENDING


def test_a_foreign_download_is_answered_like_an_unknown_one(house: WebHouse) -> None:
    download, ben = house.add(7, ANN), house.come_in(BEN)

    for verb, path, body in (
        ("POST", "/pause", None),
        ("POST", "/resume", None),
        ("POST", "/retry", {}),
        ("POST", "/accept", {}),
        ("POST", "/cancel", {}),
        ("DELETE", "", None),
        ("POST", "/prioritise", {"priority": 3}),
        ("POST", "/top", None),
        ("POST", "/move", {"before": 8}),
    ):
        foreign = ben.send(verb, f"{API}/{download.id}{path}", body)
        unknown = ben.send(verb, f"{API}/99{path}", body)

        assert foreign.status_code == unknown.status_code == 404, path
        assert foreign.data == unknown.data, path
    assert house.now(download) == download


def test_an_admin_retries_in_a_cooldown_and_from_zero(house: WebHouse, eve: Browser) -> None:
    download = one(house, Status.DOWNLOADING)
    downloads = house.store.downloads.transitions
    downloads.transfer_started(download.id, Validator("Sun, 01 Nov 2026 10:00:00 GMT", 99), 50)
    later = house.clock.now() + timedelta(hours=1)
    downloads.give_up(house.now(download), until=later, failure=BROKEN_OFF, retry_count=3)

    answer = eve.send("POST", f"{API}/{download.id}/retry", {"from": "zero", "force": True})

    assert answer.status_code == 200
    now = house.now(download)
    assert (now.status, now.bytes_downloaded, now.retry_next_at) == (Status.PENDING, 0, None)


@pytest.mark.parametrize("keep_part", [True, False])
def test_an_admin_cancels_for_everyone_and_may_keep_what_is_there(
    house: WebHouse, eve: Browser, keep_part: bool
) -> None:
    download = house.add(7, ANN, BEN, EVE, status=Status.DOWNLOADING)
    downloads = house.store.downloads
    began = Validator("Sun, 01 Nov 2026 10:00:00 GMT", 7000)
    downloads.transitions.transfer_started(download.id, began, 5000)

    assert eve.send("POST", f"{API}/{download.id}/cancel").json["result"] == "kept"  # type: ignore[index]
    assert house.holders(download) == ["ann", "ben"]
    for_all = {"for_everyone": True, "keep_part": keep_part}
    assert eve.send("POST", f"{API}/{download.id}/cancel", for_all).status_code == 200

    assert house.status(download) is None
    assert downloads.queue.list_forgotten([download.id]) == (set() if keep_part else {download.id})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/{id}/retry", {"force": True}),
        ("/{id}/cancel", {"for_everyone": True}),
        ("/bulk", {"action": "pause", "filter": {"owner": "ben"}}),
        ("/bulk", {"action": "retry", "ids": [1], "force": True}),
    ],
)
def test_what_only_an_admin_may_is_refused_to_others(
    house: WebHouse, ann: Browser, path: str, body: object
) -> None:
    later = house.clock.now() + timedelta(hours=1)
    download = one(house, Status.FAILED, failure=BROKEN_OFF, until=later)

    answer = ann.send("POST", f"{API}{path.format(id=download.id)}", body)

    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["code"] == "admins-only"
    assert house.now(download) == download


def test_a_refusal_has_a_sentence_a_code_and_the_time(house: WebHouse, ann: Browser) -> None:
    later = house.clock.now() + timedelta(hours=1)
    download = one(house, Status.FAILED, failure=BROKEN_OFF, until=later)

    answer = ann.send("POST", f"{API}/{download.id}/retry")

    assert answer.status_code == 409
    assert answer.mimetype == "application/problem+json"
    assert answer.json == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Tone 7 failed a moment ago and is tried again by itself; before that time it "
        "cannot be retried.",
        "code": "cooling-down",
        "retry_next_at": "2026-11-01T13:00:00.000Z",
    }


NONSENSE: tuple[tuple[str, object], ...] = (
    ("", {}),
    ("", {"item_id": "x"}),
    ("", {"item_id": ITEM + "\n"}),
    ("", {"item_id": ITEM, "item_ids": [ITEM]}),
    ("", {"item_ids": []}),
    ("", {"item_ids": [ITEM] * 101}),
    ("", {"item_id": ITEM, "user_id": "b" * 32}),
    ("", {"item_id": ITEM, "priority": 101}),
    ("", {"item_id": ITEM, "priority": "9" * 30}),
    ("", {"item_id": ITEM, "device": "a", "device_id": "b"}),
    ("", []),
    ("", None),
    ("/1/pause", {"status": "completed"}),
    ("/1/retry", {"from": "middle"}),
    ("/1/retry", {"from_zero": True}),
    ("/1/prioritise", {}),
    ("/1/prioritise", {"priority": 1.5}),
    ("/1/move", {"before": 0}),
    ("/1/move", {"before": 2**63}),
    ("/bulk", {"action": "pause"}),
    ("/bulk", {"action": "dance", "ids": [1]}),
    ("/bulk", {"action": "pause", "ids": []}),
    ("/bulk", {"action": "pause", "ids": [1], "filter": {}}),
    ("/bulk", {"action": "pause", "ids": list(range(1, 1002))}),
    ("/bulk", {"action": "pause", "filter": {"status": ["odd"]}}),
    ("/bulk", {"action": "pause", "filter": {"where": "1=1"}}),
    ("/bulk", {"action": "delete", "filter": {}}),
    ("/bulk", {"action": "prioritise", "ids": [1]}),
)


def test_what_makes_no_sense_is_refused_and_does_nothing(house: WebHouse, ann: Browser) -> None:
    download = one(house)
    house.library(row(7))
    assert download.id == 1

    for path, body in NONSENSE:
        answer = ann.send("POST", f"{API}{path}", body)

        assert answer.status_code == (415 if body is None else 422), (path, body)
        assert answer.mimetype == "application/problem+json"
    assert house.now(download) == download
    assert house.jellyfin.asked("/Items") == []


def test_broken_json_is_told_and_never_breaks_us(house: WebHouse, ann: Browser) -> None:
    path = f"{API}/{one(house).id}/prioritise"
    headers = {"X-Sidecar-CSRF": ann.csrf, "Content-Type": "application/json"}

    for raw in (b"{", b"nul", b"[" * 10_000, b'{"priority": NaN}', b"\xff"):
        assert ann.client.post(path, data=raw, headers=headers).status_code in {400, 422}


def test_json_in_a_form_s_clothes_is_not_taken(house: WebHouse, ann: Browser) -> None:
    download = one(house)
    headers = {"X-Sidecar-CSRF": ann.csrf, "Content-Type": "text/plain"}

    answer = ann.client.post(f"{API}/{download.id}/pause", data=b"{}", headers=headers)

    assert answer.status_code == 415
    assert house.status(download) is Status.PENDING


def test_an_item_is_asked_for(house: WebHouse, ann: Browser) -> None:
    house.library(row(7))
    dashed = f"{ITEM[:8]}-{ITEM[8:12]}-{ITEM[12:16]}-{ITEM[16:20]}-{ITEM[20:]}".upper()

    answer = ann.send("POST", API, {"item_id": dashed, "device": "Car stick"})

    assert answer.status_code == 201
    [hold] = house.store.holds.of_item(house.row(7).device_id, ITEM)
    assert (hold.user_id, hold.reason.rule) == (ANN.user_id, PIN)


def test_one_that_exists_is_returned_with_its_place(house: WebHouse, ann: Browser) -> None:
    house.library(row(7))
    house.jellyfin.routes[f"GET /Items/{'f' * 32}"] = UNKNOWN
    download = one(house)

    answer = ann.send("POST", API, {"item_ids": [ITEM, "f" * 32], "priority": 9})

    assert answer.status_code == 200
    assert answer.json is not None
    assert [item["id"] for item in answer.json["items"]] == [download.id]
    assert answer.json["total"] == 1
    first, second = answer.json["results"]
    assert first["downloads"] == [{"id": download.id, "status": "pending", "position": 1}]
    assert (first["result"], second["result"]) == ("exists", "not_found")
    assert house.now(download).priority == 9


def test_an_item_that_nobody_knows_is_not_found(house: WebHouse, ann: Browser) -> None:
    house.jellyfin.routes[f"GET /Items/{ITEM}"] = UNKNOWN

    answer = ann.send("POST", API, {"item_id": ITEM})

    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["code"] == "unknown-item"


def test_many_have_a_result_each(house: WebHouse, ann: Browser) -> None:
    mine, foreign = house.add(7), house.add(8, BEN)

    answer = ann.send("POST", BULK, {"action": "pause", "ids": [mine.id, foreign.id, 99]})

    assert answer.json is not None
    assert [item["result"] for item in answer.json["items"]] == ["done", "not_found", "not_found"]
    assert answer.json["counts"]["not_found"] == 2
    assert answer.json["items"][1]["message"] == answer.json["items"][2]["message"]
    assert (house.status(mine), house.status(foreign)) == (Status.PAUSED, Status.PENDING)


def test_all_that_fit_are_chosen_by_a_filter(house: WebHouse, eve: Browser) -> None:
    waits = house.add(1, ANN)
    failed = [house.add(number, who, status=Status.FAILED) for number, who in ((2, ANN), (3, BEN))]
    others = [
        house.add(4, EVE, status=Status.FAILED),
        house.add(5, ANN, title="Noise", status=Status.FAILED),
    ]
    chosen = {
        "status": ["failed"],
        "device_id": waits.device_id,
        "owner": ["ann", "ben"],
        "q": "tone",
    }

    answer = eve.send("POST", BULK, {"action": "retry", "filter": chosen, "from": "zero"})

    assert answer.status_code == 200
    assert [house.status(item) for item in failed] == [Status.PENDING] * 2
    assert [house.status(item) for item in others] == [Status.FAILED] * 2
    none = {"action": "retry", "filter": chosen | {"device_id": "another"}}
    assert eve.send("POST", BULK, none).json["total"] == 0  # type: ignore[index]


def test_clearing_what_is_completed_lets_go_of_it_and_deletes_nothing(
    house: WebHouse, ann: Browser
) -> None:
    download = one(house, Status.COMPLETED, rule=PIN, text="downloaded by you")

    ann.send("POST", BULK, {"action": "clear_completed", "filter": {}})

    assert house.status(download) is Status.COMPLETED
    assert house.path(download).exists()
    [hold] = house.store.holds.of_item(download.device_id, download.item_id)
    assert hold.release_at is not None


# -- the page


def test_a_button_comes_back_to_the_list_as_it_was(house: WebHouse, ann: Browser) -> None:
    download = one(house)

    answer = ann.press(
        f"/downloads/{download.id}/act", action="pause", tab="active", q="tra ck&x=//evil", page="2"
    )

    assert answer.status_code == 303
    assert plain(answer) == "/downloads?tab=active&q=tra+ck%26x%3D//evil&page=2"
    assert house.status(download) is Status.PAUSED


def test_what_could_not_be_done_is_told_on_a_page(house: WebHouse, ann: Browser) -> None:
    download = one(house, Status.FAILED, title="<b>Bold</b>")

    answer = ann.press(f"/downloads/{download.id}/act", action="pause", tab="completed")

    assert answer.status_code == 409
    assert "&lt;b&gt;Bold&lt;/b&gt; has failed: retry it." in answer.text
    assert 'href="/downloads?tab=completed"' in answer.text


def test_a_button_of_a_foreign_row_finds_nothing(house: WebHouse) -> None:
    download, ben = one(house), house.come_in(BEN)

    assert ben.press(f"/downloads/{download.id}/act", action="pause").status_code == 404
    assert ben.get(f"/downloads/{download.id}/ask?action=delete").status_code == 404
    assert house.status(download) is Status.PENDING


def test_only_what_has_a_button_can_be_pressed(house: WebHouse, ann: Browser) -> None:
    download = one(house)

    for action in ("", "dance", "prioritise", "move"):
        assert ann.press(f"/downloads/{download.id}/act", action=action).status_code == 400
        assert ann.press("/downloads/act", action=action).status_code == 400
        assert ann.press("/downloads/chosen", action=action, id=download.id).status_code == 400
        assert ann.get(f"/downloads/{download.id}/ask?action={action}").status_code == 404
    assert house.now(download) == download


def test_a_button_without_the_page_s_token_does_nothing(house: WebHouse, ann: Browser) -> None:
    download = one(house)

    answer = ann.client.post(f"/downloads/{download.id}/act", data={"action": "pause"})

    assert answer.status_code == 403
    assert house.status(download) is Status.PENDING


def test_a_file_is_deleted_only_after_a_question(house: WebHouse, ann: Browser) -> None:
    download = one(house, Status.COMPLETED, title="<b>Bold</b>")

    asked = ann.get(f"/downloads/{download.id}/ask?action=delete&tab=completed&q=bo&page=3")

    assert asked.status_code == 200
    assert "&lt;b&gt;Bold&lt;/b&gt;" in asked.text
    assert 'href="/downloads?tab=completed&amp;q=bo&amp;page=3"' in asked.text
    assert house.path(download).exists()


def test_who_shares_a_file_is_told_before(house: WebHouse, ann: Browser, eve: Browser) -> None:
    alone = house.add(7, ANN, status=Status.COMPLETED)
    shared = house.add(8, ANN, BEN, EVE, status=Status.COMPLETED)

    def asked(who: Browser, download: Download) -> str:
        return who.get(f"/downloads/{download.id}/ask?action=delete").text

    assert "it is kept for them" in asked(ann, shared)
    assert "For all users" not in asked(ann, shared)
    assert "It is needed by ann" in asked(eve, alone)
    assert "For all users" not in asked(eve, alone)
    assert "2 other users need this" in asked(eve, shared)
    assert "For all users" in asked(eve, shared)


BUTTONS = {
    Status.PENDING: {"Pause", "Move to top", "Cancel"},
    Status.DOWNLOADING: {"Pause", "Cancel"},
    Status.PAUSED: {"Resume", "Cancel"},
    Status.FAILED: {"Retry", "Cancel"},
    Status.COMPLETED: {"Delete"},
    Status.REMOVED: {"Download again"},
}


def test_each_row_offers_what_its_state_allows_and_names_its_title(
    house: WebHouse, ann: Browser
) -> None:
    downloads = [house.add(number, status=status) for number, status in enumerate(BUTTONS, 1)]
    words = set().union(*BUTTONS.values())

    for one in downloads:
        tab = next(tab for tab, statuses in STATUSES.items() if one.status in statuses)
        page = ann.get(f"/downloads?tab={tab}&open={one.id}").text
        shown = {
            word
            for word in words
            if f'<span>{word}</span><span class="hidden-label"> {one.title}</span>' in page
        }
        assert shown == BUTTONS[one.status]


@pytest.mark.parametrize("status", [Status.PENDING, Status.FAILED])
def test_what_could_not_be_proved_whole_has_a_button_to_accept_it(
    house: WebHouse, ann: Browser, status: Status
) -> None:
    tab = next(tab for tab, statuses in STATUSES.items() if status in statuses)
    download = unproved(house, status)
    house.add(8, status=status)

    page = ann.get(f"/downloads?tab={tab}&open={download.id}").text
    assert ann.press("/downloads/chosen", action="accept", id=download.id).status_code == 400
    ann.press(f"/downloads/{download.id}/act", action="accept")

    assert page.count("Accept as it is") == 1
    assert house.now(download).accepted == download.validator


def test_in_a_cooldown_only_an_admin_has_a_button(
    house: WebHouse, ann: Browser, eve: Browser
) -> None:
    later = house.clock.now() + timedelta(hours=1)
    one(house, Status.FAILED, failure=BROKEN_OFF, until=later)

    assert "Try now" not in ann.get("/downloads?tab=failed").text
    assert "Try now" in eve.get("/downloads?tab=failed").text


def test_all_that_the_list_shows_are_paused(house: WebHouse, ann: Browser) -> None:
    shown = [house.add(7), house.add(8)]
    others = [house.add(9, BEN), house.add(10, title="Noise")]

    asked = {"q": "tone", "kind": "music", "owner": "ben", "sort": "size"}
    question = ann.press("/downloads/act", action="pause", **asked)
    assert "Pause 2 downloads?" in question.text
    assert house.status(shown[0]) is Status.PENDING

    answer = ann.press("/downloads/act", action="pause", sure="yes", **asked)

    assert plain(answer) == "/downloads?tab=active&q=tone&kind=music&owner=ben&sort=size"
    assert "2 downloads are paused." in ann.get(answer.location).text
    assert [house.status(item) for item in shown] == [Status.PAUSED] * 2
    assert [house.status(item) for item in others] == [Status.PENDING] * 2


def test_only_an_admin_chooses_by_owner(house: WebHouse, eve: Browser) -> None:
    downloads = [
        house.add(number, person, status=Status.FAILED)
        for number, person in enumerate((ANN, BEN, EVE), 1)
    ]

    eve.press("/downloads/act", action="retry", tab="failed", owner=["ann", "ben"], sure="yes")

    assert [house.status(item) for item in downloads] == [
        Status.PENDING,
        Status.PENDING,
        Status.FAILED,
    ]


def test_the_chosen_ones_are_put_on_top_in_their_order(house: WebHouse, ann: Browser) -> None:
    ids = [house.add(number).id for number in (1, 2, 3)]

    answer = ann.press("/downloads/chosen", action="top", id=[ids[1], ids[2], "x", -1], sure="yes")

    assert plain(answer) == "/downloads?tab=active"
    assert queue(house) == ["Tone 2", "Tone 3", "Tone 1"]


def test_what_is_deleted_together_is_asked_together(house: WebHouse, ann: Browser) -> None:
    downloads = [house.add(number, status=Status.COMPLETED) for number in range(1, 8)]
    chosen = [item.id for item in downloads]

    question = ann.press("/downloads/chosen", action="delete", tab="completed", id=chosen)

    assert question.status_code == 200
    assert "Delete 7 files?" in question.text
    assert "and 2 more" in question.text
    assert all(house.path(item).exists() for item in downloads)

    ann.press("/downloads/chosen", action="delete", tab="completed", id=chosen, sure="yes")
    assert [house.status(item) for item in downloads] == [Status.REMOVED] * 7
    assert not any(house.path(item).exists() for item in downloads)


def test_all_that_match_are_asked_about_by_their_number_and_done_at_once(
    house: WebHouse, ann: Browser
) -> None:
    with house.store.db.write():
        mine = [house.add(number) for number in range(1, 61)]
        others = [house.add(70, BEN), house.add(71, title="Noise")]
    paused = house.add(72, status=Status.PAUSED)
    asked = {"action": "pause", "q": "tone", "matching": "yes", "id": mine[0].id}

    question = ann.press("/downloads/chosen", **asked)

    assert "Pause 60 downloads?" in question.text
    assert 'name="matching" value="yes"' in question.text
    assert question.text.count('name="id"') == 0
    assert house.status(mine[0]) is Status.PENDING
    done = ann.press("/downloads/chosen", **asked, sure="yes")
    assert "60 downloads are paused." in ann.get(done.location).text
    assert {house.status(one) for one in mine} == {Status.PAUSED}
    assert {house.status(one) for one in others} == {Status.PENDING}
    assert house.now(paused) == paused
    none = ann.press("/downloads/chosen", **asked).text
    assert "This applies to none of them" in none
    assert "Pause 0" not in none
    for bad in ({"tab": "missing"}, {"action": "accept"}):
        assert ann.press("/downloads/chosen", **{**asked, **bad}).status_code == 400
    # One is asked about too: who says "all" may not know how many that are.
    alone = ann.press("/downloads/chosen", **{**asked, "action": "cancel", "q": "noise"})
    assert "Cancel 1 download?" in alone.text


def test_who_may_steers_all_transfers_from_the_list(house: WebHouse) -> None:
    eve, ann = house.come_in(EVE), house.come_in(ANN)
    transfers = house.services.web.transfers

    def told(**form: str) -> str:
        return eve.get(eve.press("/downloads/transfers", **form).location).text

    assert 'aria-checked="true"' in eve.get("/downloads").text
    off = told(automatic="off")
    assert "Automatic downloads are paused" in off
    assert 'aria-checked="false"' in off
    assert transfers.transfers(EVE).is_paused
    assert "Automatic downloads go on." in told(automatic="on")
    for limit, so in (("2000000", 2_000_000), ("none", None), ("0", None), ("123", 123)):
        assert "The speed limit is changed." in told(limit=limit)
        assert transfers.transfers(EVE).speed_limit == so
    assert '<option value="123" selected>' in eve.get("/downloads").text
    told(limit="3000000")
    offered = re.findall(r'<option value="(\d+)"', eve.get("/downloads").text)
    assert "3000000" in offered
    assert offered == sorted(offered, key=int)
    told(limit="usual")
    assert transfers.transfers(EVE).speed_limit is None
    for bad in ({"limit": "-1"}, {"limit": "9" * 13}, {"limit": "²"}, {"automatic": "maybe"}, {}):
        assert eve.press("/downloads/transfers", **bad).status_code == 400
    assert ann.press("/downloads/transfers", automatic="off").status_code == 403
    assert "/downloads/transfers" not in ann.get("/downloads").text
    assert not transfers.transfers(EVE).is_paused


def test_of_what_is_not_theirs_nothing_is_asked_or_done(house: WebHouse) -> None:
    download, ben = one(house, title="A secret wish"), house.come_in(BEN)
    form = {"action": "cancel", "id": download.id}

    assert "A secret wish" not in ben.press("/downloads/chosen", **form).text
    ben.press("/downloads/chosen", **form, sure="yes")
    assert house.now(download) == download


def test_when_none_could_be_retried_it_is_told(house: WebHouse, ann: Browser) -> None:
    later = house.clock.now() + timedelta(hours=1)
    for number in (7, 8):
        house.add(number, status=Status.FAILED, failure=BROKEN_OFF, until=later)

    answer = ann.press("/downloads/act", action="retry", tab="failed", sure="yes")

    assert answer.status_code == 409
    assert "all 2 of them" in answer.text
