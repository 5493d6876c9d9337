"""Orders for devices of other machines: taken by one, ended by that one, never lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.domain.processes.orders import DONE_SHOWN, LASTS, MOST_TRIES, TROUBLE_SHOWN, OrderState
from sidecar.store.accounts.accounts import Account, Accounts
from sidecar.store.database import Database
from sidecar.store.devices.orders import NewOrder, Orders
from sidecar.store.processes import Processes
from tests.fakes.clock import START, FakeClock
from tests.store.examples import ANN, BEN, CARD, STICK

EJECT = NewOrder(
    device_id=STICK, user_id=ANN, machine="car", kind="eject", given="[]", what="eject Car stick"
)


@pytest.fixture
def orders(db: Database, clock: FakeClock) -> Orders:
    for name, user_id in (("ann", ANN), ("ben", BEN)):
        Accounts(db).save(
            Account(
                user_id=user_id,
                name=name,
                server_id="5" * 32,
                is_admin=False,
                may_download=True,
                jellyfin_device_id=f"sidecar-{name}",
                token_encrypted=None,
                is_signed_in=True,
                signed_in_at=START,
            )
        )
    for name in ("car", "van", "web"):
        db.process_id = name
        Processes(db, clock).register(name, f"/{name}", is_alone=False)
    return Orders(db, clock)


def state(orders: Orders, order_id: int) -> OrderState | None:
    found = orders.get(order_id)
    return found.state if found else None


def test_an_order_is_carried_out_by_the_one_that_takes_it(db: Database, orders: Orders) -> None:
    given = orders.add(EJECT)
    assert given.is_open
    assert (given.machine, given.what, given.made_at) == ("car", "eject Car stick", START)
    assert orders.add(EJECT) == given, "a second press gives no second order"
    assert orders.count_open() == {STICK: 1}

    db.process_id = "car"
    assert orders.take([]) is None
    assert orders.take([CARD]) is None, "it is for another device"
    taken = orders.take([CARD, STICK])
    assert taken is not None
    assert (taken.id, taken.process_id, taken.tries) == (given.id, "car", 1)
    assert not orders.drop(ANN, given.id), "it has begun"
    db.process_id = "van"
    assert orders.take([STICK]) is None
    assert not orders.end(given.id, OrderState.DONE, "by the wrong one")

    db.process_id = "car"
    assert orders.end(given.id, OrderState.DONE, "It may be unplugged", "{}")
    assert not orders.end(given.id, OrderState.REFUSED, "once more")
    [told] = orders.of(ANN)
    assert (told.state, told.answer, told.result) == (OrderState.DONE, "It may be unplugged", "{}")
    assert orders.of(BEN) == []
    assert orders.take([STICK]) is None
    assert orders.count_open() == {}
    assert orders.add(EJECT).id != given.id, "a new press is a new order"


def test_the_oldest_is_taken_first_and_one_that_could_not_be_ended_is_begun_again(
    db: Database, orders: Orders
) -> None:
    first = orders.add(replace(EJECT, kind="look"))
    second = orders.add(EJECT)
    db.process_id = "car"

    taken = [orders.take([STICK]) for _ in range(MOST_TRIES + 1)]

    assert {one.id if one else None for one in taken} == {first.id}, "else nobody could end it"
    assert orders.end(first.id, OrderState.DONE, "")
    after = orders.take([STICK])
    assert after is not None
    assert after.id == second.id


def test_an_order_whose_machine_died_is_taken_again_but_not_for_ever(
    db: Database, clock: FakeClock, orders: Orders
) -> None:
    given = orders.add(EJECT)
    for number in range(MOST_TRIES):
        db.process_id = f"car-{number}"
        Processes(db, clock).register("car", "/car", is_alone=False)
        taken = orders.take([STICK])
        assert taken is not None
        assert taken.tries == number + 1
        assert orders.end_stale("worn out", "expired") == 0, "it is being carried out"
        assert Processes(db, clock).end(db.process_id)
        assert not orders.end(given.id, OrderState.DONE, "too late")
    db.process_id = "van"
    assert orders.take([STICK]) is None

    assert orders.end_stale("worn out", "expired") == 1

    [told] = orders.of(ANN)
    assert (told.state, told.answer) == (OrderState.FAILED, "worn out")


def test_without_a_lease_nothing_is_taken(db: Database, orders: Orders) -> None:
    orders.add(EJECT)
    db.process_id = "never registered"

    assert orders.take([STICK]) is None


def test_what_nobody_does_for_a_day_is_over_and_what_was_seen_goes(
    db: Database, clock: FakeClock, orders: Orders
) -> None:
    late, done = orders.add(EJECT), orders.add(replace(EJECT, kind="look"))
    db.process_id = "car"
    while (taken := orders.take([STICK])) is not None and taken.id != done.id:
        orders.end(taken.id, OrderState.REFUSED, "not now")
    late = orders.add(EJECT)
    assert orders.end(done.id, OrderState.DONE, "")

    clock.advance(DONE_SHOWN.total_seconds() + 1)
    assert orders.end_stale("worn out", "expired") == 1
    assert state(orders, done.id) is None
    assert state(orders, late.id) is OrderState.OPEN

    clock.advance((LASTS - DONE_SHOWN).total_seconds() + 1)
    # The refused one, of a day ago, goes.
    assert orders.end_stale("worn out", "expired") == 2
    [told] = orders.of(ANN)
    assert (told.id, told.state, told.answer) == (late.id, OrderState.EXPIRED, "expired")

    clock.advance(TROUBLE_SHOWN.total_seconds() + 1)
    assert orders.end_stale("worn out", "expired") == 1
    assert orders.of(ANN) == []


def test_one_s_own_order_is_withdrawn_before_it_begins(orders: Orders) -> None:
    given = orders.add(EJECT)
    before = orders.mark()

    assert not orders.drop(BEN, given.id)
    assert orders.mark() == before
    assert orders.drop(ANN, given.id)
    assert not orders.drop(ANN, given.id)

    assert orders.mark() != before
    assert orders.of(ANN) == []


def test_a_machine_is_known_after_its_processes_have_ended(
    db: Database, clock: FakeClock, orders: Orders
) -> None:
    assert orders.count_open() == {}
    processes = Processes(db, clock)
    clock.advance(5)
    db.process_id = "car"
    assert processes.renew()
    assert processes.end("car")
    clock.advance(5)
    assert not processes.renew(), "it has no lease to renew"

    heard = {one.name: one.heard_at for one in processes.machines()}

    assert heard == {"car": START + timedelta(seconds=5), "van": START, "web": START}
    assert {one.since for one in processes.machines()} == {START}
    processes.register("car", "/car", is_alone=False, version="2", roles="work")
    told = {one.name: one for one in processes.machines()}["car"]
    assert (told.since, told.heard_at) == (START, START + timedelta(seconds=10))
    assert [(one.version, one.roles) for one in processes.all() if one.host == "car"] == [
        ("2", "work")
    ]
