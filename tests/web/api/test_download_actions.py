from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from werkzeug.test import TestResponse

from sidecar.domain.downloads.actions import Action
from sidecar.domain.downloads.states import Status
from sidecar.services.downloads.commands import ActionResult, DownloadCommand, ResultKind, Selection
from sidecar.web.app import Web
from sidecar.web.pages.downloads.view import STATUSES, Tab
from tests.fakes.actions import FakeActions
from tests.fakes.desk import ANN, BEN, EVE, FakeDesk, a_download
from tests.web.conftest import come_in
from tests.web.house import Browser

ONE = "/api/v1/downloads/7"
ITEM = f"{7:032x}"
WAYS = [
    ("POST", f"{ONE}/pause", None),
    ("POST", f"{ONE}/resume", None),
    ("POST", f"{ONE}/retry", {}),
    ("POST", f"{ONE}/accept", {}),
    ("POST", f"{ONE}/cancel", {}),
    ("DELETE", ONE, None),
    ("POST", f"{ONE}/prioritise", {"priority": 3}),
    ("POST", f"{ONE}/top", None),
    ("POST", f"{ONE}/move", {"before": 8}),
]


def plain(answer: TestResponse) -> str:
    """Where an answer leads, without what tells there what was done."""
    return re.sub(r"[?&]done=[\w-]+$", "", answer.headers["Location"])


def send(one: Browser, verb: str, path: str, body: object = None) -> TestResponse:
    headers = {"X-Sidecar-CSRF": one.csrf}
    if body is None:
        return one.client.open(path, method=verb, headers=headers)
    return one.client.open(path, method=verb, headers=headers, json=body)


def test_each_way_is_its_order(ann: Browser, desk: FakeDesk, doing: FakeActions) -> None:
    desk.add(a_download(7))

    answers = [send(ann, *way) for way in WAYS]

    assert [one.status_code for one in answers] == [200] * len(WAYS)
    assert [order for _, _, order in doing.orders] == [
        DownloadCommand(action=Action.PAUSE),
        DownloadCommand(action=Action.RESUME),
        DownloadCommand(action=Action.RETRY),
        DownloadCommand(action=Action.ACCEPT),
        DownloadCommand(action=Action.CANCEL),
        DownloadCommand(action=Action.DELETE),
        DownloadCommand(action=Action.PRIORITISE, priority=3),
        DownloadCommand(action=Action.TOP),
        DownloadCommand(action=Action.MOVE, before=8),
    ]
    assert answers[0].json is not None
    assert answers[0].json["id"] == 7
    assert answers[0].json["result"] == "done"
    assert answers[0].json["title"] == "Track 7"


@pytest.mark.parametrize("way", WAYS)
def test_a_foreign_download_is_answered_like_an_unknown_one(
    web: Web, desk: FakeDesk, doing: FakeActions, way: tuple[str, str, object]
) -> None:
    desk.add(a_download(7))
    ben = come_in(web, desk, BEN)
    verb, path, body = way

    foreign, unknown = send(ben, *way), send(ben, verb, path.replace("7", "9"), body)

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.data == unknown.data
    assert doing.orders == []


def test_what_the_body_says_is_obeyed(eve: Browser, desk: FakeDesk, doing: FakeActions) -> None:
    desk.add(a_download(7))

    send(eve, "POST", f"{ONE}/retry", {"from": "zero", "force": True})
    send(eve, "POST", f"{ONE}/cancel", {"keep_part": True, "for_everyone": True})

    assert [order for _, _, order in doing.orders] == [
        DownloadCommand(action=Action.RETRY, from_zero=True, force=True),
        DownloadCommand(action=Action.CANCEL, keep_part=True, for_everyone=True),
    ]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{ONE}/retry", {"force": True}),
        (f"{ONE}/cancel", {"for_everyone": True}),
        ("/api/v1/downloads/bulk", {"action": "pause", "filter": {"owner": "ben"}}),
        ("/api/v1/downloads/bulk", {"action": "retry", "ids": [7], "force": True}),
    ],
)
def test_what_only_an_admin_may_is_refused_to_others(
    ann: Browser, desk: FakeDesk, doing: FakeActions, path: str, body: object
) -> None:
    desk.add(a_download(7))

    answer = send(ann, "POST", path, body)

    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["code"] == "admins-only"
    assert doing.orders == []


