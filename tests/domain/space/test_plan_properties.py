"""What holds of every plan."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.space.budget import DeviceRoom, RunningDownload, WantedFile
from sidecar.domain.space.eviction import Stored
from sidecar.domain.space.plan import Plan, plan
from sidecar.domain.space.space import Space
from sidecar.domain.wishes import EvictionClass

BLOCK = 4
SIZES = st.integers(0, 60)
STANDINGS = st.sampled_from(list(EvictionClass))


@st.composite
def files(draw: st.DrawFn, first: int) -> list[Stored]:
    return [
        Stored(
            download_id=first + n,
            item_id=str(first + n),
            size=draw(SIZES),
            last_used=draw(st.integers(0, 5)),
            eviction_class=draw(STANDINGS),
            is_in_use=draw(st.booleans()) and draw(st.booleans()),
        )
        for n in range(draw(st.integers(0, 12)))
    ]


@st.composite
def wishes(draw: st.DrawFn, first: int, *, parts: bool) -> list[WantedFile]:
    found = []
    for n in range(draw(st.integers(0, 10))):
        size = draw(SIZES)
        found.append(
            WantedFile(
                download_id=first + n,
                item_id=str(first + n),
                size=size,
                held=draw(st.integers(0, size)) if parts else 0,
                priority=draw(st.sampled_from([0, 0, 50, 70])),
                place=draw(st.integers(0, 3)),
                standing=draw(STANDINGS),
                is_own=draw(st.booleans()),
            )
        )
    return found


@st.composite
def situations(
    draw: st.DrawFn, *, parts: bool = False
) -> tuple[DeviceRoom, list[Stored], list[WantedFile]]:
    stored, waiting = draw(files(1)), draw(wishes(100, parts=parts))
    used = sum(-(-one.size // BLOCK) * BLOCK for one in stored)
    free = draw(st.integers(0, 300))
    running = tuple(RunningDownload(draw(SIZES), 0) for _ in range(draw(st.integers(0, 2))))
    room = DeviceRoom(
        name="Car stick",
        space=Space(
            total=used + free + draw(st.integers(0, 100)),
            free=free,
            block=BLOCK,
            largest_file=draw(st.sampled_from([None, 50])),
        ),
        budget=draw(st.one_of(st.none(), st.integers(0, 400))),
        reserve=draw(st.one_of(st.none(), st.integers(0, 60))),
        running=running,
    )
    return room, stored, waiting


def carried_out(
    found: Plan, room: DeviceRoom, stored: list[Stored], waiting: list[WantedFile]
) -> tuple[DeviceRoom, list[Stored], list[WantedFile]]:
    """Return the situation when everything that the plan says has been done."""
    going = {one.download_id for one in found.removals}
    coming = {one.download_id for one in found.adds}
    arrived = [
        Stored(
            download_id=one.download_id,
            item_id=one.item_id,
            size=one.size or 0,
            last_used=0,
            eviction_class=one.standing,
        )
        for one in waiting
        if one.download_id in coming
    ]
    parts = sum(
        room.takes(max(0, (w.size or 0) - w.held)) for w in waiting if w.download_id in coming
    )
    space = replace(room.space, free=room.space.free + found.bytes_removed - parts)
    return (
        replace(room, space=space),
        [one for one in stored if one.download_id not in going] + arrived,
        [one for one in waiting if one.download_id not in coming],
    )


@given(situations(parts=True))
def test_never_over_the_limits_unless_nothing_more_may_go(
    given_: tuple[DeviceRoom, list[Stored], list[WantedFile]],
) -> None:
    room, stored, waiting = given_
    found = plan(room, stored, waiting)
    after, left, _ = carried_out(found, room, stored, waiting)
    running = sum(room.takes(one.size) for one in room.running)
    used = running + sum(room.takes(one.size) for one in left)
    is_over = used > room.most or after.space.free - running < room.kept

    if is_over:
        assert not found.adds
        assert not any(one.may_go for one in left if one.size)


@given(situations(), st.randoms(use_true_random=False))
def test_the_order_of_what_is_given_does_not_matter(
    given_: tuple[DeviceRoom, list[Stored], list[WantedFile]], chance: object
) -> None:
    room, stored, waiting = given_
    first = plan(room, stored, waiting)
    chance.shuffle(stored)  # type: ignore[attr-defined]
    chance.shuffle(waiting)  # type: ignore[attr-defined]

    assert plan(room, stored, waiting) == first


@given(situations())
def test_once_it_is_carried_out_the_next_plan_changes_nothing(
    given_: tuple[DeviceRoom, list[Stored], list[WantedFile]],
) -> None:
    room, stored, waiting = given_
    after = carried_out(plan(room, stored, waiting), room, stored, waiting)
    again = plan(*after)

    assert not again.adds
    assert not again.removals
    assert {one.download_id for one in again.refusals} == {one.download_id for one in after[2]}


@given(situations(parts=True))
def test_nothing_that_is_protected_ever_goes(
    given_: tuple[DeviceRoom, list[Stored], list[WantedFile]],
) -> None:
    room, stored, waiting = given_
    going = {one.download_id for one in plan(room, stored, waiting).removals}

    for one in stored:
        assert one.download_id not in going or (
            one.eviction_class is not EvictionClass.LASTING and not one.is_in_use
        )


@given(situations(parts=True))
def test_every_download_comes_or_is_told_why_not(
    given_: tuple[DeviceRoom, list[Stored], list[WantedFile]],
) -> None:
    room, stored, waiting = given_
    found = plan(room, stored, waiting)

    answered = [one.download_id for one in found.adds]
    answered += [one.download_id for one in found.refusals]
    assert sorted(answered) == sorted(one.download_id for one in waiting)
    assert all(one.reason for one in found.adds + found.removals)
    assert all(one.reason for one in found.refusals)


@given(situations(parts=True))
def test_no_file_goes_in_vain(given_: tuple[DeviceRoom, list[Stored], list[WantedFile]]) -> None:
    room, stored, waiting = given_
    found = plan(room, stored, waiting)
    if not found.adds:
        coming = sum(room.takes(one.size) for one in room.running)
        used = coming + sum(room.takes(one.size) for one in stored)
        over = max(used - room.most, coming + room.kept - room.space.free, 0)
        smallest = min((one.bytes for one in found.removals), default=0)
        assert found.bytes_removed - smallest < over or not found.removals


@given(situations(parts=True))
def test_what_goes_is_wanted_less_than_something_that_comes(
    given_: tuple[DeviceRoom, list[Stored], list[WantedFile]],
) -> None:
    room, stored, waiting = given_
    within = replace(
        room, budget=None, reserve=0, running=(), space=replace(room.space, total=10**6)
    )
    found = plan(within, stored, waiting)
    standing = {one.download_id: one.eviction_class for one in stored}
    standing |= {one.download_id: one.standing for one in waiting}
    best = max((standing[one.download_id] for one in found.adds), default=EvictionClass.NOTHING)

    assert all(standing[one.download_id] < best for one in found.removals)
