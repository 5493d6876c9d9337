"""Planning for a device with more than fifty thousand holds, and a rule that wants all of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from functools import partial

from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.wishes import Wish
from sidecar.store.downloads.inventory import Inventory
from tests.bench.rows.household import opened
from tests.bench.rows.large import PEOPLE, Household
from tests.bench.timing import Ask, compare, table

BARE = "SELECT count(*) FROM holds"
GRACE = timedelta(days=1)


def measure(household: Household, rounds: int) -> None:
    """Print what each step of the housekeeping costs."""
    with (
        opened(household) as (services, store),
        closing(sqlite3.connect(store.db.path)) as bare,
    ):
        device = services.devices.registry.all()[0]
        held = store.holds.of_rule(PEOPLE["ann"], device.id, "favourites")
        wishes = [Wish(one.user_id, one.device_id, _light(one.item_id), one.reason) for one in held]
        inventory, files = Inventory(store.db), store.downloads.queries.files_on(device.id)

        def peer() -> object:
            return bare.execute(BARE).fetchall()

        asks: dict[str, Ask] = {
            "plan of a device": partial(services.transfers.space.plan, device.id),
            "the plans as the admin sees them": partial(
                inventory.list_visible_to, "nobody", [one.id for one in files]
            ),
            "holds whose grace is over": services.rules.planning.release_expired,
            "retries that are due": partial(
                store.downloads.queries.failed_and_due, store.downloads.queue._clock.now()
            ),
            "files of a device": partial(store.downloads.queries.files_on, device.id),
            f"a rule wants the same {len(wishes)} again": partial(
                services.rules.planning.replace,
                PEOPLE["ann"],
                device.id,
                "favourites",
                wishes,
                lambda _ids: {},
                grace=GRACE,
            ),
            "the housekeeping, nothing changed": services.background.housekeeping.step,
        }
        table("Planning", "bare count", compare(asks, peer, max(3, rounds // 4)))


def _light(item_id: str) -> Item:
    return Item(id=item_id, type=ItemType.AUDIO, title="")
