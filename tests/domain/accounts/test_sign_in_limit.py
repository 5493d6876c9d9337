from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.accounts.sign_in_limit import (
    CODE_LASTS_S,
    FORGOTTEN_AFTER_S,
    FREE_TRIES,
    HOUR_S,
    MINUTE_S,
    MOST_AT_ONCE,
    MOST_AT_ONCE_OF_ONE,
    MOST_CODES,
    MOST_CODES_OF_AN_ADDRESS,
    MOST_OF_ALL,
    MOST_OF_AN_ADDRESS,
    REFUSED_AFTER_S,
    WAITS_S,
    WINDOW_S,
    Code,
    CodeLimiter,
    SignInLimiter,
    SignInWait,
    Try,
    name_key,
    network_of,
)

HOME = "192.168.1.7"
TABLET = "the tablet"


def fail(
    limiter: SignInLimiter, name: str, address: str, now: float, *, browser: str | None = None
) -> Try | SignInWait:
    """Try a wrong password; return the try, or why there was none."""
    answer = limiter.begin(name, address, now, browser=browser)
    if isinstance(answer, Try):
        limiter.end(answer)
    return answer


def lock_out(limiter: SignInLimiter, name: str, *, browser: str | None = None) -> None:
    for number in range(FREE_TRIES):
        fail(limiter, name, f"10.1.1.{number}", 0, browser=browser)


def test_after_five_tries_a_name_waits_one_five_and_fifteen_minutes() -> None:
    limiter, now = SignInLimiter(), 0.0
    waits: list[tuple[int, float]] = []
    while len(waits) < 5:
        answer = fail(limiter, "ann", HOME, now)
        if isinstance(answer, SignInWait):
            waits.append((limiter_tries(limiter), answer.seconds))
            now += answer.seconds

    assert waits == [
        (5, MINUTE_S),
        (6, 5 * MINUTE_S),
        (7, 15 * MINUTE_S),
        (8, 15 * MINUTE_S),
        (9, 15 * MINUTE_S),
    ]


def limiter_tries(limiter: SignInLimiter) -> int:
    return len(limiter._failed["name", "ann"])


@pytest.mark.parametrize(
    "name",
    [
        "ANN",
        " ann ",
        "a\u200bnn",
        "\uff41\uff4e\uff4e",
        "ann\u00ad",
        "\u2066ann\u2069",
        "an\ufe0fn",
        "ann\u3164",
        "ann\x00",
        "\ufeffann",
        "\U0001d41a\U0001d427\U0001d427",
    ],
)
def test_every_way_to_write_a_name_is_one_name(name: str) -> None:
    limiter = SignInLimiter()
    lock_out(limiter, "ann")

    assert limiter.begin(name, HOME, 0) == SignInWait(MINUTE_S)


def test_other_names_are_other_names() -> None:
    assert len({name_key(one) for one in ("ann", "anna", "an n", "ben", "\u00e4nn", "")}) == 6
    assert name_key("Mary \u00a0 \t Ann") == name_key("mary\u2003ann") == "mary ann"
    assert name_key("STRASSE") == name_key("Stra\u00dfe")


@given(st.text())
def test_a_key_has_itself_as_its_key(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.168.1.7", HOME),
        (HOME, HOME),
        ("", ""),
    ],
)
def test_an_address_stands_for_its_household(address: str, network: str) -> None:
    assert network_of(address) == network


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    limiter = SignInLimiter()
    for number in range(MOST_OF_AN_ADDRESS):
        fail(limiter, f"name {number}", f"2001:db8:0:1::{number:x}", 0)

    assert limiter.begin("another", "2001:db8:0:1:ffff::", 0) == SignInWait(WINDOW_S)
    assert isinstance(limiter.begin("another", "2001:db8:0:2::1", 0), Try)


def test_nobody_keeps_a_browser_out_that_signed_in_before() -> None:
    limiter = SignInLimiter()
    lock_out(limiter, "ann")
    for number in range(MOST_OF_ALL):
        fail(limiter, f"name {number}", HOME, 0)
    busy = [limiter.begin(f"x{number}", f"10.2.2.{number}", WINDOW_S) for number in range(9)]

    assert isinstance(limiter.begin("ann", HOME, 0), SignInWait)
    assert isinstance(busy[-1], SignInWait)
    assert isinstance(limiter.begin("ann", HOME, 0, browser=TABLET), Try)


def test_a_known_browser_has_only_tries_of_its_own() -> None:
    limiter = SignInLimiter()
    lock_out(limiter, "ann", browser=TABLET)

    assert limiter.begin("ann", HOME, 0, browser=TABLET) == SignInWait(MINUTE_S)
    assert isinstance(limiter.begin("ann", HOME, 0, browser="another"), Try)
    assert isinstance(limiter.begin("ann", HOME, 0), Try)


