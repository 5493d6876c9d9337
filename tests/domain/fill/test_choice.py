from __future__ import annotations

from collections.abc import Collection, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.domain.fill.choice import Choice, FillLimits, Ranking, choose
from sidecar.domain.fill.shelf import Candidate, Shelf

FREE = FillLimits(turnover=10_000, of_album=0, of_artist=100, sure_share=0)


def ranked(worth: Sequence[float], *, albums: int = 1, listener: Sequence[int] = ()) -> Ranking:
    """Return a ranking of items of which each album and artist has the next few."""
    per_album = max(1, len(worth) // albums)
    shelf = Shelf(
        Candidate(
            id=str(n),
            title=str(n),
            size=1,
            album_id=f"album {n // per_album}",
            artist=f"artist {n // per_album}",
        )
        for n in range(len(worth))
    )
    order = sorted(range(len(worth)), key=worth.__getitem__, reverse=True)
    return Ranking(
        shelf=shelf,
        order=order,
        worth=worth,
        listener=listener or [0] * len(worth),
        persons=len(set(listener)) or 1,
    )


def chosen(
    ranking: Ranking,
    room: int,
    *,
    present: Collection[int] = (),
    half_heard: Collection[int] = (),
    limits: FillLimits = FREE,
    may_change: int = 10_000,
) -> Choice:
    return choose(
        ranking,
        room=room,
        present=present,
        half_heard=half_heard,
        limits=limits,
        may_change=may_change,
        sizes=[1] * len(ranking.worth),
    )


def test_the_best_fill_the_room_and_only_what_is_clearly_better_changes_it() -> None:
    ranking = ranked([5, 1, 4, 1.1, 3])

    assert chosen(ranking, 3).items == (0, 2, 4)
    assert chosen(ranking, 3, present=[1, 3]).items == (0, 2, 4)
    # 1.1 is better than 1, but not clearly.
    assert chosen(ranking, 4, present=[0, 1, 2, 4]).added == ()
    assert chosen(ranking, 3, present=[1, 3, 4], may_change=1) == Choice(
        items=(0, 4, 3), added=(0,), changed=1
    )


def test_what_is_half_heard_stays_and_less_room_takes_the_least_probable() -> None:
    ranking = ranked([5, 1, 4, 2, 3])

    assert chosen(ranking, 2, present=[1, 3], half_heard=[1]).items == (0, 1)
    assert chosen(ranking, 2, present=[0, 1, 2, 3, 4]).items == (0, 2)


@pytest.mark.parametrize(
    ("limits", "items"),
    [
        (FREE, {0, 1, 2, 3}),
        (FillLimits(of_album=2, of_artist=100), {0, 1, 4, 5}),
        (FillLimits(of_album=0, of_artist=75), {0, 1, 2, 4}),
        # Room that nothing else fills is not left empty.
        (FillLimits(of_album=1, of_artist=100), {0, 4, 1, 2}),
    ],
)
def test_variety_limits_albums_and_artists(limits: FillLimits, items: set[int]) -> None:
    ranking = ranked([9, 8, 7, 6, 3, 2, 1, 0.5], albums=2)

    assert set(chosen(ranking, 4, limits=limits).items) == items


def test_a_share_is_sure_for_each_person() -> None:
    ranking = ranked([9, 8, 7, 6, 3, 2], listener=[0, 0, 0, 0, 1, 1])

    sure = FillLimits(of_album=0, of_artist=100, sure_share=100)

    assert set(chosen(ranking, 4, limits=sure).items) == {0, 1, 4, 5}
    assert set(chosen(ranking, 4).items) == {0, 1, 2, 3}


@settings(max_examples=60, deadline=None)
@given(
    worth=st.lists(st.floats(0, 10), min_size=1, max_size=30),
    room=st.integers(0, 30),
    data=st.data(),
    may_change=st.integers(0, 10),
)
def test_room_and_turnover_are_kept_and_nothing_half_heard_goes(
    worth: list[float], room: int, data: st.DataObject, may_change: int
) -> None:
    items = st.integers(0, len(worth) - 1)
    present = data.draw(st.lists(items, unique=True, max_size=room))
    half = [one for one in present if one % 3 == 0]

    found = chosen(ranked(worth), room, present=present, half_heard=half, may_change=may_change)

    assert len(found.items) <= room
    assert set(half) <= set(found.items)
    assert len(set(present) - set(found.items)) == found.changed <= may_change
    assert set(found.added) == set(found.items) - set(present)
    assert len(found.items) == min(room, len(worth))
