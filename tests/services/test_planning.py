from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.domain.downloads import Move, Status
from sidecar.domain.items import Item
from sidecar.domain.wishes import Reason, Wish
from sidecar.services.planning import Planning
from tests.services.conftest import ANN, STICK, World, track

WHY = Reason("favourites", "f" * 32, "your favourite")
BEN = "b" * 32


class Describer:
    """Answers as Jellyfin would, and remembers what was asked."""

    def __init__(self, *items: Item) -> None:
        self.items = {one.id: one for one in items}
        self.asked: list[Sequence[str]] = []

    def __call__(self, ids: Sequence[str]) -> dict[str, Item]:
        self.asked.append(ids)
        return {one: self.items[one] for one in ids if one in self.items}


@pytest.fixture
def planning(world: World) -> Planning:
    return Planning(world.db, world.holds, world.downloads, world.clock)


def wishes(items: Iterable[Item], user_id: str = ANN, why: Reason = WHY) -> list[Wish]:
    return [Wish(user_id, STICK, one, why) for one in items]


def test_a_wish_is_held_and_queued_under_its_name(world: World, planning: Planning) -> None:
    describe = Describer(track(1))

    assert planning.keep(wishes([track(1, size=None, extension=None)]), describe) == 1

    queued = world.downloads.by_item(STICK, track(1).id)
    assert queued is not None
    assert queued.status is Status.PENDING
    assert queued.file_path == "The Sine Waves/First Light/01 - Tone 1.flac"
    assert queued.expected_size == 1000
    assert world.holds.holders(STICK, track(1).id) == [ANN]


def test_the_same_wish_again_asks_and_changes_nothing(world: World, planning: Planning) -> None:
    describe = Describer(track(1))
    planning.keep(wishes([track(1)]), describe)
    world.news.clear()

    assert planning.keep(wishes([track(1)]), describe) == 0

    assert len(describe.asked) == 1
    assert world.news == []


def test_many_wishes_are_described_in_few_requests(planning: Planning) -> None:
    items = [track(number) for number in range(450)]
    describe = Describer(*items)

    assert planning.keep(wishes(items), describe) == 450

    assert [len(ids) for ids in describe.asked] == [200, 200, 50]


def test_two_items_with_one_name_both_get_a_place(world: World, planning: Planning) -> None:
    twins = [track(1), replace(track(2), title="TONE 1", number=1)]

    planning.keep(wishes(twins), Describer(*twins))

    paths = [world.downloads.by_item(STICK, one.id) for one in twins]
    assert len({one.file_path.casefold() for one in paths if one}) == 2


def test_a_pointer_without_a_file_is_refused_with_the_reason(
    world: World, planning: Planning
) -> None:
    pointer = track(1, is_remote=True)

    planning.keep(wishes([pointer]), Describer(pointer))

    refused = world.downloads.by_item(STICK, pointer.id)
    assert refused is not None
    assert (refused.status, refused.error_code) == (Status.FAILED, "no-file")


def test_what_the_account_may_not_download_is_refused(world: World, planning: Planning) -> None:
    forbidden = track(1, can_download=False)

    planning.keep(wishes([forbidden]), Describer(forbidden))

    refused = world.downloads.by_item(STICK, forbidden.id)
    assert refused is not None
    assert (refused.status, refused.error_code) == (Status.FAILED, "not-allowed")


def test_an_item_the_server_hides_is_held_but_not_queued(world: World, planning: Planning) -> None:
    assert planning.keep(wishes([track(1)]), Describer()) == 0

    assert world.downloads.by_item(STICK, track(1).id) is None


def test_a_released_wish_lasts_for_its_grace(world: World, planning: Planning) -> None:
    planning.keep(wishes([track(1)]), Describer(track(1)))

    planning.release(ANN, "favourites", WHY.source_id, grace=timedelta(days=1))
    world.clock.advance(86_399)
    planning.let_go()
    assert world.holds.holders(STICK, track(1).id) == [ANN]

    world.clock.advance(1)
    planning.let_go()
    assert world.holds.holders(STICK, track(1).id) == []
    assert world.downloads.by_item(STICK, track(1).id) is None


def test_a_heart_pressed_again_within_the_grace_calls_it_off(
    world: World, planning: Planning
) -> None:
    planning.keep(wishes([track(1)]), Describer(track(1)))
    planning.release(ANN, "favourites", WHY.source_id, grace=timedelta(days=1))

    planning.keep(wishes([track(1)]), Describer(track(1)))
    world.clock.advance(2 * 86_400)
    planning.let_go()

    assert world.holds.holders(STICK, track(1).id) == [ANN]


def test_what_somebody_else_still_wants_stays_in_the_queue(
    world: World, planning: Planning
) -> None:
    describe = Describer(track(1))
    planning.keep(wishes([track(1)]), describe)
    planning.keep(wishes([track(1)], user_id=BEN), describe)

    planning.release(ANN, "favourites", WHY.source_id, grace=timedelta(0))
    planning.let_go()

    assert world.downloads.by_item(STICK, track(1).id) is not None
    assert world.holds.holders(STICK, track(1).id) == [BEN]


def test_a_file_that_is_there_stays_when_nobody_holds_it_any_more(
    world: World, planning: Planning
) -> None:
    planning.keep(wishes([track(1)]), Describer(track(1)))
    claimed = world.downloads.claim(world.clock.now())
    assert claimed is not None
    world.downloads.arrive(claimed, size=1000, content_hash="0" * 32, mime_type=None)

    planning.release(ANN, "favourites", WHY.source_id, grace=timedelta(0))
    planning.let_go()

    there = world.downloads.by_item(STICK, track(1).id)
    assert there is not None
    assert there.status is Status.COMPLETED


def test_a_removed_file_comes_back_only_for_a_new_reason(world: World, planning: Planning) -> None:
    describe = Describer(track(1))
    planning.keep(wishes([track(1)]), describe)
    claimed = world.downloads.claim(world.clock.now())
    assert claimed is not None
    world.downloads.arrive(claimed, size=1000, content_hash="0" * 32, mime_type=None)
    there = world.downloads.by_item(STICK, track(1).id)
    assert there is not None
    world.downloads.move(there, Move.VANISH)

    planning.keep(wishes([track(1)]), describe)
    removed = world.downloads.by_item(STICK, track(1).id)
    assert removed is not None
    assert removed.status is Status.REMOVED

    planning.keep(wishes([track(1)], user_id=BEN), describe)
    wanted = world.downloads.by_item(STICK, track(1).id)
    assert wanted is not None
    assert wanted.status is Status.PENDING


def test_only_what_left_a_container_is_released(world: World, planning: Planning) -> None:
    items = [track(1), track(2)]
    planning.keep(wishes(items), Describer(*items))

    planning.release_items(ANN, "favourites", WHY.source_id, [track(1).id], grace=timedelta(0))
    planning.let_go()

    assert world.holds.holders(STICK, track(1).id) == [ANN]
    assert world.holds.holders(STICK, track(2).id) == []
