from __future__ import annotations

from sidecar.services.operations.housekeeping import EVERY_S, SELDOM_S, SafetyNet
from tests.fakes.clock import FakeClock


def test_changes_of_others_are_read_seldom_while_their_events_come() -> None:
    clock = FakeClock()
    hears, read = [True], []
    net = SafetyNet(lambda: read.append(clock.monotonic()), lambda: hears[0], clock)

    def step_for(seconds: float) -> int:
        before = len(read)
        for _ in range(int(seconds / EVERY_S)):
            net.step()
            clock.advance(EVERY_S)
        return len(read) - before

    assert step_for(5 * SELDOM_S) == 5
    hears[0] = False
    assert step_for(SELDOM_S) == SELDOM_S / EVERY_S
    hears[0] = True
    assert step_for(SELDOM_S) == 1
