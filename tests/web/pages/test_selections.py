from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from werkzeug.datastructures import MultiDict

from sidecar.domain.items.kinds import Kind
from sidecar.domain.items.selection import Named, Selection, SelectionOrder
from sidecar.domain.rules import selections
from sidecar.domain.rules.context import Matched
from sidecar.errors import NotPossible
from sidecar.store.rules.selections import read_selection, write_selection
from sidecar.web.pages.library.selections import read_form, to_form
from tests.fakes.servers.answering import Reply, Request, json_reply
from tests.services.conftest import STICK
from tests.services.rules.steered import row
from tests.web.house import ANN, Browser, WebHouse

EVERYTHING = Selection(
    kinds=frozenset({Kind.FILM, Kind.TRACK}),
    libraries=(Named("1" * 32, "Music"),),
    artists=(Named("2" * 32, "Choir"),),
    genres=("Jazz", "Bebop"),
    tags=("slow",),
    text="blue",
    first_year=1950,
    last_year=1965,
    added_days=30,
    unheard_days=90,
    is_unheard=True,
    is_hearted=True,
    least_rating=7.5,
    order=SelectionOrder.SHUFFLED,
    most_files=100,
    most_bytes=20_000_000_000,
    most_seconds=7200,
)


MINUTE_TICKS = 600_000_000


def serve(house: WebHouse, *numbers: int) -> None:
    """Let Jellyfin's filters match these tracks; it has one library and one artist."""
    rows = [row(number, RunTimeTicks=MINUTE_TICKS) for number in numbers]

    def answer(request: Request) -> Reply:
        fitting = rows if request.query.get("genres") == "Jazz" else []
        return json_reply({"Items": fitting, "TotalRecordCount": len(fitting), "StartIndex": 0})

    music = row(70, Type="CollectionFolder", Name="Music", CollectionType="music")
    routes = house.jellyfin.routes
    routes["GET /Items"] = answer
    routes["GET /UserViews"] = json_reply(listed(music))
    artist = row(71, Type="MusicArtist", Name="Choir")
    routes["GET /Artists/AlbumArtists"] = json_reply(listed(artist))


def listed(*rows: object) -> dict[str, object]:
    return {"Items": rows, "TotalRecordCount": len(rows), "StartIndex": 0}


