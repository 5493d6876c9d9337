from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.domain.transfers.retry import GiveUp, Postpone, Wait, decide_next

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
MIB = 1024 * 1024


def failure(kind: FailureClass, code: str = "some", retry_after_s: float | None = None) -> Failure:
    return Failure(kind, code, "It did not work", retry_after_s)


def after(  # the defaults are the plainest case
    what: Failure,
    *,
    retry_count: int = 0,
    gained: int = 0,
    roll: float = 0.0,
    last_code: str | None = None,
    size: int | None = None,
) -> Postpone | GiveUp | Wait:
    return decide_next(
        what,
        retry_count=retry_count,
        gained=gained,
        now=NOW,
        roll=roll,
        last_code=last_code,
        size=size,
    )


def seconds(amount: float) -> datetime:
    return NOW + timedelta(seconds=amount)


TRANSIENT = failure(FailureClass.TRANSIENT)
CHANGED = failure(FailureClass.CHANGED, "changed")


@pytest.mark.parametrize(
    ("retry_count", "expected"),
    [
        (0, Postpone(seconds(5), 1)),
        (1, Postpone(seconds(15), 2)),
        (2, Postpone(seconds(45), 3)),
        (3, GiveUp(seconds(3600), 3)),
        (9, GiveUp(seconds(3600), 9)),
    ],
)
def test_a_passing_fault_is_tried_three_times_then_rests(
    retry_count: int, expected: Postpone | GiveUp
) -> None:
    assert after(TRANSIENT, retry_count=retry_count) == expected


@pytest.mark.parametrize("gained", [0, 10 * MIB])
def test_what_proves_nothing_is_tried_three_times_however_much_came(gained: int) -> None:
    unproved = failure(FailureClass.UNPROVED, "unproved")

    tries = [after(unproved, retry_count=count, gained=gained) for count in range(4)]

    assert tries == [
        Postpone(seconds(5), 1),
        Postpone(seconds(15), 2),
        Postpone(seconds(45), 3),
        GiveUp(seconds(3600), 3),
    ]


def test_an_empty_file_is_tried_three_times_then_waits_for_a_change() -> None:
    empty = failure(FailureClass.EMPTY, "empty")

    tries = [after(empty, retry_count=count) for count in range(4)]

    assert tries == [
        Postpone(seconds(5), 1),
        Postpone(seconds(15), 2),
        Postpone(seconds(45), 3),
        Wait(FailureClass.EMPTY),
    ]


@pytest.mark.parametrize(
    ("gained", "expected"),
    [(MIB - 1, GiveUp(seconds(3600), 3)), (MIB, Postpone(seconds(5), 1))],
)
def test_an_attempt_that_brought_a_mebibyte_has_all_its_tries_again(
    gained: int, expected: Postpone | GiveUp
) -> None:
    assert after(TRANSIENT, retry_count=3, gained=gained) == expected


@pytest.mark.parametrize(
    ("size", "gained", "expected"),
    [
        (2_000_000, 199_999, GiveUp(seconds(3600), 3)),
        (2_000_000, 200_000, Postpone(seconds(5), 1)),
        (100 * MIB, MIB, Postpone(seconds(5), 1)),
        (5, 0, GiveUp(seconds(3600), 3)),
    ],
)
def test_a_tenth_of_a_small_file_is_as_good_as_a_mebibyte(
    size: int, gained: int, expected: Postpone | GiveUp
) -> None:
    assert after(TRANSIENT, retry_count=3, gained=gained, size=size) == expected


@pytest.mark.parametrize(
    ("asked", "expected_s"), [(None, 5), (2, 5), (30, 30), (3600, 3600), (999_999, 3600)]
)
def test_the_server_may_ask_for_more_time_but_not_for_more_than_an_hour(
    asked: float | None, expected_s: float
) -> None:
    asking = failure(FailureClass.TRANSIENT, "http-429", asked)

    assert after(asking) == Postpone(seconds(expected_s), 1)


def test_what_failed_together_does_not_come_back_together() -> None:
    first, second = after(TRANSIENT, roll=0.1), after(TRANSIENT, roll=0.9)

    assert isinstance(first, Postpone)
    assert isinstance(second, Postpone)
    assert seconds(5) < first.until < second.until < seconds(5.5)


@pytest.mark.parametrize(
    ("retry_count", "last_code", "expected"),
    [
        (0, None, Postpone(NOW, 1, from_zero=True)),
        (1, "timed-out", Postpone(NOW, 2, from_zero=True)),
        (1, "changed", Postpone(seconds(15), 2, from_zero=True)),
        (3, "changed", GiveUp(seconds(3600), 3, from_zero=True)),
        (3, "timed-out", GiveUp(seconds(3600), 3, from_zero=True)),
    ],
)
def test_a_changed_file_is_begun_again_at_once_and_only_once(
    retry_count: int, last_code: str | None, expected: Postpone | GiveUp
) -> None:
    assert after(CHANGED, retry_count=retry_count, last_code=last_code) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (FailureClass.REFUSED, GiveUp(None, 2)),
        (FailureClass.GONE, GiveUp(None, 2)),
        (FailureClass.BLOCKED, GiveUp(seconds(300), 2)),
        (FailureClass.SIGNED_OUT, Wait(FailureClass.SIGNED_OUT)),
        (FailureClass.SERVER_AWAY, Wait(FailureClass.SERVER_AWAY)),
        (FailureClass.FILE_AWAY, Wait(FailureClass.FILE_AWAY)),
        (FailureClass.DEVICE, Wait(FailureClass.DEVICE)),
    ],
)
def test_each_class_of_failure_has_its_own_way_on(
    kind: FailureClass, expected: GiveUp | Wait
) -> None:
    assert after(failure(kind), retry_count=2) == expected


@given(
    st.lists(
        st.tuples(
            st.sampled_from([FailureClass.TRANSIENT, FailureClass.CHANGED]),
            st.sampled_from(["one", "two", "three"]),
        ),
        min_size=4,
        max_size=4,
    )
)
def test_without_progress_the_fourth_failure_in_a_row_is_the_last(
    failures: list[tuple[FailureClass, str]],
) -> None:
    count, last_code = 0, None
    outcomes = []

    for kind, code in failures:
        outcome = after(failure(kind, code), retry_count=count, last_code=last_code)
        assert not isinstance(outcome, Wait)
        outcomes.append(type(outcome))
        count, last_code = outcome.retry_count, code

    assert outcomes == [Postpone, Postpone, Postpone, GiveUp]