def test_a_refusal_has_a_sentence_a_code_and_the_time(
    ann: Browser, desk: FakeDesk, doing: FakeActions
) -> None:
    desk.add(a_download(7))
    until = datetime(2026, 11, 1, 13, 0, tzinfo=UTC)
    doing.answer = ActionResult(
        7, ResultKind.REFUSED, "Not before that time", "cooling-down", until
    )

    answer = send(ann, "POST", f"{ONE}/retry")

    assert answer.status_code == 409
    assert answer.mimetype == "application/problem+json"
    assert answer.json == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Not before that time.",
        "code": "cooling-down",
        "retry_next_at": "2026-11-01T13:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/downloads", {}),
        ("/api/v1/downloads", {"item_id": "x"}),
        ("/api/v1/downloads", {"item_id": ITEM + "\n"}),
        ("/api/v1/downloads", {"item_id": ITEM, "item_ids": [ITEM]}),
        ("/api/v1/downloads", {"item_ids": []}),
        ("/api/v1/downloads", {"item_ids": [ITEM] * 101}),
        ("/api/v1/downloads", {"item_id": ITEM, "user_id": "b" * 32}),
        ("/api/v1/downloads", {"item_id": ITEM, "priority": 101}),
        ("/api/v1/downloads", {"item_id": ITEM, "priority": "9" * 30}),
        ("/api/v1/downloads", {"item_id": ITEM, "device": "a", "device_id": "b"}),
        ("/api/v1/downloads", []),
        ("/api/v1/downloads", None),
        (f"{ONE}/pause", {"status": "completed"}),
        (f"{ONE}/retry", {"from": "middle"}),
        (f"{ONE}/retry", {"from_zero": True}),
        (f"{ONE}/prioritise", {}),
        (f"{ONE}/prioritise", {"priority": 1.5}),
        (f"{ONE}/move", {"before": 0}),
        (f"{ONE}/move", {"before": 2**63}),
        ("/api/v1/downloads/bulk", {"action": "pause"}),
        ("/api/v1/downloads/bulk", {"action": "dance", "ids": [7]}),
        ("/api/v1/downloads/bulk", {"action": "pause", "ids": []}),
        ("/api/v1/downloads/bulk", {"action": "pause", "ids": [7], "filter": {}}),
        ("/api/v1/downloads/bulk", {"action": "pause", "ids": list(range(1, 1002))}),
        ("/api/v1/downloads/bulk", {"action": "pause", "filter": {"status": ["odd"]}}),
        ("/api/v1/downloads/bulk", {"action": "pause", "filter": {"where": "1=1"}}),
        ("/api/v1/downloads/bulk", {"action": "delete", "filter": {}}),
        ("/api/v1/downloads/bulk", {"action": "prioritise", "ids": [7]}),
    ],
)
def test_what_makes_no_sense_is_refused_and_does_nothing(
    ann: Browser, desk: FakeDesk, doing: FakeActions, path: str, body: object
) -> None:
    desk.add(a_download(7))

    answer = send(ann, "POST", path, body)

    assert answer.status_code == (415 if body is None else 422)
    assert answer.mimetype == "application/problem+json"
    assert not doing.orders
    assert not doing.additions


@pytest.mark.parametrize("raw", [b"{", b"nul", b"[" * 10_000, b'{"priority": NaN}', b"\xff"])
def test_broken_json_is_told_and_never_breaks_us(ann: Browser, desk: FakeDesk, raw: bytes) -> None:
    desk.add(a_download(7))
    headers = {"X-Sidecar-CSRF": ann.csrf, "Content-Type": "application/json"}

    answer = ann.client.post(f"{ONE}/prioritise", data=raw, headers=headers)

    assert answer.status_code in {400, 422}


def test_json_in_a_form_s_clothes_is_not_taken(ann: Browser, desk: FakeDesk) -> None:
    desk.add(a_download(7))
    headers = {"X-Sidecar-CSRF": ann.csrf, "Content-Type": "text/plain"}

    answer = ann.client.post(f"{ONE}/pause", data=b"{}", headers=headers)

    assert answer.status_code == 415


