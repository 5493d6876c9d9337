"""Examples of plans; the properties are in `test_plan_properties`."""

from __future__ import annotations

import pytest

from sidecar.domain.space.budget import DeviceRoom, RunningDownload, WantedFile
from sidecar.domain.space.eviction import (
    HoldStrength,
    Stored,
    classify,
    is_cooling_down,
    list_items_in_use,
)
from sidecar.domain.space.plan import Plan, plan
from sidecar.domain.space.space import Space
from sidecar.domain.wishes import EvictionClass
from tests.fakes.libraries.rule_library import plays, song

K = 1024
BLOCK = 4 * K
ROOM = DeviceRoom(
    name="Car stick",
    space=Space(total=4000 * K, free=3000 * K, block=BLOCK, largest_file=2000 * K),
    budget=100 * K,
    reserve=400 * K,
)


def there(
    number: int,
    standing: EvictionClass,
    *,
    size: int = 20 * K,
    used: int = 0,
    in_use: bool = False,
) -> Stored:
    return Stored(
        download_id=number,
        item_id=f"{number:032x}",
        size=size,
        last_used=used,
        eviction_class=standing,
        is_in_use=in_use,
    )


def wish(
    number: int,
    standing: EvictionClass,
    *,
    size: int | None = 20 * K,
    priority: int = 0,
    is_own: bool = False,
    held: int = 0,
) -> WantedFile:
    return WantedFile(
        download_id=number,
        item_id=f"{number:032x}",
        size=size,
        standing=standing,
        priority=priority,
        is_own=is_own,
        held=held,
    )


def limited(**changes: object) -> DeviceRoom:
    facts = {one: getattr(ROOM, one) for one in ("name", "space", "budget", "reserve", "running")}
    return DeviceRoom(**{**facts, **changes})


def gone(found: Plan) -> list[int]:
    return [one.download_id for one in found.removals]


def come(found: Plan) -> list[int]:
    return [one.download_id for one in found.adds]


def refused(found: Plan) -> list[tuple[int, str]]:
    return [(one.download_id, one.code) for one in found.refusals]


def test_what_fits_comes_and_nothing_goes() -> None:
    found = plan(
        ROOM, [there(1, EvictionClass.NOTHING)], [wish(2, EvictionClass.LASTING, size=20 * K - 1)]
    )

    assert (come(found), gone(found), refused(found)) == ([2], [], [])
    assert found.bytes_added == 20 * K


def test_first_goes_what_nobody_wants_then_pre_cached_then_affinity_then_other_rules() -> None:
    files = [there(9 - one, one) for one in EvictionClass]

    found = plan(limited(budget=20 * K), files, [])

    assert gone(found) == [9 - one for one in EvictionClass if one is not EvictionClass.LASTING]
    assert "No longer needed" in found.removals[0].reason
    assert "is over its storage limit" in found.removals[0].reason


def test_among_equals_the_one_used_longest_ago_goes() -> None:
    files = [
        there(n, EvictionClass.NOTHING, used=used) for n, used in enumerate((7, 3, 9, 5, 4), 1)
    ]

    assert gone(plan(ROOM, files, [wish(6, EvictionClass.AFFINITY, size=40 * K)])) == [2, 5]


@pytest.mark.parametrize("newcomer", list(EvictionClass))
def test_only_what_is_wanted_less_makes_room(newcomer: EvictionClass) -> None:
    for inhabitant in EvictionClass:
        files = [there(number, inhabitant) for number in range(1, 6)]

        found = plan(ROOM, files, [wish(6, newcomer)])

        may = inhabitant is not EvictionClass.LASTING and inhabitant < newcomer
        assert gone(found) == ([1] if may else [])
        assert come(found) == ([6] if may else [])
        assert refused(found) == ([] if may else [(6, "budget")])


def test_what_plays_or_comes_next_never_goes() -> None:
    files = [there(number, EvictionClass.NOTHING, in_use=True) for number in range(1, 6)]

    found = plan(ROOM, files, [wish(6, EvictionClass.LASTING)])

    assert (gone(found), refused(found)) == ([], [(6, "budget")])


def test_nothing_goes_for_what_is_larger_than_the_whole_budget() -> None:
    files = [there(number, EvictionClass.NOTHING) for number in range(1, 6)]

    found = plan(
        ROOM,
        files,
        [wish(6, EvictionClass.LASTING, size=100 * K + 1), wish(7, EvictionClass.NOTHING)],
    )

    assert gone(found) == []
    assert refused(found) == [(6, "too-big"), (7, "budget")]
    assert [one.is_final for one in found.refusals] == [True, False]


def test_a_smaller_one_comes_though_a_larger_one_waits() -> None:
    files = [there(1, EvictionClass.LASTING, size=60 * K)]

    found = plan(
        ROOM,
        files,
        [wish(2, EvictionClass.LASTING, size=60 * K), wish(3, EvictionClass.PRE_CACHED)],
    )

    assert (come(found), refused(found)) == ([3], [(2, "budget")])


def test_no_more_goes_than_is_needed() -> None:
    files = [
        there(1, EvictionClass.NOTHING, size=8 * K, used=1),
        there(2, EvictionClass.NOTHING, size=40 * K, used=2),
        there(3, EvictionClass.LASTING, size=52 * K),
    ]

    assert gone(plan(ROOM, files, [wish(4, EvictionClass.LASTING, size=40 * K)])) == [2]


