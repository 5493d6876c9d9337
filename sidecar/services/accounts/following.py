"""How a thread follows an account: in steps, and at rest until one is due or it is woken."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from sidecar.process.threads import LOOK_ANYWAY_S, Wakeup, attempt

# While Jellyfin cannot be asked.
IDLE_S = 1.0


def follow(
    step: Callable[[], bool],
    stop: Event,
    wakeup: Wakeup,
    rest_s: Callable[[], float],
    *,
    what: str,
    on_failure: Callable[[], bool],
) -> None:
    """Repeat a step until `stop` is set or it returns False; what wakes it is not missed.

    Args:
        step: What is done.
        stop: Ends it.
        wakeup: Ends a rest.
        rest_s: Returns for how long to rest after a step.
        what: The step's name in the log.
        on_failure: Called after an error that nobody foresaw; its result counts as the step's.
    """
    while not stop.is_set():
        rings = wakeup.rings
        if not attempt(step, what, on_failure):
            return
        wakeup.wait(rest_s(), since=rings)


def rest_until(due: float, now: float, *, is_server_there: bool) -> float:
    """Return for how many seconds to rest until a time, which counts only if Jellyfin is there."""
    return min(LOOK_ANYWAY_S, max(0.0, due - now)) if is_server_there else IDLE_S
