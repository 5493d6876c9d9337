"""Which items an account wants or wanted, and what is known of their files."""

from __future__ import annotations

from sidecar.store.database import Database
from sidecar.store.downloads.queue import Downloads
from tests.store.downloads.test_queries import hold
from tests.store.examples import ANN, BEN, CARD, wanted


def test_an_account_wants_what_it_asked_for_or_holds(db: Database, downloads: Downloads) -> None:
    downloads.queue.add_all(
        [wanted(1), wanted(1, device=CARD), wanted(2, user=BEN), wanted(3, user=BEN)]
    )
    hold(db, ANN, 3)
    ids = {number: wanted(number).item.id for number in (1, 2, 3)}

    found = {one: downloads.identity.items_of(one) for one in (ANN, BEN, None)}

    assert found == {
        ANN: {ids[1], ids[3]},
        BEN: {ids[2], ids[3]},
        None: set(ids.values()),
    }
    for user_id, items in found.items():
        assert downloads.identity.count_items(user_id) == len(items)
        assert {one.id for one in downloads.identity.facts_of_items(items)} == items