def told(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def save(house: WebHouse, browser: Browser, **fields: object) -> str:
    """Save a filter on the page; return its id."""
    answer = browser.press("/library/filters", **{"name": "Jazz", "genres": "Jazz", **fields})
    assert answer.status_code == 303, told(answer.text)
    return answer.headers["Location"].rpartition("#filter-")[2]


def learn(house: WebHouse, files: int) -> None:
    """Let the rule have found so many files for what Ann keeps on the stick."""
    kept = house.store.selections.kept(ANN.user_id, STICK)
    matched: Sequence[Matched] = [
        Matched(one, files, is_doubtful=selections.is_doubtful(one.matched, files)) for one in kept
    ]
    house.services.rules.asking.learn(ANN.user_id, STICK, matched)


def test_a_filter_is_as_it_was_in_the_form_and_in_the_database() -> None:
    assert read_selection(write_selection(EVERYTHING)) == EVERYTHING
    assert read_selection(write_selection(Selection())) == Selection()
    typed = to_form("Jazz", EVERYTHING)
    again = read_form(typed)
    # Names are looked up when it is saved: the form has ids of libraries and names of artists.
    assert [one.id for one in again.libraries] == ["1" * 32]
    assert [one.name for one in again.artists] == ["Choir"]
    whole = replace(again, libraries=EVERYTHING.libraries, artists=EVERYTHING.artists)
    assert whole == EVERYTHING
    for field, wrong in (("files", "x"), ("first_year", "99"), ("least_rating", "11")):
        with pytest.raises(NotPossible, match="must be a number"):
            read_form(MultiDict({field: wrong}))


def test_a_filter_is_counted_saved_kept_changed_and_deleted(
    house: WebHouse, ann: Browser, ben: Browser
) -> None:
    serve(house, 1, 2, 3)
    assert "No saved filters yet" in ann.get("/library/filters").text
    assert "/library/filters" in ann.get("/library").text
    count = ann.get("/library/filters/count?genres=Jazz&kind=track").text
    assert "Matches 3 files (15 bytes, 3 min)." in count
    # German shortens minutes and seconds with a full stop.
    ben.client.set_cookie("sidecar_language", "de")
    german = ben.get("/library/filters/count?genres=Jazz&kind=track").text
    assert "Trifft auf 3 Dateien zu (15 Byte, 3 Min.)." in german
    assert "Nothing matches now." in ann.get("/library/filters/count?genres=Rock").text
    assert "no artist Nobody" in ann.get("/library/filters/count?artists=Nobody").text
    form = ann.get("/library/filters/new").text
    assert 'name="library"' in form

    refused = ann.press("/library/filters", name=" ", genres="Jazz")
    assert refused.status_code == 422
    assert "Give the filter a name" in refused.text
    assert 'value="Jazz"' in refused.text
    one = save(house, ann, artists="choir")
    assert house.store.selections.of_user(ANN.user_id)[0].asked.artists[0].name == "Choir"
    assert "Matches 3 files" in ann.get(f"/library/filters/{one}/count").text
    assert ann.press(f"/library/filters/{one}/sync", device=STICK, value="on").status_code == 303
    assert "Stop syncing" in ann.get("/library/filters").text
    device = told(ann.get(f"/devices/{STICK}").text)
    assert "Saved filters kept in sync Jazz" in device

    save_again = ann.press(f"/library/filters/{one}", name="Slow jazz", genres="Jazz")
    assert save_again.status_code == 303
    assert "Slow jazz" in ann.get(f"/library/filters/{one}").text
    taken = ann.press(f"/devices/{STICK}/take-back", kept="selection", item=one)
    assert taken.status_code == 303
    assert house.store.selections.kept(ANN.user_id, STICK) == ()
    assert ben.press(f"/library/filters/{one}/delete").status_code == 404
    assert ann.press(f"/library/filters/{one}/delete").status_code == 303
    assert house.store.selections.of_user(ANN.user_id) == []


def test_a_filter_that_matches_too_little_asks_its_owner_once(
    house: WebHouse, ann: Browser, ben: Browser
) -> None:
    serve(house, 1, 2, 3)
    one = save(house, ann)
    ann.press(f"/library/filters/{one}/sync", device=STICK, value="on")
    asks = "Does your filter match too little?"

    def matched() -> tuple[int | None, bool]:
        (kept,) = house.store.selections.kept(ANN.user_id, STICK)
        return kept.matched, kept.keeps_all

    learn(house, 12)
    assert matched() == (12, False)
    learn(house, 7)
    assert matched() == (7, False)
    assert asks not in ann.get("/devices").text
    learn(house, 3)
    page = ann.get("/devices").text
    assert asks in page
    assert "matched 7 files and now matches 3" in told(page)
    assert matched() == (7, False)
    assert asks not in ben.get("/devices").text
    assert ben.press(f"/devices/{STICK}/filters", selection=one, answer="remove").status_code == 404

    # It goes by itself when as much matches again; kept, it is not asked again.
    learn(house, 6)
    assert asks not in ann.get("/devices").text
    learn(house, 0)
    answer = ann.press(f"/devices/{STICK}/filters", selection=one, answer="keep")
    assert "Everything that the filter has matched stays." in ann.get(answer.location).text
    assert matched() == (6, True)
    learn(house, 0)
    assert asks not in ann.get("/devices").text
    assert "all are kept" in ann.get(f"/devices/{STICK}").text
    learn(house, 6)
    assert matched() == (6, False)

    learn(house, 2)
    seen = {"selection": one, "answer": "remove", "shown": "6-2"}
    assert 'name="shown" value="6-2"' in ann.get("/devices").text
    learn(house, 1)
    refused = ann.press(f"/devices/{STICK}/filters", **seen)
    assert "The question has changed since it was shown" in refused.text
    assert "matched 6 files and now matches 1" in told(refused.text)
    assert matched() == (6, False)
    learn(house, 2)
    ann.press(f"/devices/{STICK}/filters", **seen)
    assert matched() == (2, False)
    assert asks not in ann.get("/devices").text


def test_the_api_does_the_same(house: WebHouse, ann: Browser) -> None:
    serve(house, 1, 2, 3)
    path = "/api/v1/selections"
    body = {"name": "Jazz", "filter": {"genres": ["Jazz"], "kinds": ["track"], "order": "added"}}
    size = ann.send("POST", f"{path}/measure", body["filter"]).json
    assert size == {"files": 3, "bytes": 15, "seconds": 180.0, "is_estimate": False}
    made = ann.send("POST", path, body)
    assert made.status_code == 201
    assert made.json is not None
    one = made.json["id"]
    assert made.json["filter"]["order"] == "added"
    where = f"/api/v1/devices/{STICK}/selections"
    assert ann.send("PUT", f"{where}/{one}").status_code == 204
    assert ann.told(f"{path}/{one}")["device_ids"] == [STICK]
    changed = {"name": "All", "filter": {"artists": ["Choir"], "libraries": [row(70)["Id"]]}}
    told_back = ann.send("PUT", f"{path}/{one}", changed).json
    assert told_back is not None
    assert told_back["filter"]["libraries"] == [{"id": row(70)["Id"], "name": "Music"}]
    learn(house, 9)
    assert ann.told(where)["items"][0]["matched"] == 9
    learn(house, 1)
    answer = ann.send("POST", f"{where}/{one}/answer", {"remove": True})
    assert answer.status_code == 204
    assert ann.told(where)["items"][0]["matched"] == 1
    refused: list[dict[str, object]] = [
        {"kinds": ["album"]},
        {"kinds": []},
        {"artists": ["Nobody"]},
        {"libraries": ["9" * 32]},
        {"first_year": 12},
        {"least_rating": 11},
        {"unknown": 1},
    ]
    for wrong in refused:
        assert ann.send("POST", f"{path}/measure", wrong).status_code == 422, wrong
    assert ann.send("DELETE", f"{where}/{one}").status_code == 204
    assert ann.send("DELETE", f"{path}/{one}").status_code == 204
    assert ann.told(path)["items"] == []


def test_a_filter_that_is_deleted_while_it_is_changed_stays_deleted(
    house: WebHouse, ann: Browser
) -> None:
    serve(house, 1)
    selection_id = save(house, ann)
    views = listed(row(70, Type="CollectionFolder", Name="Music", CollectionType="music"))

    def delete_meanwhile(_: Request) -> Reply:
        house.store.selections.delete(ANN.user_id, selection_id)
        return json_reply(views)

    house.jellyfin.routes["GET /UserViews"] = delete_meanwhile
    form = {"name": "Blues", "genres": "Jazz", "library": row(70)["Id"]}
    answer = ann.press(f"/library/filters/{selection_id}", **form)

    assert answer.status_code == 404
    assert house.store.selections.of_user(ANN.user_id) == []
