"""What people are told of a device's room: one message for each device, however many files wait."""

from __future__ import annotations

from sidecar.domain.space.plan import Plan
from sidecar.services.troubles import Trouble


def room_trouble(name: str, found: Plan, waits: str | None = None) -> Trouble | None:
    """Return what stands in the way of a plan; None if nothing does.

    Args:
        name: The device.
        found: Its plan.
        waits: What removals wait for, as the end of a sentence; None if they do not.
    """
    waiting = sum(not one.is_final for one in found.refusals)
    if found.needs_confirmation:
        text = f"{len(found.removals)} files would go from {name} to make room"
        return Trouble("confirm", f"{text}: look at its plan and say whether they may")
    if found.over:
        text = f"{name} holds more than it may"
        if waits is not None:
            return Trouble("waits", f"{text}: {waits}")
        text = f"{text}, and all that is there is to stay"
        return Trouble("over", f"{text}: nothing comes until it has more room, or less to keep")
    if waiting:
        text = "1 download waits" if waiting == 1 else f"{waiting} downloads wait"
        if waits is not None:
            return Trouble("waits", f"{text} for room on {name}: {waits}")
        what = f"{text} for room on {name}: what is there is wanted as much, or more"
        return Trouble("no-room", what)
    return None
