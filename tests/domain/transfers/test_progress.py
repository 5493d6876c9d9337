from __future__ import annotations

import pytest

from sidecar.domain.transfers.progress import Speedometer, estimate_seconds_left


def test_nothing_measured_is_no_speed() -> None:
    meter = Speedometer()
    meter.note(0.0, 0)

    assert meter.speed(1.0) == 0.0


def test_the_speed_is_the_average_of_the_last_seconds() -> None:
    meter = Speedometer()
    for second in range(20):
        meter.note(float(second), second * 1000 if second < 10 else 10_000 + (second - 10) * 5000)

    assert meter.speed(19.0) == pytest.approx(5000)


def test_a_stalled_transfer_slows_down_to_nothing() -> None:
    meter = Speedometer()
    meter.note(0.0, 0)
    meter.note(1.0, 1000)

    assert meter.speed(100.0) == pytest.approx(10)


def test_a_restart_from_zero_is_no_negative_speed() -> None:
    meter = Speedometer()
    meter.note(0.0, 5000)
    meter.note(1.0, 9000)
    meter.note(2.0, 0)
    meter.note(3.0, 700)

    assert meter.speed(3.0) == pytest.approx(700)


@pytest.mark.parametrize(
    ("held", "size", "speed", "expected"),
    [(50, 100, 10.0, 5.0), (0, None, 10.0, None), (0, 100, 0.0, None), (120, 100, 1.0, 0.0)],
)
def test_the_time_left(held: int, size: int | None, speed: float, expected: float | None) -> None:
    assert estimate_seconds_left(held, size, speed) == expected
