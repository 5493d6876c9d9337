from __future__ import annotations

from threading import Event

import pytest

from sidecar.clock import Waitable
from sidecar.transfer.bandwidth import Bandwidth
from tests.fakes.clock import FakeClock

STICK, PHONE = "stick", "phone"


class Dial:
    """Limits that a test turns."""

    def __init__(self) -> None:
        self.all: float | None = None
        self.of: dict[str, float] = {}

    def __call__(self, device_id: str) -> tuple[float | None, float | None]:
        return self.all, self.of.get(device_id)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def dial() -> Dial:
    return Dial()


@pytest.fixture
def bandwidth(clock: FakeClock, dial: Dial) -> Bandwidth:
    return Bandwidth(clock, dial)


def seconds_for(bandwidth: Bandwidth, device_id: str, blocks: int) -> float:
    return sum(bandwidth.take(device_id, 10_000, Event()) for _ in range(blocks))


def test_without_limits_nothing_waits(bandwidth: Bandwidth) -> None:
    assert seconds_for(bandwidth, STICK, 100) == 0
    assert bandwidth.block(STICK, 65536) == 65536


def test_all_devices_share_the_one_limit(bandwidth: Bandwidth, dial: Dial) -> None:
    dial.all = 100_000

    waited = seconds_for(bandwidth, STICK, 50) + seconds_for(bandwidth, PHONE, 50)

    assert waited == pytest.approx(10, rel=0.03)


def test_the_narrower_of_two_limits_counts(bandwidth: Bandwidth, dial: Dial) -> None:
    dial.all, dial.of[STICK] = 1_000_000, 100_000

    assert seconds_for(bandwidth, STICK, 100) == pytest.approx(10, rel=0.03)
    assert seconds_for(bandwidth, PHONE, 100) == pytest.approx(1, rel=0.3)
    assert bandwidth.block(STICK, 65536) < bandwidth.block(PHONE, 65536) < 65536


def test_a_limit_that_is_lifted_frees_who_waits_for_it(
    bandwidth: Bandwidth, dial: Dial, clock: FakeClock
) -> None:
    class Impatient(FakeClock):
        """Lifts the limit while somebody waits."""

        def wait(self, stop: Waitable, seconds: float) -> bool:
            dial.all = None
            return super().wait(stop, seconds)

    dial.all = 1.0
    impatient = Bandwidth(Impatient(), dial)

    assert impatient.take(STICK, 1_000_000, Event()) < 1


def test_who_is_told_to_stop_waits_no_longer(bandwidth: Bandwidth, dial: Dial) -> None:
    dial.all = 1.0
    stop = Event()
    stop.set()

    assert bandwidth.take(STICK, 1_000_000, stop) == 0
