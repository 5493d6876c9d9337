"""What happens later on the live connection."""

from __future__ import annotations

from queue import Queue
from threading import enumerate as all_threads

import pytest

from sidecar.web.live.timers import Timers
from tests.patience import PATIENCE_S

LONG_S = 3600.0


def test_what_is_due_first_is_done_first() -> None:
    timers, done = Timers(), Queue[str]()
    timers.after(LONG_S, lambda: done.put("in an hour"))
    timers.after(0.1, lambda: done.put("later"))
    timers.after(0.0, lambda: done.put("now"))

    assert [done.get(timeout=PATIENCE_S), done.get(timeout=PATIENCE_S)] == ["now", "later"]
    timers.end()
    assert done.empty()


def test_one_that_fails_is_logged_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    timers, done = Timers(), Queue[str]()
    timers.after(0.0, lambda: 1 // 0)
    timers.after(0.0, lambda: done.put("the next"))

    assert done.get(timeout=PATIENCE_S) == "the next"
    timers.end()
    assert "ZeroDivisionError" in caplog.text


def test_after_the_end_nothing_is_done_and_no_thread_is_left() -> None:
    timers, done = Timers(), Queue[str]()
    timers.after(LONG_S, lambda: done.put("in an hour"))
    timers.end()
    timers.after(0.0, lambda: done.put("after the end"))
    timers.end()

    assert "live-timers" not in {one.name for one in all_threads()}
    assert done.empty()