def test_only_a_few_are_tried_at_once_and_one_address_has_not_all_places() -> None:
    limiter = SignInLimiter()
    of_one = [limiter.begin(f"a{number}", HOME, 0) for number in range(MOST_AT_ONCE)]
    of_others = [
        limiter.begin(f"b{number}", f"10.0.0.{number}", 0) for number in range(MOST_AT_ONCE)
    ]

    tried = [one for one in (*of_one, *of_others) if isinstance(one, Try)]
    assert [isinstance(one, Try) for one in of_one].count(True) == MOST_AT_ONCE_OF_ONE
    assert len(tried) == MOST_AT_ONCE
    assert of_others[-1] == SignInWait(REFUSED_AFTER_S, is_busy=True)
    limiter.end(tried[0])
    assert isinstance(limiter.begin("ann", HOME, 0), Try)


def test_one_account_has_not_all_places_of_known_browsers() -> None:
    limiter = SignInLimiter()
    of_one = [
        limiter.begin("kid", HOME, 0, browser=f"kid's {number}") for number in range(MOST_AT_ONCE)
    ]

    assert [isinstance(one, Try) for one in of_one].count(True) == MOST_AT_ONCE_OF_ONE
    assert isinstance(limiter.begin("ann", HOME, 0, browser=TABLET), Try)


def test_who_was_refused_uses_no_place_and_no_try() -> None:
    limiter = SignInLimiter()
    for number in range(100):
        limiter.begin(f"name {number}", HOME, 0)

    assert isinstance(limiter.begin("ann", "10.0.0.1", 0), Try)
    assert len(limiter._recent) == MOST_AT_ONCE_OF_ONE + 1


def test_a_good_sign_in_clears_the_name() -> None:
    limiter = SignInLimiter()
    for second in range(FREE_TRIES - 1):
        fail(limiter, "ann", HOME, second)
    good = limiter.begin("ann", HOME, 5)
    assert isinstance(good, Try)

    limiter.end(good)
    limiter.record_success(good)

    assert all(isinstance(fail(limiter, "ann", HOME, 6), Try) for _ in range(FREE_TRIES))


def test_a_try_that_met_no_server_costs_nothing() -> None:
    limiter = SignInLimiter()
    for second in range(200):
        one = limiter.begin("ann", HOME, second)
        assert isinstance(one, Try)
        limiter.end(one)
        limiter.take_back(one)


def test_an_address_that_tries_many_names_waits() -> None:
    limiter = SignInLimiter()
    for number in range(MOST_OF_AN_ADDRESS):
        assert isinstance(fail(limiter, f"name {number}", HOME, number), Try)

    assert fail(limiter, "another", HOME, 100) == SignInWait(WINDOW_S - 100)
    assert isinstance(fail(limiter, "another", "192.168.1.8", 100), Try)
    assert isinstance(fail(limiter, "another", HOME, WINDOW_S), Try)


def test_many_addresses_together_wait() -> None:
    limiter = SignInLimiter()
    for number in range(MOST_OF_ALL):
        assert isinstance(fail(limiter, f"name {number}", f"10.0.0.{number}", 0), Try)

    assert limiter.begin("ann", HOME, 1) == SignInWait(WINDOW_S - 1)


def test_a_name_left_alone_for_a_day_starts_again() -> None:
    limiter = SignInLimiter()
    lock_out(limiter, "ann")

    later = [fail(limiter, "ann", HOME, FORGOTTEN_AFTER_S) for _ in range(FREE_TRIES)]

    assert all(isinstance(one, Try) for one in later)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ann", "ben", "Ann "]),
            st.sampled_from([None, TABLET]),
            st.floats(0, 1 * HOUR_S),
        ),
        max_size=60,
    )
)
def test_no_name_is_tried_more_often_than_the_steps_allow(
    steps: list[tuple[str, str | None, float]],
) -> None:
    limiter, now = SignInLimiter(), 0.0
    tried: dict[tuple[str, str | None], list[float]] = {}
    for name, browser, later in steps:
        now += later
        if isinstance(fail(limiter, name, HOME, now, browser=browser), Try):
            tried.setdefault((name_key(name), browser), []).append(now)

    for times in tried.values():
        steps_between = [later - before for before, later in pairwise(times)]
        for number, between in enumerate(steps_between[FREE_TRIES - 1 :]):
            assert between >= WAITS_S[min(number, 2)]


def test_codes_are_limited_by_address_and_in_all_until_they_are_used_or_over() -> None:
    limiter = CodeLimiter()
    codes = [limiter.begin(HOME, second) for second in range(MOST_CODES_OF_AN_ADDRESS)]

    assert limiter.begin(HOME, 20) == SignInWait(CODE_LASTS_S - 20)
    for number in range(MOST_CODES - len(codes)):
        assert isinstance(limiter.begin(f"10.0.0.{number}", 20), Code)
    assert limiter.begin("10.9.9.9", 30) == SignInWait(CODE_LASTS_S - 30)
    assert isinstance(codes[4], Code)
    limiter.end(codes[4])
    assert isinstance(limiter.begin(HOME, 30), Code)
    assert isinstance(limiter.begin(HOME, CODE_LASTS_S), Code)
