"""Which of several versions of a film a device gets."""

from __future__ import annotations

import pytest

from sidecar.domain.items.item import FileVersion, Item, ItemType
from sidecar.domain.items.versions import VersionChoice, choose_version, find_version


def version(number: int, size: int | None) -> FileVersion:
    return FileVersion(
        id=f"{number:032x}",
        size=size,
        source_etag=f"mark {number}",
        source_path=f"/{number}.mkv",
        extension="mkv",
    )


FILM = Item(
    id=f"{1:032x}",
    type=ItemType.MOVIE,
    title="Two",
    size=30,
    source_etag="mark 1",
    versions=(version(1, 30), version(2, 10), version(3, 20), version(4, None)),
)
PLAIN = Item(id="2" * 32, type=ItemType.MOVIE, title="Plain", size=5)


@pytest.mark.parametrize(
    ("choice", "room", "size"),
    [
        (VersionChoice.LARGEST, None, 30),
        (VersionChoice.LARGEST, 30, 30),
        (VersionChoice.LARGEST, 29, 20),
        (VersionChoice.LARGEST, 5, 10),
        (VersionChoice.SMALLEST, None, 10),
        (VersionChoice.JELLYFIN, 5, 30),
    ],
)
def test_the_version_that_fits(choice: VersionChoice, room: int | None, size: int) -> None:
    chosen = choose_version(FILM, choice, room)

    assert (chosen.id, chosen.size) == (FILM.id, size)


def test_a_film_in_one_version_is_as_it_is() -> None:
    assert choose_version(PLAIN, VersionChoice.SMALLEST, 1) is PLAIN


def test_a_version_is_found_by_its_mark() -> None:
    found = find_version(FILM, "mark 3")

    assert found is not None
    assert (found.file_id, found.size, found.source_path) == (f"{3:032x}", 20, "/3.mkv")
    assert find_version(FILM, "another") is None
    assert find_version(FILM, None) is None