def test_a_person_comes_before_a_heart_and_the_urgent_before_the_rest() -> None:
    waiting = [
        wish(1, EvictionClass.LASTING, size=40 * K),
        wish(2, EvictionClass.LASTING, size=40 * K, is_own=True),
        wish(3, EvictionClass.LASTING, size=40 * K, priority=1),
    ]

    found = plan(ROOM, [], waiting)

    assert (come(found), refused(found)) == ([2, 3], [(1, "budget")])


def test_the_reserve_stays_free_whatever_others_put_there() -> None:
    space = Space(total=4000 * K, free=400 * K, block=BLOCK, largest_file=None)
    files = [there(1, EvictionClass.AFFINITY), there(2, EvictionClass.LASTING)]

    found = plan(limited(space=space, budget=None), files, [wish(3, EvictionClass.LASTING)])

    assert (gone(found), come(found)) == ([1], [3])
    full = plan(limited(space=space, budget=None), files[1:], [wish(3, EvictionClass.LASTING)])
    assert refused(full) == [(3, "full")]


def test_what_is_coming_already_is_counted() -> None:
    files = [there(1, EvictionClass.NOTHING, size=40 * K)]
    running = (RunningDownload(size=60 * K, held=20 * K),)

    found = plan(limited(running=running), files, [wish(2, EvictionClass.LASTING)])

    assert gone(found) == [1]


def test_only_the_bytes_to_come_need_free_room() -> None:
    space = Space(total=4000 * K, free=410 * K, block=BLOCK, largest_file=None)

    found = plan(
        limited(space=space), [], [wish(1, EvictionClass.LASTING, size=40 * K, held=32 * K)]
    )

    assert come(found) == [1]


def test_over_the_budget_with_lasting_files_nothing_goes_and_nothing_comes() -> None:
    files = [there(number, EvictionClass.LASTING) for number in range(1, 8)]

    found = plan(ROOM, files, [wish(8, EvictionClass.LASTING, size=None)])

    assert (gone(found), refused(found)) == ([], [(8, "budget")])
    assert found.over == 40 * K


@pytest.mark.parametrize(
    ("files", "going", "asks"),
    [(5, 5, False), (6, 6, True), (30, 6, False), (30, 7, True)],
)
def test_many_removals_at_once_wait_for_a_person(files: int, going: int, *, asks: bool) -> None:
    stored = [there(number, EvictionClass.NOTHING) for number in range(1, files + 1)]

    found = plan(limited(budget=(files - going) * 20 * K), stored, [])

    assert len(found.removals) == going
    assert found.needs_confirmation is asks


def test_a_plan_that_may_remove_nothing_lets_in_what_fits() -> None:
    files = [there(number, EvictionClass.NOTHING) for number in range(1, 5)]
    waiting = [wish(5, EvictionClass.LASTING, size=40 * K), wish(6, EvictionClass.PRE_CACHED)]

    found = plan(ROOM, files, waiting, may_remove=False)

    assert (come(found), gone(found), refused(found)) == ([6], [], [(5, "budget")])


def test_another_id_means_that_other_files_would_go() -> None:
    files = [there(number, EvictionClass.NOTHING, used=number) for number in range(1, 6)]
    some = plan(ROOM, files, [wish(6, EvictionClass.LASTING)])

    assert some.id == plan(ROOM, files[::-1], [wish(7, EvictionClass.LASTING)]).id
    assert some.id != plan(ROOM, files, [wish(6, EvictionClass.LASTING, size=40 * K)]).id


@pytest.mark.parametrize(
    ("grips", "expected"),
    [
        ([], EvictionClass.NOTHING),
        ([HoldStrength("queue_ahead")], EvictionClass.PRE_CACHED),
        ([HoldStrength("queue_ahead"), HoldStrength("album_affinity")], EvictionClass.AFFINITY),
        ([HoldStrength("latest"), HoldStrength("album_affinity")], EvictionClass.PASSING),
        ([HoldStrength("next_up")], EvictionClass.PASSING),
        ([HoldStrength("favourites")], EvictionClass.LASTING),
        ([HoldStrength("playlists"), HoldStrength("latest")], EvictionClass.LASTING),
        ([HoldStrength("pin", is_ending=True)], EvictionClass.PASSING),
        ([HoldStrength("pin", is_ending=True), HoldStrength("favourites")], EvictionClass.LASTING),
        ([HoldStrength("queue_ahead", is_ending=True)], EvictionClass.PRE_CACHED),
        ([HoldStrength("a rule of tomorrow")], EvictionClass.LASTING),
    ],
)
def test_the_firmest_hold_counts(grips: list[HoldStrength], expected: EvictionClass) -> None:
    assert classify(grips) is expected


def test_only_what_passes_has_to_rest() -> None:
    rules = ("queue_ahead", "album_affinity", "latest", "next_up", "favourites", "pin", "playlists")

    assert [one for one in rules if is_cooling_down(one)] == list(rules[:4])


def test_what_plays_and_what_comes_next_is_in_use() -> None:
    one, two, three = song("one"), song("two"), song("three")

    assert list_items_in_use([plays(one, one, two, three), plays(three, session="s2")]) == {
        one.id,
        two.id,
        three.id,
    }
    assert list_items_in_use([plays(one, one)]) == {one.id}
    assert list_items_in_use([]) == frozenset()
