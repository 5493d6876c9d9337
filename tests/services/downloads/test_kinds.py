"""What people ask for that is not one file, on a demo server that has all of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.domain.items.item import ItemType
from sidecar.errors import NotPossible
from sidecar.services.downloads.commands import AddedItem, AddResult
from tests.fakes.kinds_library import kinds_library
from tests.jellyfin.test_kinds import EPISODES, find
from tests.services.conftest import STICK
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


def test_a_library_is_not_pinned_without_a_question(house: MovingHouse) -> None:
    shows = find(house.client(), ItemType.LIBRARY, "Shows").id

    with pytest.raises(NotPossible, match="whole library"):
        house.services.web.preferences.pin(house.person("ann"), STICK, shows)
