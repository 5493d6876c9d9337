"""An account that may see less than before, on a demo server with several libraries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client

from sidecar.domain.downloads.download import Status
from sidecar.domain.items.item import Item, ItemType
from sidecar.errors import NotVisible
from sidecar.events import Bus, DownloadsAllowed
from sidecar.store.accounts.accounts import Account
from sidecar.web.app import create_app
from tests.fakes.libraries.kinds import kinds_library
from tests.jellyfin.test_kinds import find, find_film
from tests.services.conftest import STICK
from tests.services.identity.house import MovingHouse, come_in, moving_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[MovingHouse]:
    """Ann has two episodes and two tracks; what she may see was asked for once."""
    with moving_house(tmp_path, [], write_media=kinds_library) as built:
        built.fill(*_some(built, ItemType.EPISODE), rule="favourites")
        built.fill(*_some(built, ItemType.AUDIO), rule="favourites")
        look(built)
        yield built


def _some(house: MovingHouse, item_type: ItemType) -> list[Item]:
    return [one for one in house.items() if one.type is item_type][:2]


def account(house: MovingHouse, name: str = "ann") -> Account:
    found = house.services.accounts.service.by_name(name)
    assert found is not None
    return found


def look(house: MovingHouse) -> list[str]:
    """Let the rights of ann be asked for; return what was asked besides."""
    before = len(house.server.paths)
    house.services.accounts.permissions.look_at(account(house))
    return [one for one in house.server.paths[before:] if one != "/Users/Me"]


def may_see(house: MovingHouse, *names: str) -> None:
    """Let ann see only these libraries."""
    ann = house.server.core.users.find("ann")
    assert ann is not None
    ids = [find(house.client("admin"), ItemType.LIBRARY, one).id for one in names]
    ann.policy["EnableAllFolders"], ann.policy["EnabledFolders"] = False, ids


def told(house: MovingHouse, name: str = "ann") -> list[str]:
    notices = house.services.web.notices.notices(house.person(name))
    return [str(one.text) for one in notices if one.kind == "hidden"]


SHOWS_LOST = (
    "ann may not see “Shows” on the server any more: 2 files of it are kept on devices until "
    "they are unpinned"
)


def test_the_files_of_a_library_that_was_lost_stay_and_say_so(house: MovingHouse) -> None:
    assert told(house) == []
    assert look(house) == []
    files = [(one.status, one.file_path) for one in house.rows()]
    may_see(house, "Music", "Movies")

    look(house)

    assert told(house) == told(house, "admin") == [SHOWS_LOST]
    assert told(house, "ben") == []
    assert [(one.status, one.file_path) for one in house.rows()] == files
    web = create_app(house.services.web, Bus(), clock=house.clock)
    client, _ = come_in(house, house.person("ann"), Client(web.wsgi))
    assert SHOWS_LOST in client.get("/").text
    opened = {"tab": "completed", "open": [one.id for one in house.rows()]}
    page = client.get("/downloads", query_string=opened).text
    assert page.count("may not see “Shows”") == 3
    shown = client.get("/api/v1/downloads").get_json()["items"]
    hidden = {one["title"]: one["hidden_from"] for one in shown if one["hidden_from"]}
    assert len(hidden) == 2
    assert {(one["account"], one["library"]) for (one,) in hidden.values()} == {("ann", "Shows")}
    row = next(one for one in house.rows() if one.title in hidden)
    why = house.services.web.preferences.why(house.person("ann"), STICK, row.item_id)
    assert "ann may not see “Shows” on the server any more: it is kept until it is unpinned." in (
        why.sentences
    )
    # What is as it was is not asked for again.
    assert look(house) == []


def test_they_are_let_go_on_the_page_and_that_is_undone(house: MovingHouse) -> None:
    may_see(house, "Music")
    look(house)
    web = create_app(house.services.web, Bus(), clock=house.clock)
    client, csrf = come_in(house, house.person("ann"), Client(web.wsgi))
    form = {"csrf": csrf, "account": house.person("ann").user_id, "library": "Shows", "next": "/"}
    assert client.post("/alerts/hidden", data={**form, "answer": "else"}).status_code == 400

    where = client.post("/alerts/hidden", data={**form, "answer": "let_go"}).headers["Location"]

    assert told(house) == []
    assert "2 files are no longer kept" in client.get(where).text
    held = house.store.holds
    assert [
        one.release_at is None for row in house.rows() for one in held.of_item(STICK, row.item_id)
    ] == [False, False, True, True]
    token = where.split("done=")[1]
    assert client.post("/undo", data={"csrf": csrf, "token": token}).status_code == 303
    assert told(house) == [SHOWS_LOST]


def test_they_are_let_go_or_kept_by_the_api(house: MovingHouse) -> None:
    may_see(house, "Music")
    look(house)
    web = create_app(house.services.web, Bus(), clock=house.clock)
    client, csrf = come_in(house, house.person("ann"), Client(web.wsgi))
    mine = f"/api/v1/accounts/{house.person('ann').user_id}/hidden"

    def answer(text: str) -> object:
        sent = client.post(mine, json={"answer": text}, headers={"X-Sidecar-CSRF": csrf})
        assert sent.status_code == 200, sent.text
        return sent.get_json()["undo"]

    (listed,) = client.get("/api/v1/accounts/hidden").get_json()["items"]
    assert (listed["account"], listed["library"], listed["files"]) == ("ann", "Shows", 2)
    assert (listed["kept"], answer("keep")) == (False, None)
    assert told(house) == []
    assert client.get("/api/v1/accounts/hidden").get_json()["items"][0]["kept"] is True
    assert answer("let_go") is not None
    assert client.get("/api/v1/accounts/hidden").get_json()["items"] == []


def test_nobody_answers_for_somebody_else(house: MovingHouse) -> None:
    may_see(house, "Music")
    look(house)
    for user_id in (house.person("ann").user_id, "0" * 32):
        for act in (house.services.web.hidden.let_go, house.services.web.hidden.keep):
            with pytest.raises(NotVisible):
                act(house.person("ben"), user_id)
    assert house.services.web.hidden.files(house.person("ben")) == []


def test_a_library_that_is_given_back_is_as_it_was(house: MovingHouse) -> None:
    news = []
    house.bus.subscribe(lambda one: news.append(one) if isinstance(one, DownloadsAllowed) else None)
    may_see(house, "Music")
    look(house)
    assert told(house) == [SHOWS_LOST]

    may_see(house, "Music", "Shows")
    look(house)

    assert told(house) == []
    assert news == [DownloadsAllowed(house.person("ann").user_id)]


@pytest.mark.parametrize("is_admin_here", [True, False])
def test_what_is_hidden_for_another_reason_names_no_library(
    house: MovingHouse, *, is_admin_here: bool
) -> None:
    if is_admin_here:
        house.person("admin")
    ann = house.server.core.users.find("ann")
    assert ann is not None
    listed = _listing(house)
    house.fill(find_film(house.client(), "Plain"), rule="favourites")
    house.rescan(**{**listed, "films": [{**one, "tags": ["x"]} for one in listed["films"]]})
    ann.policy["BlockedTags"] = ["x"]
    house.look([])
    assert house.row("Plain").gone_since is not None

    look(house)
    house.look([])

    assert house.row("Plain").gone_since is None

    (text,) = told(house)
    assert text.startswith("ann may not see 1 file on the server any more that is on a device: it")


def _listing(house: MovingHouse) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = json.loads(
        (house.library / "library.json").read_text(encoding="utf-8")
    )
    return found


def test_many_are_listed_before_they_are_asked_for_one_by_one(
    house: MovingHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.services.accounts.hidden_files.FEW_PLACES", 1)
    may_see(house, "Music")

    asked = look(house)

    assert told(house) == [SHOWS_LOST]
    # Of the tracks, which are listed, none.
    tracks = [one.item_id for one in house.rows() if one.item_type == "Audio"]
    assert not any(path.endswith(one) for path in asked for one in tracks)


def test_what_is_gone_from_the_server_is_not_hidden(house: MovingHouse) -> None:
    house.rescan(**{**_listing(house), "episodes": []})
    may_see(house, "Music")

    look(house)

    assert told(house) == []


def test_what_still_waits_is_anothers_or_waits_for_the_right(house: MovingHouse) -> None:
    first, second = [one for one in house.items() if one.type is ItemType.EPISODE][2:]
    house.want(first, second)
    house.want(second, name="admin")
    may_see(house, "Music")
    worker = house.services.transfers.new_worker()

    assert worker.step()
    assert worker.step()

    alone, shared = house.row(first.title), house.row(second.title)
    assert (alone.status, alone.error_code) == (Status.FAILED, "not-allowed")
    assert "does not show it to the account" in (alone.error_message or "")
    assert shared.user_id == house.person("admin").user_id
    assert alone.gone_since is None

    look(house)
    may_see(house, "Music", "Shows")
    look(house)

    assert house.row(first.title).status is Status.PENDING
