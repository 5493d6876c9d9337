from __future__ import annotations

from sidecar.process.heap import taking_turns


def test_large_work_is_done_in_turn_but_nobody_waits_for_ever() -> None:
    with taking_turns() as is_first:
        with taking_turns(0) as is_second:
            pass
        # That one ended no turn but its own.
        with taking_turns(0) as is_third:
            pass

    assert (is_first, is_second, is_third) == (True, False, False)
    with taking_turns(0) as is_afterwards:
        assert is_afterwards
