from __future__ import annotations

from datetime import timedelta

import pytest

from sidecar.domain.rules.album_affinity import AlbumAffinitySettings, make_wishes
from sidecar.domain.rules.library import ListedItems
from tests.fakes.clock import START
from tests.fakes.libraries.rule_library import RuleLibrary, context, full, named, song

SONGS = [song(str(number)) for number in range(1, 12)]
ALBUM = SONGS[0].album_id or ""


def heard(*numbers: int) -> dict[str, frozenset[str]]:
    return {ALBUM: frozenset(named(str(one)) for one in numbers)}


@pytest.mark.parametrize(
    ("numbers", "threshold", "wanted"),
    [
        ((), 3, 0),
        ((1, 2), 3, 0),
        ((1, 2, 3), 3, 11),
        ((1, 5, 9, 11), 3, 11),
        ((4,), 1, 11),
        ((1, 2, 3), 4, 0),
        # Two of them have left the album since.
        ((1, 98, 99), 3, 0),
    ],
)
def test_enough_different_tracks_bring_the_album(
    numbers: tuple[int, ...], threshold: int, wanted: int
) -> None:
    shelf = RuleLibrary(lists={ALBUM: full(*SONGS)}, heard=heard(*numbers))

    found = make_wishes(context(AlbumAffinitySettings(threshold=threshold), shelf))

    assert len(found.wishes) == wanted
    assert found.unsure_of == frozenset()


def test_the_reason_counts() -> None:
    shelf = RuleLibrary(lists={ALBUM: full(*SONGS)}, heard=heard(1, 2, 3))

    (text,) = {
        one.reason.text for one in make_wishes(context(AlbumAffinitySettings(), shelf)).wishes
    }

    assert text == "you played 3 of 11 tracks of First Light"


def test_plays_count_as_far_back_as_the_window_says() -> None:
    shelf = RuleLibrary()

    make_wishes(context(AlbumAffinitySettings(window=timedelta(days=7)), shelf))

    assert shelf.asked_since == [START - timedelta(days=7)]


@pytest.mark.parametrize("listed", [ListedItems(), ListedItems(tuple(SONGS[:2]), complete=False)])
def test_an_album_that_is_not_seen_as_a_whole_lets_nothing_go(listed: ListedItems) -> None:
    shelf = RuleLibrary(lists={ALBUM: listed}, heard=heard(1, 2, 3))

    found = make_wishes(context(AlbumAffinitySettings(), shelf))

    assert found.unsure_of == {ALBUM}
    assert len(found.wishes) == len(listed.items)


def test_an_album_that_is_one_track_short_is_remarked_on() -> None:
    shelf = RuleLibrary(lists={ALBUM: full(*SONGS)}, heard=heard(1, 2))

    (remark,) = make_wishes(context(AlbumAffinitySettings(), shelf)).remarks

    assert remark.startswith("you played 2 of 11 tracks of First Light: one more and all of it is")


@pytest.mark.parametrize(
    ("numbers", "threshold", "listed"),
    [
        ((1,), 3, full(*SONGS)),
        ((1, 2, 3), 3, full(*SONGS)),
        ((), 1, full(*SONGS)),
        ((1, 2), 3, ListedItems(tuple(SONGS), complete=False)),
        ((1, 98), 3, full(*SONGS)),
        ((1, 2), 3, ListedItems()),
    ],
)
def test_nothing_is_remarked_on_otherwise(
    numbers: tuple[int, ...], threshold: int, listed: ListedItems
) -> None:
    shelf = RuleLibrary(lists={ALBUM: listed}, heard=heard(*numbers))

    assert make_wishes(context(AlbumAffinitySettings(threshold=threshold), shelf)).remarks == ()


def test_remarks_cost_few_look_ups() -> None:
    albums = [named(f"album {number}") for number in range(40)]
    shelf = RuleLibrary(
        lists={one: full(*SONGS) for one in albums},
        heard={one: frozenset({SONGS[0].id, SONGS[1].id}) for one in albums},
    )

    assert len(make_wishes(context(AlbumAffinitySettings(), shelf)).remarks) == 5
