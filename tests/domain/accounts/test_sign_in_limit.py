from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.accounts.sign_in_limit import (
    FORGOTTEN_AFTER_S,
    HOUR_S,
    MINUTE_S,
    MOST_OF_ALL,
    MOST_OF_AN_ADDRESS,
    WINDOW_S,
    SignInLimiter,
    Try,
)

HOME = "192.168.1.7"


def test_after_two_tries_a_name_waits_longer_and_longer() -> None:
    limiter, now, waits = SignInLimiter(), 0.0, []
    for _ in range(8):
        answer = limiter.begin("ann", HOME, now)
        if isinstance(answer, float):
            waits.append(answer)
            now += answer
            assert isinstance(limiter.begin("ann", HOME, now), Try)

    assert waits[:5] == [15 * MINUTE_S, HOUR_S, 4 * HOUR_S, 24 * HOUR_S, 24 * HOUR_S]


def test_upper_and_lower_case_are_one_name() -> None:
    limiter = SignInLimiter()
    limiter.begin("Ann", HOME, 0)
    limiter.begin("ANN", HOME, 0)

    assert limiter.begin("ann", HOME, 0) == 15 * MINUTE_S
    assert isinstance(limiter.begin("ben", HOME, 0), Try)


def test_a_good_sign_in_clears_the_name() -> None:
    limiter = SignInLimiter()
    limiter.begin("ann", HOME, 0)
    good = limiter.begin("ann", HOME, 1)
    assert isinstance(good, Try)

    limiter.record_success(good)

    assert isinstance(limiter.begin("ann", HOME, 2), Try)
    assert isinstance(limiter.begin("ann", HOME, 2), Try)


def test_a_try_that_met_no_server_costs_nothing() -> None:
    limiter = SignInLimiter()
    for second in range(200):
        one = limiter.begin("ann", HOME, second)
        assert isinstance(one, Try)
        limiter.take_back(one)


def test_an_address_that_tries_many_names_waits() -> None:
    limiter = SignInLimiter()
    for number in range(MOST_OF_AN_ADDRESS):
        assert isinstance(limiter.begin(f"name {number}", HOME, number), Try)

    assert limiter.begin("another", HOME, 100) == WINDOW_S - 100
    assert isinstance(limiter.begin("another", "192.168.1.8", 100), Try)
    assert isinstance(limiter.begin("another", HOME, WINDOW_S), Try)


def test_many_addresses_together_wait() -> None:
    limiter = SignInLimiter()
    for number in range(MOST_OF_ALL):
        assert isinstance(limiter.begin(f"name {number}", f"10.0.0.{number}", 0), Try)

    assert limiter.begin("ann", HOME, 1) == WINDOW_S - 1


def test_a_name_left_alone_for_two_days_starts_again() -> None:
    limiter = SignInLimiter()
    limiter.begin("ann", HOME, 0)
    limiter.begin("ann", HOME, 0)

    assert isinstance(limiter.begin("ann", HOME, FORGOTTEN_AFTER_S), Try)
    assert isinstance(limiter.begin("ann", HOME, FORGOTTEN_AFTER_S), Try)


@given(st.lists(st.tuples(st.sampled_from(["ann", "ben"]), st.floats(0, 5 * HOUR_S)), max_size=60))
def test_no_name_is_tried_three_times_in_a_quarter_of_an_hour(
    steps: list[tuple[str, float]],
) -> None:
    limiter, now = SignInLimiter(), 0.0
    tried: dict[str, list[float]] = {"ann": [], "ben": []}
    for name, later in steps:
        now += later
        if isinstance(limiter.begin(name, HOME, now), Try):
            tried[name].append(now)

    for times in tried.values():
        assert all(
            after - before >= WINDOW_S for before, after in zip(times, times[2:], strict=False)
        )
