"""The rule `fill` on a device: a stick with room for five tracks, and a Jellyfin of twelve."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ByteSize

from sidecar.config import Settings
from sidecar.domain.downloads.download import Status
from sidecar.domain.rules import fill
from sidecar.domain.space.eviction import REST
from sidecar.jellyfin.library import candidates
from sidecar.services.accounts.person import Person
from sidecar.services.health.tasks import Tasks
from sidecar.services.playback.client_messages.acts import Acts
from sidecar.services.rules.fill.fill import (
    AGAIN_AFTER_S,
    ASKED_ABOUT,
    MOST_LOOKS,
    MOST_REQUESTS,
)
from sidecar.services.rules.followed_account import FollowedAccount
from sidecar.services.rules.library_cache import CachedLibrary
from sidecar.services.rules.runner import RuleRunner
from sidecar.services.rules.selections.questions import SelectionQuestions
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import Reply, Request, json_reply
from tests.services.conftest import STICK, track
from tests.web.elsewhere.house_and_car import Car, house_and_car
from tests.web.house import ANN, BEN, EVE, SERVER_ID, WebHouse, web_house

BLOCK = 4096
# Two per cent of the room are kept clear: a sixth block is for that.
ROOM = 6
HIDDEN_FROM_BEN = frozenset({track(1).id})


def row(number: int) -> dict[str, object]:
    return {
        "Id": track(number).id,
        "Type": "Audio",
        "Name": f"Tone {number}",
        "ServerId": SERVER_ID,
        "Album": f"Album {number // 4}",
        "AlbumId": f"{900 + number // 4:032x}",
        "AlbumArtist": "The Sine Waves",
        "Genres": ["Folk"],
        "RunTimeTicks": 180 * 10**7,
        "MediaSources": [{"Id": track(number).id, "Container": "flac", "Size": BLOCK}],
        "CanDownload": True,
    }


def answer(request: Request) -> Reply:
    wanted = request.query.get("ids", "").split(",") if "ids" in request.query else None
    rows = [row(number) for number in range(1, 13)]
    if request.query.get("userId") == BEN.user_id:
        rows = [one for one in rows if one["Id"] not in HIDDEN_FROM_BEN]
    found = [one for one in rows if wanted is None or one["Id"] in wanted]
    start = int(request.query.get("startIndex", 0))
    end = start + int(request.query.get("limit", len(found)))
    return json_reply({"Items": found[start:end], "TotalRecordCount": len(found)})


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebHouse]:
    # A page of few, so that the twelve are more than one.
    monkeypatch.setattr(candidates, "PAGE_ITEMS", 5)
    with web_house(tmp_path, FakeClock(), change=limit) as house:
        house.jellyfin.routes["GET /Items"] = answer
        yield house


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[tuple[WebHouse, Car]]:
    """The stick is on another machine than that where the rules run."""
    with house_and_car(tmp_path, FakeClock(), limit) as (house, car):
        house.jellyfin.routes["GET /Items"] = answer
        yield house, car


def limit(given: Settings) -> Settings:
    """Let the stick have room for six blocks."""
    limits = {"budget": ByteSize(ROOM * BLOCK), "reserve": ByteSize(0)}
    devices = tuple(one.model_copy(update=limits) for one in given.devices)
    return given.model_copy(update={"devices": devices})


def choose(house: WebHouse) -> int:
    """Let it be looked whether the stick is due; return how many requests that cost."""
    before = len(house.jellyfin.requests)
    house.services.background.fill.step()
    return len(house.jellyfin.requests) - before


def run_rule(house: WebHouse, person: Person) -> None:
    client = house.services.accounts.service.client(person.user_id)
    RuleRunner(
        FollowedAccount(
            user_id=person.user_id,
            name=person.name,
            devices=lambda _name: [STICK],
            tell=lambda _trouble: None,
            is_server_there=lambda: True,
        ),
        CachedLibrary(client, house.store.plays, person.user_id, house.clock),
        stores=house.store,
        planning=house.services.rules.planning,
        book=house.services.rules.settings,
        clock=house.clock,
        acts=Acts(house.clock),
        choices=house.services.rules.choices,
        asking=SelectionQuestions(house.store.selections, house.bus),
        tasks=Tasks(house.clock),
        rules=[fill.RULE],
    ).step()


def held(house: WebHouse, person: Person) -> dict[str, str]:
    """Return what the rule holds for a person, and why."""
    return {
        one.item_id: one.reason.text
        for one in house.store.holds.of_rule(person.user_id, STICK, fill.NAME)
    }


def switch(house: WebHouse, **settings: object) -> None:
    house.services.rules.settings.change(fill.RULE, STICK, settings)


def listen(house: WebHouse, person: Person, *numbers: int) -> None:
    """Let somebody have heard these on each of the last four days."""
    for ago in range(1, 5):
        for place, number in enumerate(numbers):
            began = house.clock.now() - timedelta(days=ago, minutes=10 * place)
            house.heard(person, number, began)


def arrive(house: WebHouse) -> None:
    """Let everything that waits arrive."""
    for number in range(1, 13):
        there = house.store.downloads.queries.by_item(STICK, track(number).id)
        if there is not None and there.status is Status.PENDING:
            house.add(number, rule=fill.NAME, status=Status.COMPLETED, body=bytes(BLOCK))


def test_what_is_left_is_filled_for_each_person_with_what_they_play(house: WebHouse) -> None:
    listen(house, ANN, 1, 2)
    listen(house, BEN, 9)

    assert choose(house) == 0, "it is off by default"
    switch(house, enabled=True)
    assert 0 < choose(house) <= MOST_REQUESTS
    for person in (ANN, BEN, EVE):
        run_rule(house, person)

    assert {track(1).id, track(2).id} <= held(house, ANN).keys()
    assert track(9).id in held(house, BEN)
    assert track(1).id not in held(house, BEN), "he does not see it"
    assert held(house, ANN)[track(1).id].startswith("you played it")
    everything = [*held(house, ANN), *held(house, BEN), *held(house, EVE)]
    assert len(everything) == len(set(everything)) == ROOM - 1
    states = {house.row(number).status for number in (1, 2, 9)}
    assert states == {Status.PENDING}

    switch(house, enabled=False)
    for person in (ANN, BEN, EVE):
        run_rule(house, person)
    assert not held(house, ANN)
    assert house.store.downloads.queries.by_item(STICK, track(1).id) is None


def test_a_stick_at_another_machine_is_filled_within_the_room_that_it_has_there(
    apart: tuple[WebHouse, Car],
) -> None:
    house, car = apart
    listen(house, ANN, 1, 2)
    switch(house, enabled=True)
    for device in car.services.devices.registry.all():
        # One of the six blocks is taken by a list of ours, as that machine tells.
        device.folder.own_files.put("list.m3u8", b"x")
    car.look()

    assert 0 < choose(house) <= MOST_REQUESTS
    run_rule(house, ANN)

    assert {track(1).id, track(2).id} <= held(house, ANN).keys()
    assert len(held(house, ANN)) == ROOM - 2
    house.clock.advance(timedelta(days=1).total_seconds())
    car.die()
    assert choose(house) == 0, "nobody has it"
    car.come_back()
    for paused in (True, False):
        house.services.devices.settings.change(STICK, {"paused": paused})
        assert (choose(house) == 0) is paused


def test_a_day_costs_so_many_looks_and_requests_whatever_happens(house: WebHouse) -> None:
    listen(house, ANN, 1, 2)
    switch(house, enabled=True)
    costs = [choose(house) for _ in range(3)]
    assert costs[1:] == [0, 0], "once a day is enough"
    for percent in (10, 20, 30, 40):
        switch(house, discovery=percent)
        costs.append(choose(house))
    looks = [one for one in costs if one]
    assert len(looks) == MOST_LOOKS
    assert max(looks) <= MOST_REQUESTS

    house.clock.advance(timedelta(days=1).total_seconds())
    house.jellyfin.routes["GET /Items"] = Reply(500)
    failed = []
    for _ in range(3 * MOST_LOOKS):
        failed.append(choose(house))
        house.clock.advance(AGAIN_AFTER_S)
    assert len([one for one in failed if one]) == MOST_LOOKS


def test_what_jellyfin_mixes_with_the_last_play_is_a_sign_and_asked_for_once_a_day(
    house: WebHouse,
) -> None:
    """Of six tracks that nobody knows, two fit beside those that ann plays."""
    listen(house, ANN, 1, 2, 3)
    last = f"/Items/{track(1).id}/"
    mixed = {"Items": [row(1), row(11), row(12)], "TotalRecordCount": 3}
    house.jellyfin.routes[f"GET {last}InstantMix"] = json_reply(mixed)
    switch(house, enabled=True, discovery=100)

    for _ in range(3):
        choose(house)
    run_rule(house, ANN)

    assert {track(11).id, track(12).id} <= held(house, ANN).keys()
    assert held(house, ANN)[track(11).id].startswith("Jellyfin suggests it with what you have")
    paths = [one.path for one in house.jellyfin.requests]
    assert [one for one in paths if "InstantMix" in one] == [f"{last}InstantMix"]
    assert len([one for one in paths if "Similar" in one]) == ASKED_ABOUT


def test_what_is_there_stays_as_long_as_nothing_was_chosen_since_the_start(
    house: WebHouse,
) -> None:
    listen(house, ANN, 1, 2)
    switch(house, enabled=True)
    choose(house)
    run_rule(house, ANN)
    before = held(house, ANN)
    assert before

    # As after a start: nothing is known any more but what is stored.
    house.services.rules.choices.put(STICK, {})
    assert choose(house) == 0
    run_rule(house, ANN)

    assert held(house, ANN) == before


def test_what_fills_goes_first_and_comes_back_only_if_it_was_played(house: WebHouse) -> None:
    listen(house, ANN, 1, 2, 3, 4, 5)
    switch(house, enabled=True)
    choose(house)
    run_rule(house, ANN)
    arrive(house)
    filled = set(held(house, ANN))
    assert len(filled) == ROOM - 1
    house.add(11, ANN, rule="pin", status=Status.PENDING, size=2 * BLOCK)

    house.services.transfers.space.step()

    gone = {one for one in filled if house.store.rests.find_end(STICK, one)}
    assert len(gone) == 1, "for what a person wants, what fills gives way, and no more than needed"
    number = next(one for one in range(1, 13) if track(one).id in gone)
    assert house.row(number).status is Status.REMOVED
    run_rule(house, ANN)
    assert track(number).id not in held(house, ANN)

    house.clock.advance(timedelta(days=1).total_seconds())
    choose(house)
    run_rule(house, ANN)
    assert track(number).id not in held(house, ANN), "it rests"
    assert house.store.rests.list_unplayed(STICK, house.clock.now()) == gone

    house.heard(ANN, number, house.clock.now())
    house.clock.advance(timedelta(days=1).total_seconds())
    assert timedelta(days=2) < REST
    assert not house.store.rests.list_unplayed(STICK, house.clock.now())
    house.store.holds.drop(STICK, track(11).id)
    house.services.rules.planning.release_expired()
    house.store.downloads.queue.cancel_all([house.row(11)])
    choose(house)
    run_rule(house, ANN)
    assert track(number).id in held(house, ANN)
    assert house.row(number).status is Status.PENDING
