from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.domain.fill.choice import FillLimits
from sidecar.domain.fill.daily import DailyChoice, Listener, PlayedItem, Situation, fill_device
from sidecar.domain.fill.shelf import Candidate, Shelf

TODAY = date(2026, 11, 3).toordinal()
ANN, BEN = "ann", "ben"
FREE = FillLimits(turnover=1000, of_album=0, of_artist=100, sure_share=0)


def shelf(count: int, *, per_album: int = 2, per_artist: int = 4) -> Shelf:
    return Shelf(
        Candidate(
            id=str(n),
            title=f"Tone {n}",
            size=10,
            album_id=f"album {n // per_album}",
            album=f"Album {n // per_album}",
            artist=f"Artist {n // per_artist}",
            genre="Folk",
        )
        for n in range(count)
    )


def plays(*of: tuple[int, int]) -> list[PlayedItem]:
    """Return plays of items, so many days ago."""
    return [PlayedItem(TODAY - ago, str(item), 60.0 * n, 200) for n, (item, ago) in enumerate(of)]


def filled(
    items: Shelf,
    listeners: Sequence[Listener],
    room: int,
    *,
    present: Collection[str] = (),
    passed_over: Collection[str] = (),
    limits: FillLimits = FREE,
    may_go: int = 1000,
    may_come: int = 1000,
) -> DailyChoice:
    now = Situation(
        today=TODAY,
        room=room,
        sizes=items.sizes,
        present=present,
        passed_over=passed_over,
        may_change=room * limits.turnover // 100,
        may_go=may_go,
        may_come=may_come,
    )
    return fill_device(items, listeners, now, limits)


def ann(items: Shelf, *of: tuple[int, int], candidates: Collection[str] | None = None) -> Listener:
    allowed = items.number.keys() if candidates is None else candidates
    return Listener(user_id=ANN, plays=plays(*of), candidates=allowed)


def ids(choice: DailyChoice) -> set[str]:
    return {one.item_id for one in choice.items}


def test_each_file_says_which_of_the_persons_plays_speak_for_it() -> None:
    items = shelf(12, per_album=2, per_artist=6)
    heard = [(0, 20), (0, 19), (0, 18), (2, 17), (4, 16)]

    choice = filled(items, [ann(items, *heard)], 60)

    told = {one.item_id: one.text for one in choice.items}
    assert told["0"] == "you played it 3 times in October"
    assert told["2"] == "you played it in October"
    assert "you played 3 albums of Artist 0 in October" in told.values()
    assert {one.user_id for one in choice.items} == {ANN}
    assert not filled(items, [ann(items)], 60).items, "of nobody's plays nothing follows"


def test_nobody_gets_what_they_may_not_have_and_nothing_is_told_of_others() -> None:
    items = shelf(8)
    own = ann(items, *[(0, n) for n in range(1, 9)], candidates={"0", "1", "2"})
    ben = Listener(
        user_id=BEN,
        plays=plays(*[(5, n) for n in range(1, 9)]),
        candidates={"2", "4", "5"},
    )

    choice = filled(items, [own, ben], 80, passed_over={"1"})

    whose = {one.item_id: one.user_id for one in choice.items}
    assert whose["0"] == ANN
    assert whose["5"] == BEN
    assert whose.keys() == {"0", "2", "4", "5"}
    assert not any(BEN in one.text or "others" in one.text for one in choice.items)


def test_a_day_brings_and_takes_only_so_much() -> None:
    items = shelf(20)
    listens = [ann(items, *[(n, 1 + n % 5) for n in range(10)])]

    first = filled(items, listens, 100, may_come=3)
    assert len(first.items) == len(first.added) == 3
    assert set(first.added) <= {str(n) for n in range(10)}

    never_heard = {str(n) for n in range(10, 20)}
    later = filled(items, listens, 100, present=never_heard, may_go=2)
    assert len(never_heard - ids(later)) == 2
    still = filled(
        items, listens, 100, present=never_heard, limits=FillLimits(turnover=0, of_album=0)
    )
    assert ids(still) == never_heard


@settings(max_examples=25, deadline=None)
@given(
    of=st.lists(st.tuples(st.integers(0, 11), st.integers(1, 6)), min_size=1, max_size=12),
    present=st.sets(st.integers(0, 11)),
    room=st.integers(0, 130),
    may_go=st.integers(0, 4),
)
def test_what_has_left_for_something_better_does_not_come_back_for_it(
    of: list[tuple[int, int]], present: set[int], room: int, may_go: int
) -> None:
    items = shelf(12)
    listens = [ann(items, *of)]
    there = {str(one) for one in present}
    left: set[str] = set()
    for _ in range(40):
        choice = filled(items, listens, room, present=there, may_go=may_go)
        after = ids(choice)
        assert sum(items.sizes[items.number[one]] for one in after) <= room
        assert not after & left, "as long as nothing is played, nothing goes in circles"
        left |= there - after
        if after == there:
            return
        there = after
    raise AssertionError("it never comes to rest")