def test_an_item_is_asked_for(ann: Browser, doing: FakeActions) -> None:
    dashed = f"{ITEM[:8]}-{ITEM[8:12]}-{ITEM[12:16]}-{ITEM[16:20]}-{ITEM[20:]}".upper()

    answer = send(ann, "POST", "/api/v1/downloads", {"item_id": dashed, "device": "Car stick"})

    assert answer.status_code == 201
    assert doing.additions == [((ITEM,), "Car stick", None)]


def test_one_that_exists_is_returned_with_its_place(
    ann: Browser, desk: FakeDesk, doing: FakeActions
) -> None:
    desk.add(a_download(7))
    doing.unknown = {"f" * 32}

    answer = send(ann, "POST", "/api/v1/downloads", {"item_ids": [ITEM, "f" * 32], "priority": 9})

    assert answer.status_code == 200
    assert answer.json is not None
    assert [one["id"] for one in answer.json["items"]] == [7]
    assert answer.json["total"] == 1
    first, second = answer.json["results"]
    assert first["downloads"] == [{"id": 7, "status": "pending", "position": 1}]
    assert (first["result"], second["result"]) == ("exists", "not_found")


def test_an_item_that_nobody_knows_is_not_found(ann: Browser, doing: FakeActions) -> None:
    doing.unknown = {ITEM}

    answer = send(ann, "POST", "/api/v1/downloads", {"item_id": ITEM})

    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["code"] == "unknown-item"


def test_many_have_a_result_each(web: Web, ann: Browser, desk: FakeDesk) -> None:
    desk.add(a_download(7))
    desk.add(a_download(8), of=[BEN])

    answer = send(ann, "POST", "/api/v1/downloads/bulk", {"action": "pause", "ids": [7, 8, 9]})

    assert answer.json is not None
    assert [one["result"] for one in answer.json["items"]] == ["done", "not_found", "not_found"]
    assert answer.json["counts"]["not_found"] == 2
    assert answer.json["items"][1]["message"] == answer.json["items"][2]["message"]


def test_all_that_fit_are_chosen_by_a_filter(
    eve: Browser, desk: FakeDesk, doing: FakeActions
) -> None:
    desk.add(a_download(7, status=Status.FAILED))
    chosen = {"status": ["failed"], "device_id": "stick", "owner": ["ann", "ben"], "q": "track"}

    answer = send(
        eve,
        "POST",
        "/api/v1/downloads/bulk",
        {"action": "retry", "filter": chosen, "from": "zero"},
    )

    assert answer.status_code == 200
    selection = Selection(
        statuses=frozenset({Status.FAILED}),
        device_id="stick",
        owners=("ann", "ben"),
        text="track",
    )
    assert doing.selections == [(selection, DownloadCommand(action=Action.RETRY, from_zero=True))]


def test_clearing_what_is_completed_lets_go_of_it_and_deletes_nothing(
    ann: Browser, desk: FakeDesk, doing: FakeActions
) -> None:
    desk.add(a_download(7, status=Status.COMPLETED))

    send(ann, "POST", "/api/v1/downloads/bulk", {"action": "clear_completed", "filter": {}})

    assert [order.action for _, _, order in doing.orders] == [Action.LET_GO]


# -- the page


def press(one: Browser, path: str, **form: str | list[str]) -> TestResponse:
    return one.client.post(path, data={"csrf": one.csrf, **form})


def test_a_button_comes_back_to_the_list_as_it_was(
    ann: Browser, desk: FakeDesk, doing: FakeActions
) -> None:
    desk.add(a_download(7))

    answer = press(
        ann, "/downloads/7/act", action="pause", tab="active", q="tra ck&x=//evil", page="2"
    )

    assert answer.status_code == 303
    assert plain(answer) == "/downloads?tab=active&q=tra+ck%26x%3D//evil&page=2"
    assert doing.orders == [("ann", 7, DownloadCommand(action=Action.PAUSE))]


