"""People say what a file is by now: over the real services, and on the real pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client

from sidecar.domain.items.item import Item
from sidecar.errors import NotAManager, NotVisible
from sidecar.events import Bus
from sidecar.web.app import create_app
from tests.services.conftest import STICK
from tests.services.identity.house import MovingHouse, come_in, moving_house, tracks


@pytest.fixture
def house(tmp_path: Path) -> Iterator[MovingHouse]:
    shared: dict[str, object] = {"users": ("ann", "ben"), "managers": ("ann",)}
    with moving_house(tmp_path, tracks(3), change=lambda facts: facts.update(shared)) as built:
        yield built


@pytest.fixture
def copies(house: MovingHouse) -> list[Item]:
    """The first track is two by now, and it is asked which of them ann's file is."""
    item = house.item("Tone 1")
    house.fill(item)
    first = house.listing["tracks"][0]
    source, paths = house.library / first["path"], ["A (2019)", "B (2019)"]
    entries = [dict(first, path=f"Music/The Sine Waves/{one}/01 - Tone 1.flac") for one in paths]
    for entry in entries:
        (house.library / entry["path"]).parent.mkdir(parents=True)
        (house.library / entry["path"]).hardlink_to(source)
    source.unlink()
    house.rescan(tracks=[*house.listing["tracks"][1:], *entries])
    found = [one for one in house.items() if one.title == "Tone 1"]
    assert house.want(*found, rule="favourites") == 0
    return found


def test_whoever_manages_the_device_says_which_it_is(
    house: MovingHouse, copies: list[Item]
) -> None:
    ann, ben = house.person("ann"), house.person("ben")
    review = house.services.web.identity
    (doubt,) = review.doubts(ann, STICK).files
    assert {one.id for one in doubt.candidates} == {one.id for one in copies}
    assert review.doubts(ben, STICK).files == []
    with pytest.raises(NotAManager):
        review.answer(ben, STICK, doubt.item_id, copies[0].id)
    with pytest.raises(NotVisible):
        review.answer(ann, STICK, doubt.item_id, "f" * 32)
    with pytest.raises(NotVisible):
        review.answer(ann, STICK, copies[0].id, copies[1].id)

    review.answer(ann, STICK, doubt.item_id, copies[1].id)

    assert [one.item_id for one in house.rows()] == [copies[1].id]
    assert review.doubts(ann, STICK).files == []
    assert list(house.services.web.notices.questions(ann)) == []
    # The other one is another thing, and comes for itself.
    assert house.want(*copies, rule="favourites") == 1
    assert house.server.fetched == 0


def test_none_of_them_is_an_answer_too_and_is_not_asked_again(
    house: MovingHouse, copies: list[Item]
) -> None:
    ann = house.person("ann")
    review = house.services.web.identity
    (doubt,) = review.doubts(ann, STICK).files

    review.answer(ann, STICK, doubt.item_id, None)

    assert house.want(*copies, rule="favourites") == 2
    house.look([one.id for one in copies])
    assert review.doubts(ann, STICK).files == []
    (gone,) = [one for one in house.rows() if one.gone_since]
    assert gone.item_id == doubt.item_id


def test_it_is_asked_and_answered_on_the_page(house: MovingHouse, copies: list[Item]) -> None:
    web = create_app(house.services.web, Bus(), clock=house.clock)
    ann = come_in(house, house.person("ann"), Client(web.wsgi))
    client, csrf = ann

    assert "Which item is this file?" in client.get("/devices").text
    why = house.services.web.preferences.why(house.person("ann"), STICK, copies[0].id)
    assert "may be there already" in why.sentences[0]
    page = client.get(f"/devices/{STICK}/matches").text
    assert page.count('name="is"') == 3
    said = {"csrf": csrf, "item": house.row("Tone 1").item_id, "is": copies[0].id}
    reply = client.post(f"/devices/{STICK}/matches", data=said)

    assert reply.status_code == 303, reply.text
    assert house.row("Tone 1").item_id == copies[0].id
    assert "Which item is this file?" not in client.get("/devices").text


def test_what_is_gone_says_so_on_the_page_in_why_and_in_the_api(house: MovingHouse) -> None:
    house.fill(*house.items())
    house.rescan(tracks=house.listing["tracks"][1:])
    house.look([])
    house.clock.advance(3600)
    web = create_app(house.services.web, Bus(), clock=house.clock)
    client, _ = come_in(house, house.person("ann"), Client(web.wsgi))
    row = house.row("Tone 1")

    page = client.get(
        "/downloads", query_string={"tab": "completed", "open": [one.id for one in house.rows()]}
    ).text
    assert page.count("No longer on the server") == 1
    told = client.get("/api/v1/downloads").get_json()["items"]
    assert [one["title"] for one in told if one["gone_since"]] == ["Tone 1"]
    why = house.services.web.preferences.why(house.person("ann"), STICK, row.item_id)
    assert any("has not been on the server for 60 minutes" in one for one in why.sentences)


def test_another_server_is_looked_at_and_taken_on_the_page_by_an_admin_alone(
    house: MovingHouse,
) -> None:
    admin, ann = house.person("admin"), house.person("ann")
    house.fill(*house.items())
    web = create_app(house.services.web, Bus(), clock=house.clock)
    client, csrf = come_in(house, admin, Client(web.wsgi))
    other, csrf_of_ann = come_in(house, ann, Client(web.wsgi))
    assert "nothing to accept" in client.get("/admin/server").text

    house.install_anew("9" * 32, media_root="/mnt/other")

    assert other.get("/admin/server").status_code == 403
    said = {"username": "admin", "password": "admin"}
    theirs = {"X-Sidecar-CSRF": csrf_of_ann}
    asked = list(house.server.paths)
    for where, body in (("look", said), ("accept", {"ticket": "x"})):
        refused = other.post(f"/api/v1/server/{where}", json=body, headers=theirs)
        assert refused.status_code == 403
        assert "9" * 32 not in refused.text
        stranger = Client(web.wsgi).post(f"/api/v1/server/{where}", json=body)
        assert stranger.status_code == 401
    assert house.server.paths == asked, "nothing was asked for them"
    before = client.get("/admin/server").text
    assert "is another one" in before
    assert "9" * 32 not in before
    wrong = {"csrf": csrf, "username": "admin", "password": "wrong"}
    assert client.post("/admin/server", data=wrong).status_code == 422
    page = client.post("/admin/server", data={**wrong, "password": "admin"}).text
    assert "<dt>There as a new entry: they follow</dt><dd>3</dd>" in page
    assert "9" * 32 not in page, "ids say nothing to people"
    ticket = page.split('name="ticket" value="')[1].split('"')[0]
    assert client.post("/admin/server", data={"csrf": csrf, "ticket": ticket}).status_code == 303

    house.people.clear()
    assert {one.item_id for one in house.rows()} == {one.id for one in house.items()}


def test_none_of_them_is_said_of_those_that_were_shown(
    house: MovingHouse, copies: list[Item]
) -> None:
    ann = house.person("ann")
    review = house.services.web.identity
    (doubt,) = review.doubts(ann, STICK).files

    review.answer(ann, STICK, doubt.item_id, None, [copies[0].id])

    # The other one came when the page was open already: it is asked about.
    (still,) = review.doubts(ann, STICK).files
    assert [one.id for one in still.candidates] == [copies[1].id]
    assert house.want(*copies, rule="favourites") == 1
