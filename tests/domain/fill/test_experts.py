"""Which ranking is followed: the one that was right of late."""

from __future__ import annotations

import pytest

from sidecar.domain.fill.experts import Expert, Experts, Order, blend
from sidecar.domain.fill.shelf import Candidate, Shelf
from sidecar.domain.fill.taste import Household, Listened, Taste

SIZES = [10] * 6


def name_and_learn(experts: Experts, counts: list[int], mixture: list[int], play: int) -> None:
    orders = {one: Order(mixture, SIZES) for one in Expert}
    orders[Expert.COUNTS_EVER] = Order(counts, SIZES)
    experts.name(orders, room=20)
    experts.learn([play])


def test_the_mixture_is_followed_until_another_was_clearly_better() -> None:
    experts = Experts()

    name_and_learn(experts, [0, 1, 2], [3, 4, 5], play=3)
    assert experts.best() is Expert.MIXTURE
    for _ in range(3):
        name_and_learn(experts, [0, 1, 2], [3, 4, 5], play=0)

    assert experts.best() is Expert.COUNTS_EVER


def test_what_does_not_fit_earns_no_point() -> None:
    experts = Experts()

    for _ in range(3):
        name_and_learn(experts, [0, 1, 2], [3, 4, 5], play=2)

    assert experts.best() is Expert.MIXTURE


def test_old_points_fade() -> None:
    experts = Experts()
    for _ in range(100):
        name_and_learn(experts, [0, 1], [3, 4], play=0)
    for _ in range(60):
        name_and_learn(experts, [0, 1], [3, 4], play=3)

    assert experts.best() is Expert.MIXTURE


def test_counts_come_first_and_the_mixture_orders_the_rest() -> None:
    household = Household(Shelf(Candidate(id=str(n), title="", size=10) for n in range(4)))
    taste = Taste(household)
    taste.look_ahead(1)
    taste.learn(1, [Listened(2, 0.0, 60.0), Listened(2, 90.0, 60.0), Listened(1, 200.0, 60.0)])

    expected = blend(Expert.COUNTS_EVER, [0.3, 0.0, 0.0, 0.7], household)

    assert sorted(range(4), key=expected.__getitem__, reverse=True) == [2, 1, 3, 0]
    assert sum(expected) == pytest.approx(1.0)
    assert blend(Expert.MIXTURE, [0.3, 0.0, 0.0, 0.7], household) == [0.3, 0.0, 0.0, 0.7]


def test_an_album_that_was_begun_gives_way_and_a_track_that_was_begun_does_not() -> None:
    shelf = Shelf(Candidate(id=str(n), title="", size=10, album_id="a") for n in range(2))
    taste = Taste(Household(shelf))
    taste.look_ahead(1)
    taste.learn(1, [Listened(0, 0.0, 60.0, is_to_the_end=False)])
    taste.look_ahead(2)

    assert taste.list_half_heard(2) == {0}