def test_what_could_not_be_done_is_told_on_a_page(
    ann: Browser, desk: FakeDesk, doing: FakeActions
) -> None:
    desk.add(a_download(7))
    doing.answer = ActionResult(7, ResultKind.REFUSED, "It is <being> finished", "finishing")

    answer = press(ann, "/downloads/7/act", action="pause", tab="completed")

    assert answer.status_code == 409
    assert "It is &lt;being&gt; finished." in answer.text
    assert 'href="/downloads?tab=completed"' in answer.text


def test_a_button_of_a_foreign_row_finds_nothing(web: Web, desk: FakeDesk) -> None:
    desk.add(a_download(7))
    ben = come_in(web, desk, BEN)

    assert press(ben, "/downloads/7/act", action="pause").status_code == 404
    assert ben.client.get("/downloads/7/ask?action=delete").status_code == 404


@pytest.mark.parametrize("action", ["", "dance", "prioritise", "move"])
def test_only_what_has_a_button_can_be_pressed(
    ann: Browser, desk: FakeDesk, doing: FakeActions, action: str
) -> None:
    desk.add(a_download(7))

    assert press(ann, "/downloads/7/act", action=action).status_code == 400
    assert press(ann, "/downloads/act", action=action).status_code == 400
    assert press(ann, "/downloads/chosen", action=action, id="7").status_code == 400
    assert ann.client.get(f"/downloads/7/ask?action={action}").status_code == 404
    assert doing.orders == []


def test_a_button_without_the_page_s_token_does_nothing(
    ann: Browser, desk: FakeDesk, doing: FakeActions
) -> None:
    desk.add(a_download(7))

    assert ann.client.post("/downloads/7/act", data={"action": "pause"}).status_code == 403
    assert doing.orders == []


def test_a_file_is_deleted_only_after_a_question(
    ann: Browser, desk: FakeDesk, doing: FakeActions
) -> None:
    desk.add(a_download(7, status=Status.COMPLETED, title="<b>Bold</b>"))

    asked = ann.client.get("/downloads/7/ask?action=delete&tab=completed&q=bo&page=3")

    assert asked.status_code == 200
    assert "&lt;b&gt;Bold&lt;/b&gt;" in asked.text
    assert 'href="/downloads?tab=completed&amp;q=bo&amp;page=3"' in asked.text
    assert doing.orders == []


def test_who_shares_a_file_is_told_before(
    ann: Browser, eve: Browser, desk: FakeDesk, doing: FakeActions
) -> None:
    desk.add(a_download(7, status=Status.COMPLETED))
    desk.add(a_download(8, status=Status.COMPLETED), of=[ANN, EVE])
    doing.wanted_too = 2

    for_ann = ann.client.get("/downloads/7/ask?action=delete").text
    for_eve = eve.client.get("/downloads/8/ask?action=delete").text
    for_others = eve.client.get("/downloads/7/ask?action=delete").text

    assert "it stays for them" in for_ann
    assert "For everyone" not in for_ann
    assert "It is wanted by ann" in for_others
    assert "For everyone" not in for_others
    assert "2 other people want this" in for_eve
    assert "For everyone" in for_eve


BUTTONS = {
    Status.PENDING: {"Pause", "To the top", "Cancel"},
    Status.DOWNLOADING: {"Pause", "Cancel"},
    Status.PAUSED: {"Resume", "Cancel"},
    Status.FAILED: {"Retry", "Cancel"},
    Status.COMPLETED: {"Delete"},
    Status.REMOVED: {"Fetch again"},
}


@pytest.mark.parametrize("status", BUTTONS)
def test_each_row_offers_what_its_state_allows_and_names_its_title(
    ann: Browser, desk: FakeDesk, status: Status
) -> None:
    desk.add(a_download(7, status=status))
    tab = next(tab for tab, statuses in STATUSES.items() if status in statuses)

    page = ann.client.get(f"/downloads?tab={tab}").text

    words = set().union(*BUTTONS.values())
    shown = {
        word
        for word in words
        if f'<span>{word}</span><span class="hidden-label"> Track 7</span>' in page
    }
    assert shown == BUTTONS[status]


