from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sidecar.process.shares import Shares


def test_a_share_is_taken_once_and_given_back_once() -> None:
    shares = Shares(3, 2)
    leave = shares.take("ann")
    assert leave is not None
    assert shares.take("ann") is not None
    assert shares.take("ann") is None
    assert (shares.is_full("ann"), shares.is_full("ben")) == (True, False)
    assert shares.take("ben") is not None
    assert shares.take("kid") is None

    leave()
    leave()

    assert len(shares) == 2
    assert shares.take("kid") is not None
    assert shares.take("eve") is None


def test_many_at_once_never_take_more_than_there_are() -> None:
    shares = Shares(5, 5)

    with ThreadPoolExecutor(8) as pool:
        taken = pool.map(lambda _: shares.take("ann"), range(100))

    assert sum(leave is not None for leave in taken) == 5
