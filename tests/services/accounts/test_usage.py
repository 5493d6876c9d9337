from __future__ import annotations

from sidecar.domain.wishes import Reason, Wish
from sidecar.events import DeviceChanged
from sidecar.services.accounts.usage import KEPT_S, KeptUsage
from sidecar.services.rules.wishes import WishService
from sidecar.store.accounts.usage import UsageByAccount
from tests.services.conftest import ANN, STICK, World, track


def test_what_accounts_hold_is_counted_again_once_it_may_have_changed(world: World) -> None:
    usage = KeptUsage(UsageByAccount(world.db), world.bus, world.clock)
    planning = WishService(world.db, world.holds, world.downloads, world.clock)
    items = {one.id: one for one in (track(1, size=100), track(2, size=10))}
    assert usage.measure() == {}
    planning.hold(
        [Wish(ANN, STICK, one, Reason("pin", one.id, "because")) for one in items.values()],
        lambda ids: {one: items[one] for one in ids},
    )
    assert usage.measure() == {}

    (claimed,) = world.downloads.queue.claim_together(world.clock.now(), at_most=1)
    nothing = usage.measure()
    world.downloads.transitions.mark_arrived(
        claimed, size=100, content_hash="0" * 32, mime_type=None
    )
    assert usage.measure() == {ANN: (1, 100)} != nothing

    world.holds.drop(STICK, claimed.item_id)
    assert usage.measure() == {}


def test_the_same_count_is_given_until_something_happens_or_a_minute_has_passed(
    world: World,
) -> None:
    usage = KeptUsage(UsageByAccount(world.db), world.bus, world.clock)
    first = usage.measure()
    assert usage.measure() is first

    world.bus.publish(DeviceChanged(STICK))
    second = usage.measure()
    assert second is not first
    assert usage.measure() is second

    world.clock.advance(seconds=KEPT_S)
    assert usage.measure() is not second