@pytest.mark.parametrize("status", [Status.PENDING, Status.FAILED])
def test_what_could_not_be_proved_whole_has_a_button_to_accept_it(
    ann: Browser, desk: FakeDesk, doing: FakeActions, status: Status
) -> None:
    tab = next(tab for tab, statuses in STATUSES.items() if status in statuses)
    desk.add(a_download(7, status=status, error_code="unproved"), a_download(8, status=status))

    page = ann.client.get(f"/downloads?tab={tab}").text
    press(ann, "/downloads/7/act", action="accept")

    assert page.count("Accept as it is") == 1
    assert [order for _, _, order in doing.orders] == [DownloadCommand(action=Action.ACCEPT)]
    assert press(ann, "/downloads/chosen", action="accept", id="7").status_code == 400


def test_in_a_cooldown_only_an_admin_has_a_button(
    ann: Browser, eve: Browser, desk: FakeDesk
) -> None:
    later = datetime(2099, 1, 1, tzinfo=UTC)
    desk.add(a_download(7, status=Status.FAILED, retry_next_at=later))

    assert "Retry now" not in ann.client.get("/downloads?tab=failed").text
    assert "Retry now" in eve.client.get("/downloads?tab=failed").text


def test_all_that_the_list_shows_are_paused(
    ann: Browser, desk: FakeDesk, doing: FakeActions
) -> None:
    desk.add(a_download(7), a_download(8))

    asked = {"q": "track", "kind": "music", "owner": "ben", "sort": "size"}
    question = press(ann, "/downloads/act", action="pause", **asked)
    assert "Pause 2 downloads?" in question.text
    assert doing.selections == []

    answer = press(ann, "/downloads/act", action="pause", sure="yes", **asked)

    assert plain(answer) == "/downloads?tab=active&q=track&kind=music&owner=ben&sort=size"
    assert "2 downloads are paused." in ann.client.get(answer.location).text
    chosen = Selection(statuses=STATUSES[Tab.ACTIVE], text="track", item_types=frozenset({"Audio"}))
    assert doing.selections == [(chosen, DownloadCommand(action=Action.PAUSE))]


def test_only_an_admin_chooses_by_owner(eve: Browser, desk: FakeDesk, doing: FakeActions) -> None:
    desk.add(a_download(7))

    press(eve, "/downloads/act", action="retry", tab="failed", owner=["ann", "ben"])

    assert [which.owners for which, _ in doing.selections] == [("ann", "ben")]


def test_the_chosen_ones_are_put_on_top_in_their_order(
    ann: Browser, desk: FakeDesk, doing: FakeActions
) -> None:
    desk.add(a_download(7), a_download(8), a_download(9))

    answer = press(ann, "/downloads/chosen", action="top", id=["7", "8", "x", "-1"], sure="yes")

    assert plain(answer) == "/downloads?tab=active"
    assert [number for _, number, _ in doing.orders] == [8, 7]


def test_what_is_deleted_together_is_asked_together(
    ann: Browser, desk: FakeDesk, doing: FakeActions
) -> None:
    desk.add(*(a_download(number, status=Status.COMPLETED) for number in range(1, 8)))
    chosen = [str(number) for number in range(1, 8)]

    question = press(ann, "/downloads/chosen", action="delete", tab="completed", id=chosen)

    assert question.status_code == 200
    assert "Delete 7 files?" in question.text
    assert "and 2 more" in question.text
    assert doing.orders == []

    press(ann, "/downloads/chosen", action="delete", tab="completed", id=chosen, sure="yes")
    assert [number for _, number, _ in doing.orders] == list(range(1, 8))


def test_of_what_is_not_theirs_nothing_is_asked_or_done(
    web: Web, desk: FakeDesk, doing: FakeActions
) -> None:
    desk.add(a_download(7, title="A secret wish"))
    ben = come_in(web, desk, BEN)

    assert "A secret wish" not in press(ben, "/downloads/chosen", action="cancel", id="7").text
    press(ben, "/downloads/chosen", action="cancel", id="7", sure="yes")
    assert doing.orders == []


def test_when_none_could_be_retried_it_is_told(
    ann: Browser, desk: FakeDesk, doing: FakeActions
) -> None:
    desk.add(a_download(7), a_download(8))
    doing.answer = replace(ActionResult(7, ResultKind.REFUSED, "Not yet", "cooling-down"))

    answer = press(ann, "/downloads/act", action="retry", sure="yes")

    assert answer.status_code == 409
    assert "all 2 of them" in answer.text
