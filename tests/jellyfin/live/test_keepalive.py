from __future__ import annotations

from sidecar.jellyfin.live.keepalive import KeepAlive


def test_the_first_one_is_due_at_once_and_then_every_25_seconds() -> None:
    pulse = KeepAlive(100.0)

    assert pulse.is_due(100.0)
    pulse.record_sent(100.0)
    assert not pulse.is_due(124.9)
    assert pulse.is_due(125.0)


def test_a_server_that_echoes_is_alive() -> None:
    pulse = KeepAlive(0.0)
    for second in range(0, 1000, 25):
        assert not pulse.is_dead(float(second))
        pulse.record_sent(float(second))
        pulse.record_echo()

    assert not pulse.is_dead(1000.0)


def test_a_server_that_stops_echoing_is_dead_within_90_seconds() -> None:
    pulse = KeepAlive(0.0)
    pulse.record_sent(0.0)
    pulse.record_echo()
    dead_at = next(second for second in range(1, 200) if _beats_unanswered(pulse, float(second)))

    assert 60 < dead_at <= 90


def _beats_unanswered(pulse: KeepAlive, now: float) -> bool:
    if pulse.is_due(now):
        pulse.record_sent(now)
    return pulse.is_dead(now)


def test_one_that_was_late_is_dead_because_jellyfin_goes_deaf() -> None:
    pulse = KeepAlive(0.0)
    pulse.record_sent(0.0)
    pulse.record_echo()

    assert not pulse.is_dead(50.0)
    assert pulse.is_dead(50.1)
