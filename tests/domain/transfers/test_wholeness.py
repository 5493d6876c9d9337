from __future__ import annotations

import pytest

from sidecar.domain.transfers.wholeness import Ending, Evidence, Verdict, judge

WHOLE, CUT, UNKNOWN = Verdict.WHOLE, Verdict.CUT, Verdict.UNKNOWN
PRESENT, MISSING, UNSTATED = Ending.PRESENT, Ending.MISSING, Ending.UNSTATED


@pytest.mark.parametrize(
    ("ending", "reached", "declared", "expected", "verdict"),
    [
        # An end that is missing is cut, whatever the length looks like.
        (MISSING, 203.0, 203.0, 203.0, CUT),
        (MISSING, None, None, None, CUT),
        # An end that is there is whole, if it is about as long as it should be.
        (PRESENT, 203.0, 203.0, 203.0, WHOLE),
        (PRESENT, 203.0, None, None, WHOLE),
        (PRESENT, None, None, None, WHOLE),
        (PRESENT, None, 203.0, 203.0, WHOLE),
        (PRESENT, 202.1, 203.0, 203.0, WHOLE),  # a damaged piece in the middle
        (PRESENT, 7150.0, 7200.0, 7200.0, WHOLE),  # within one part of a hundred
        (PRESENT, 230.0, None, 203.0, WHOLE),
        (PRESENT, 61.0, 61.0, 203.0, UNKNOWN),  # a shorter version, or two beginnings
        (PRESENT, 61.0, 203.0, None, UNKNOWN),  # a hole
        (PRESENT, None, None, 203.0, UNKNOWN),
        # Where nothing states the end, only the exact length proves it.
        (UNSTATED, 203.0, None, 203.01, WHOLE),
        (UNSTATED, 202.97, None, 203.0, UNKNOWN),  # a frame of MP3 less
        (UNSTATED, 203.03, None, 203.0, UNKNOWN),
        (UNSTATED, 203.0, None, None, UNKNOWN),
        (UNSTATED, 203.0, None, 0.0, UNKNOWN),
        (UNSTATED, 203.0, None, -1.0, UNKNOWN),
        (UNSTATED, 61.0, None, 203.0, CUT),
        (UNSTATED, 61.0, 203.0, None, CUT),
        (UNSTATED, 61.0, 203.0, 61.0, CUT),
        (UNSTATED, None, None, 203.0, UNKNOWN),
        (UNSTATED, None, None, None, UNKNOWN),
    ],
)
def test_the_table(
    ending: Ending,
    reached: float | None,
    declared: float | None,
    expected: float | None,
    verdict: Verdict,
) -> None:
    found = Evidence(ending=ending, reached=reached, declared=declared)

    assert judge(found, expected).verdict is verdict


def test_errors_in_the_middle_do_not_matter_where_the_end_is_proved() -> None:
    assert judge(Evidence(ending=PRESENT, reached=203.0, errors=9), 203.0).verdict is WHOLE
    assert judge(Evidence(reached=203.0, errors=9), 203.0).verdict is UNKNOWN


def test_a_length_that_others_can_only_guess_calls_nothing_cut() -> None:
    assert judge(Evidence(reached=180.0, is_dependable=False), 203.0).verdict is UNKNOWN


def test_a_clock_that_is_coarse_is_given_its_grain() -> None:
    assert judge(Evidence(reached=202.95, grain=0.1), 203.0).verdict is WHOLE


def test_a_person_is_told_how_much_there_is() -> None:
    found = judge(Evidence(reached=61.2, was_decoded=True), 203.0)

    assert (found.detail, found.seconds) == ("decodes 61 of 203 seconds", 61.2)
    assert judge(Evidence(reached=202.97), 203.0).detail.startswith("has 202.97 seconds")
