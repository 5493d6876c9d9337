from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from sidecar.domain.downloads.actions import (
    GOES,
    IS_SO,
    Action,
    ActionRefusal,
    ActionVerdict,
    judge,
)
from sidecar.domain.downloads.download import Status, Validator
from tests.domain.downloads.test_states import DOWNLOAD, QUEUED

NOW = QUEUED + timedelta(hours=1)
LATER = NOW + timedelta(minutes=5)

# pending, downloading, paused, completed, failed, removed: g goes, s is so, - refused
TABLE = {
    Action.PAUSE: "ggs---",
    Action.RESUME: "ssg---",
    Action.RETRY: "ss--gg",
    Action.CANCEL: "ggg-gs",
    Action.DELETE: "gggggs",
    Action.PRIORITISE: "g-----",
    Action.TOP: "gs----",
    Action.MOVE: "gs----",
    Action.LET_GO: "---g-s",
    Action.ACCEPT: "------",
}
MEANS = {"g": ActionVerdict.GO, "s": ActionVerdict.IS_SO}
CASES = [
    (action, status, MEANS.get(TABLE[action][number]))
    for action, (number, status) in product(Action, enumerate(Status))
]


@pytest.mark.parametrize(("action", "status", "expected"), CASES)
def test_every_action_in_every_state_is_as_the_table_says(
    action: Action, status: Status, expected: ActionVerdict | None
) -> None:
    verdict = judge(action, replace(DOWNLOAD, status=status), NOW)

    if expected is None:
        assert isinstance(verdict, ActionRefusal)
        assert verdict.text.startswith("Song ")
        assert verdict.until is None
    else:
        assert verdict is expected


@pytest.mark.parametrize("status", [Status.PENDING, Status.FAILED])
def test_only_what_could_not_be_proved_is_accepted_in_a_cooldown_too(status: Status) -> None:
    came = Validator("Sat, 31 Oct 2026 10:00:00 GMT", 99)
    unproved = replace(
        DOWNLOAD, status=status, error_code="unproved", validator=came, retry_next_at=LATER
    )

    assert judge(Action.ACCEPT, unproved, NOW) is ActionVerdict.GO
    assert isinstance(judge(Action.ACCEPT, replace(unproved, validator=None), NOW), ActionRefusal)
    assert isinstance(
        judge(Action.ACCEPT, replace(unproved, error_code="silent"), NOW), ActionRefusal
    )
    accepted = replace(unproved, error_code=None, accepted=came)
    assert judge(Action.ACCEPT, accepted, NOW) is ActionVerdict.IS_SO


@pytest.mark.parametrize("action", Action)
def test_no_state_is_both_a_way_and_an_end(action: Action) -> None:
    assert not GOES[action] & IS_SO[action]


@pytest.mark.parametrize("status", [Status.PENDING, Status.FAILED])
def test_a_retry_in_a_cooldown_is_refused_with_the_time(status: Status) -> None:
    cooling = replace(DOWNLOAD, status=status, retry_next_at=LATER)

    verdict = judge(Action.RETRY, cooling, NOW)

    assert isinstance(verdict, ActionRefusal)
    assert (verdict.code, verdict.until) == ("cooling-down", LATER)
    assert judge(Action.RETRY, cooling, NOW, force=True) is ActionVerdict.GO


def test_a_cooldown_that_is_over_stands_in_nobody_s_way() -> None:
    failed = replace(DOWNLOAD, status=Status.FAILED, retry_next_at=NOW)

    assert judge(Action.RETRY, failed, NOW) is ActionVerdict.GO


def test_what_has_arrived_is_deleted_and_not_cancelled() -> None:
    refusal = judge(Action.CANCEL, replace(DOWNLOAD, status=Status.COMPLETED), NOW)

    assert isinstance(refusal, ActionRefusal)
    assert "delete it instead" in refusal.text
