"""Others that need much memory, as `sidecar.process.heap.taking_turns` lets them do by turns."""

from __future__ import annotations

from contextlib import ExitStack
from threading import Event

from sidecar.process.heap import taking_turns
from tests.fakes.clock import FakeClock

WAIT_S = 10.0


class OthersFirst(Event):
    """They have the turn until somebody waits for it: then ten seconds have passed.

    To be given as what ends the wait; it ends nothing else.
    """

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.were_waited_for = False
        self._clock = clock
        self._turn = ExitStack()
        self._turn.enter_context(taking_turns())

    def is_set(self) -> bool:
        if not self.were_waited_for:
            self.were_waited_for = True
            self._clock.advance(WAIT_S)
            self._turn.close()
        return False
