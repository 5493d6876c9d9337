"""Whether the sizes that everybody is told of a shared device name the files of others."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.downloads.download import Status
from sidecar.domain.rules.queue_ahead import NAME as AHEAD
from sidecar.sizes import rough_size
from tests.fakes.page import OpenPage
from tests.services.conftest import STICK
from tests.web.house import ANN, BEN, EVE, WebHouse

ODD = 3_821_147
LARGE = 1_234_567_891


@pytest.fixture
def shared(house: WebHouse) -> WebHouse:
    """Ann's files on the stick of all: one there that may go, one that comes, one too large."""
    house.add(1, ANN, status=Status.COMPLETED, size=ODD, rule=AHEAD)
    house.add(2, ANN, size=ODD + 1)
    house.add(3, ANN, size=LARGE)
    house.services.web.settings.change(EVE, STICK, {"budget": ODD + 2, "reserve": 0}, {})
    return house


def numbers(told: object) -> set[int]:
    match told:
        case dict():
            return {one for value in told.values() for one in numbers(value)}
        case list():
            return {one for value in told for one in numbers(value)}
        case int():
            return {told}
        case _:
            return set()


def test_a_stranger_is_told_no_exact_size_of_the_files_of_others(shared: WebHouse) -> None:
    ben = shared.come_in(BEN)
    for path in ("/devices", f"/devices/{STICK}/plan"):
        told = ben.told(f"/api/v1{path}")

        assert not numbers(told) & {ODD, ODD + 1, LARGE}, path
        assert "1.2 GB" not in json.dumps(told), path
    pages = ben.get("/devices").text + ben.get(f"/devices/{STICK}").text
    for exact in ("3.8 MB", "3821147", "1234.6 MB", "1.2 GB)"):
        assert exact not in pages


def test_who_may_know_is_told_exactly(shared: WebHouse) -> None:
    [device] = shared.come_in(EVE).told("/api/v1/devices")["items"]

    assert device["used"] == ODD


def test_the_live_connection_rounds_as_well(shared: WebHouse, url: str) -> None:
    secret = shared.store.sessions.begin(BEN.user_id, address_prefix="")
    with OpenPage(url, cookie=secret) as page:
        _, snapshot = page.next("snapshot")

    assert not numbers(snapshot) & {ODD, ODD + 1}
    told = json.loads(json.dumps(snapshot["devices"]))[0]
    assert told["used"] == 4_000_000
    assert told["free"] % 1_000_000 == 0


def test_what_may_go_next_is_told_roughly(shared: WebHouse) -> None:
    [going] = shared.services.web.eviction_preview.all(BEN, 10)

    assert [(one.title, one.bytes) for one in going.first] == [(None, 4_000_000)]
    assert going.bytes == 4_000_000


@given(st.integers(0, 2**50), st.integers(1, 4))
def test_a_rough_size_is_near_and_never_finer_than_a_megabyte(octets: int, digits: int) -> None:
    rough = rough_size(octets, digits)

    assert rough % 1_000_000 == 0
    assert (rough == 0) == (octets == 0)
    assert abs(rough - octets) <= max(1_000_000, octets * 10 ** (1 - digits) / 2)
