"""What people ask for that is not one file, on a demo server that has all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sidecar.domain.downloads.download import Status
from sidecar.domain.items.item import Item, ItemType
from sidecar.errors import NotPossible
from sidecar.services.downloads.commands import AddedItem, AddResult
from tests.fakes.libraries.kinds import kinds_library
from tests.jellyfin.test_kinds import EPISODES, find, find_film
from tests.services.conftest import STICK
from tests.services.devices.test_taken import follow
from tests.services.identity.house import MovingHouse, moving_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[MovingHouse]:
    with moving_house(tmp_path, [], write_media=kinds_library) as built:
        yield built


def add(house: MovingHouse, item_id: str, *, whole: bool = False) -> AddedItem:
    (told,) = house.services.web.actions.add(house.person("ann"), [item_id], whole=whole)
    return told


def titles(house: MovingHouse) -> list[str]:
    return sorted(one.title for one in house.rows())


@pytest.mark.parametrize(
    ("item_type", "title", "files"),
    [
        (ItemType.COLLECTION, "Recorded Box", ["Plain", *EPISODES]),
        (ItemType.FOLDER, "The Long Book", ["Chapter 1", "Chapter 2"]),
        (ItemType.MUSIC_GENRE, "Folk", ["Tone 1", "Tone 2"]),
        (ItemType.GENRE, "Test", ["Plain"]),
    ],
)
def test_it_comes_as_its_files(
    house: MovingHouse, item_type: ItemType, title: str, files: list[str]
) -> None:
    told = add(house, find(house.client(), item_type, title).id)

    assert told.result is AddResult.QUEUED
    assert titles(house) == files


def test_a_whole_library_comes_when_it_is_meant(house: MovingHouse) -> None:
    shows = find(house.client(), ItemType.LIBRARY, "Shows").id

    asked = add(house, shows)
    assert (asked.result, asked.code) == (AddResult.REFUSED, "whole-library")
    assert asked.text.startswith("Shows is a whole library with 4 files, ")
    assert house.rows() == []

    assert add(house, shows, whole=True).result is AddResult.QUEUED
    assert titles(house) == EPISODES


def test_a_library_that_the_account_lost_is_no_library(house: MovingHouse) -> None:
    shows = find(house.client(), ItemType.LIBRARY, "Shows").id
    ann = house.server.core.users.find("ann")
    assert ann is not None
    ann.policy["EnableAllFolders"], ann.policy["EnabledFolders"] = False, []

    assert add(house, shows).result is AddResult.NOT_FOUND


def test_what_the_account_may_not_see_is_neither_named_nor_added(house: MovingHouse) -> None:
    ids = [one.id for one in house.items()]
    ann = house.server.core.users.find("ann")
    assert ann is not None
    ann.policy["EnableAllFolders"], ann.policy["EnabledFolders"] = False, []

    told = house.services.web.actions.add(house.person("ann"), ids)

    assert {(one.result, one.title) for one in told} == {(AddResult.NOT_FOUND, "")}
    assert house.rows() == []


def test_a_library_is_not_pinned_without_a_question(house: MovingHouse) -> None:
    shows = find(house.client(), ItemType.LIBRARY, "Shows").id

    with pytest.raises(NotPossible, match="whole library"):
        house.services.web.preferences.pin(house.person("ann"), STICK, shows)


def film(house: MovingHouse, title: str) -> Item:
    return find_film(house.client(), title)


@pytest.mark.parametrize("by", ["asked for", "pinned", "heart"])
def test_a_film_in_parts_comes_as_its_parts(house: MovingHouse, by: str) -> None:
    two = film(house, "Two Parts")

    if by == "asked for":
        assert add(house, two.id).result is AddResult.QUEUED
    elif by == "pinned":
        house.services.web.preferences.pin(house.person("ann"), STICK, two.id)
    else:
        house.client().set_favourite(two.id, value=True)
        follow(house)

    rows = sorted(house.rows(), key=lambda one: one.file_path)
    assert [one.file_path for one in rows] == [
        f"Two Parts (2004)/Two Parts (2004)-part{number}.mkv" for number in (1, 2, 3)
    ]
    assert [one.title for one in rows] == 3 * ["Two Parts"]
    assert rows[0].item_id == two.id
    assert len({one.item_id for one in rows}) == 3


def test_all_parts_go_with_the_heart(house: MovingHouse) -> None:
    two = film(house, "Two Parts")
    house.client().set_favourite(two.id, value=True)
    follower, user_id = follow(house), house.person("ann").user_id
    assert len(house.store.holds.of_rule(user_id, STICK, "favourites")) == 3

    house.client().set_favourite(two.id, value=False)
    follower.look_through_soon()
    follower.step()
    house.clock.advance(2 * 86_400)
    house.services.rules.planning.release_expired()

    assert house.store.holds.of_rule(user_id, STICK, "favourites") == []
    assert house.rows() == []


def test_the_further_parts_come_beside_a_first_one_that_is_there_already(
    house: MovingHouse,
) -> None:
    two = film(house, "Two Parts")
    house.want(replace(two, parts=1, part=None))
    assert house.rows()[0].file_path == "Two Parts (2004)/Two Parts (2004)-part1.mkv"

    add(house, two.id)

    assert {one.file_path.rpartition("/")[0] for one in house.rows()} == {"Two Parts (2004)"}
    assert len(house.rows()) == 3


@pytest.mark.parametrize(("title", "disc"), [("Disc", "DVD"), ("Blue", "Blu-ray")])
def test_the_folder_of_a_disc_is_refused_by_its_name(
    house: MovingHouse, title: str, disc: str
) -> None:
    found = film(house, title)
    text = (
        f"{title} is the folder of a {disc} disc on the server, not one file: it "
        "cannot be downloaded as it is"
    )

    told = add(house, found.id)
    assert (told.result, told.code, told.text) == (AddResult.REFUSED, "disc-folder", text)

    house.client().set_favourite(found.id, value=True)
    follow(house)
    (row,) = house.rows()
    assert (row.status, row.error_code, row.error_message) == (Status.FAILED, "disc-folder", text)


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({}, 3_000_000),
        ({"budget": 2_000_000}, 1_200_000),
        ({"versions": "smallest"}, 500_000),
        ({"versions": "first"}, 3_000_000),
        ({"versions": "first", "budget": 2_000_000}, 3_000_000),
    ],
)
def test_of_several_versions_comes_the_one_that_the_device_is_set_to(
    house: MovingHouse, settings: dict[str, object], size: int
) -> None:
    two = film(house, "Two Versions")
    if settings:
        house.services.web.settings.change(house.person("admin"), STICK, settings, {})

    add(house, two.id)

    (row,) = house.rows()
    assert (row.item_id, row.expected_size) == (two.id, size)
    assert row.file_path == "Two Versions (2003)/Two Versions (2003).mkv"


@pytest.mark.parametrize(("versions", "size"), [("smallest", 500_000), ("largest", 3_000_000)])
def test_the_chosen_version_is_what_is_fetched(
    house: MovingHouse, versions: str, size: int
) -> None:
    changes: dict[str, object] = {"versions": versions}
    house.services.web.settings.change(house.person("admin"), STICK, changes, {})
    add(house, film(house, "Two Versions").id)

    house.services.transfers.new_worker().step()

    (row,) = house.rows()
    assert (row.status, row.file_size) == (Status.COMPLETED, size)
    assert (house.stick / row.file_path).stat().st_size == size
