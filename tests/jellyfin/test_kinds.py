"""What is asked for as one thing and is many files: collections, folders, genres, libraries."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.items.kinds import ALL_MEDIA, MediaKind
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.file_index import ServerFileIndex
from sidecar.jellyfin.library.whole import Measured, measure
from tests.fakes.libraries.kinds import kinds_library
from tests.jellyfin.test_with_demo import client

EPISODES = [f"The Signal S0{season}E0{number}" for season in (1, 2) for number in (1, 2)]


@pytest.fixture(scope="module", params=list(Version), ids=lambda one: one.value)
def ann(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Jellyfin]:
    folder = kinds_library(tmp_path_factory.mktemp("kinds"))
    with DemoServer(folder, speaks=request.param) as demo:
        yield client(demo, "ann")


def find(ann: Jellyfin, item_type: ItemType, title: str) -> Item:
    """Return a container as the server tells it."""
    paths = {
        ItemType.LIBRARY: ("UserViews",),
        ItemType.GENRE: ("Genres",),
        ItemType.MUSIC_GENRE: ("MusicGenres",),
    }
    query = {}
    if item_type is ItemType.COLLECTION:
        query = {"parentId": find(ann, ItemType.LIBRARY, "Collections").id}
    if item_type is ItemType.FOLDER:
        query = {"recursive": "true", "includeItemTypes": "Folder"}
    page = ann.page(*paths.get(item_type, ("Items",)), query=query)
    (found,) = [one for one in page.items if one is not None and one.name == title]
    return ann.item(found.id)


def find_film(ann: Jellyfin, title: str) -> Item:
    page = ann.page("Items", query={"recursive": "true", "includeItemTypes": "Movie"})
    (found,) = [one for one in page.items if one is not None and one.name == title]
    return ann.item(found.id)


@pytest.mark.parametrize(
    ("item_type", "title", "files"),
    [
        (ItemType.COLLECTION, "Recorded Box", ["Plain", *EPISODES]),
        (ItemType.FOLDER, "Ann Author", ["Chapter 1", "Chapter 2"]),
        (ItemType.FOLDER, "The Long Book", ["Chapter 1", "Chapter 2"]),
        (ItemType.GENRE, "Test", ["Plain"]),
        (ItemType.MUSIC_GENRE, "Folk", ["Tone 1", "Tone 2"]),
        (ItemType.LIBRARY, "Music", ["Hit", "Tone 1", "Tone 2"]),
        (ItemType.LIBRARY, "Shows", EPISODES),
        (ItemType.LIBRARY, "Books", ["Chapter 1", "Chapter 2"]),
        (ItemType.LIBRARY, "Clips", ["Hit video"]),
        (ItemType.LIBRARY, "Collections", ["Plain", *EPISODES]),
    ],
)
def test_what_holds_files_expands_to_them(
    ann: Jellyfin, item_type: ItemType, title: str, files: list[str]
) -> None:
    listing = ann.expand(find(ann, item_type, title))

    assert sorted(one.title for one in listing.items) == sorted(files)
    assert listing.complete


def test_a_heart_on_a_collection_is_found(ann: Jellyfin) -> None:
    box = find(ann, ItemType.COLLECTION, "Recorded Box")
    ann.set_favourite(box.id, value=True)
    try:
        found = ann.favourites({ItemType.COLLECTION, ItemType.MOVIE})
    finally:
        ann.set_favourite(box.id, value=False)

    assert [(one.id, one.type) for one in found.items] == [(box.id, ItemType.COLLECTION)]
    assert found.complete


def test_a_library_is_measured_by_what_a_device_takes(ann: Jellyfin) -> None:
    films = find(ann, ItemType.LIBRARY, "Shows")
    sizes = [one.size or 0 for one in ServerFileIndex(ann).all_full().items if one.series]

    assert measure(ann, films, ALL_MEDIA) == Measured(4, sum(sizes), is_estimate=False)
    assert measure(ann, films, {MediaKind.MUSIC}) == Measured(0, 0, is_estimate=False)


def test_a_library_of_collections_is_measured_by_what_is_in_them(ann: Jellyfin) -> None:
    found = measure(ann, find(ann, ItemType.LIBRARY, "Collections"), ALL_MEDIA)

    assert (found.files, found.is_estimate) == (5, False)
    assert found.bytes > 0


def test_a_film_in_parts_is_followed_by_them(ann: Jellyfin) -> None:
    two = find_film(ann, "Two Parts")

    listing = ann.expand(two)

    assert two.parts == 3
    assert [(one.part, one.part_of) for one in listing.items] == [
        (1, None),
        (2, two.id),
        (3, two.id),
    ]
    assert {one.title for one in listing.items} == {"Two Parts"}
    assert listing.complete
    assert ann.expand(find_film(ann, "Plain")).items == (find_film(ann, "Plain"),)


def test_a_disc_is_known_by_its_kind(ann: Jellyfin) -> None:
    discs = [find_film(ann, title).disc_folder for title in ("Disc", "Blue", "Plain")]

    assert discs == ["DVD", "Blu-ray", None]
