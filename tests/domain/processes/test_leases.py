from __future__ import annotations

from sidecar.domain.processes.leases import LEASE_S, list_expired, must_let_go, watch


def test_a_lease_is_over_when_the_counter_has_not_grown_for_its_time_by_the_watchers_clock() -> (
    None
):
    known = watch({}, {"car": 7, "nas": 1}, 100.0)
    known = watch(known, {"car": 7, "nas": 2}, 100.0 + LEASE_S - 1)

    assert not list_expired(known, 100.0 + LEASE_S - 1)
    assert list_expired(known, 100.0 + LEASE_S) == {"car": 7}

    known = watch(known, {"car": 8, "nas": 2}, 100.0 + LEASE_S)
    assert not list_expired(known, 100.0 + LEASE_S)
    known = watch(known, {"nas": 2}, 200.0)
    assert list_expired(known, 200.0) == {"nas": 2}


def test_a_process_that_is_not_known_yet_is_given_the_whole_time() -> None:
    known = watch({}, {"car": 0}, 5_000.0)

    assert not list_expired(known, 5_000.0 + LEASE_S - 1)


def test_who_has_not_renewed_its_own_lease_lets_go_no_later_than_others_take_its_work() -> None:
    assert not must_let_go(100.0, 100.0 + LEASE_S - 1)
    assert must_let_go(100.0, 100.0 + LEASE_S)
