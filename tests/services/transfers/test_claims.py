from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest

from sidecar.domain.downloads.download import Download, Status
from sidecar.events import DownloadChanged
from sidecar.services.transfers.claims import Claims
from sidecar.store.devices.devices import Device
from sidecar.store.downloads.queue import Downloads
from tests.services.conftest import STICK, World
from tests.store.examples import CARD, queued, wanted


class House:
    """Claims of three downloads at once, and what was given back of them."""

    def __init__(self, downloads: Downloads) -> None:
        self.rows = [
            queued(downloads, wanted(number, device=device))
            for number, device in enumerate((STICK, STICK, CARD), start=1)
        ]
        self.returned: list[Download] = []
        self.asked: list[Collection[int]] = []
        self.claims = Claims(self.returned.extend)

    def claim(self, busy: Collection[int]) -> Sequence[Download]:
        self.asked.append(busy)
        return [one for one in self.rows if one.id not in busy]

    def take(self) -> int | None:
        taken = self.claims.take_next(self.claim)
        return None if taken is None else taken[0].id


@pytest.fixture
def house(world: World) -> House:
    world.devices.save(Device(CARD, "Player", "/media/player", world.clock.now()))
    return House(world.downloads)


def test_what_was_claimed_together_is_taken_in_its_order_without_another_claim(
    house: House,
) -> None:
    assert [house.take() for _ in house.rows] == [one.id for one in house.rows]
    assert len(house.asked) == 1
    assert house.take() is None
    assert sorted(house.asked[-1]) == [one.id for one in house.rows]


def test_all_of_them_are_busy_at_once(house: House) -> None:
    house.take()

    assert sorted(house.claims.busy()) == [one.id for one in house.rows]
    assert house.claims.busy_on(CARD)


def test_one_that_is_stopped_ahead_is_given_back_at_once_and_not_taken(house: House) -> None:
    first, second, third = house.rows
    house.take()

    house.claims.stop(second.id)

    assert house.returned == [second]
    assert second.id not in house.claims.busy()
    assert house.take() == third.id
    assert house.take() == second.id  # claimed anew
    assert first.id in house.claims.busy()


def test_one_that_is_cancelled_ahead_is_let_go_at_once(house: House) -> None:
    _, second, _ = house.rows
    house.take()
    running = replace(second, status=Status.DOWNLOADING)
    done: list[int] = []
    house.claims.afterwards(second.id, lambda: done.append(second.id))

    house.claims.hear(DownloadChanged(running, Status.DOWNLOADING, None))

    assert done == [second.id]
    assert second.id not in house.claims.busy()


def test_an_ejected_device_waits_for_nothing_that_was_claimed_ahead(house: House) -> None:
    _, second, third = house.rows
    first = house.claims.take_next(house.claim)
    assert first is not None

    house.claims.stop_on(STICK)

    assert first[1].is_set()
    assert house.returned == [second]
    assert house.take() == third.id


def test_at_the_end_all_are_given_back_and_the_running_ones_stop(house: House) -> None:
    _, second, third = house.rows
    first = house.claims.take_next(house.claim)
    assert first is not None

    house.claims.stop_all()

    assert first[1].is_set()
    assert house.returned == [second, third]
    assert house.claims.busy() == [first[0].id]


def test_giving_back_leaves_what_is_running(house: House) -> None:
    _, second, third = house.rows
    first = house.claims.take_next(house.claim)
    assert first is not None

    house.claims.give_back()

    assert not first[1].is_set()
    assert house.returned == [second, third]


def test_what_cannot_be_given_back_is_let_go_all_the_same(house: House) -> None:

    def refuse(_left: Sequence[Download]) -> None:
        raise OSError("the database is away")

    house.claims = Claims(refuse)
    taken = house.take()

    house.claims.give_back()

    assert house.claims.busy() == [taken]


def test_what_nobody_is_busy_with_is_queued_again_and_nothing_else(house: House) -> None:
    running, lost, ahead = house.rows
    house.take()
    house.claims.end(lost.id)

    house.claims.give_back_lost(lambda: house.rows)

    assert house.returned == [lost]
    assert sorted(house.claims.busy()) == [running.id, ahead.id]


def test_once_it_is_over_nothing_is_claimed_that_nobody_would_give_back(house: House) -> None:
    house.claims.stop_all()

    assert house.take() is None
    assert house.asked == []
