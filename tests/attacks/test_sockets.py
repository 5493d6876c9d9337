"""Live connections that belong to somebody else, or to nobody any more."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sidecar.web.live.socketio import PING_EVERY_S
from tests.fakes.page import OpenPage
from tests.patience import PATIENCE_S
from tests.web.house import ANN, BEN, WebHouse

POLLING = "/socket.io/?EIO=4&transport=polling"
# How soon another process's doing is to be seen, on the clock that is told.
SEEN_WITHIN_S = 5.0
# What ends meanwhile was ended: a silent one is given up much later.
AT_ONCE_S = PING_EVERY_S - 5.0


def key_of(house: WebHouse, label: str = "a script") -> tuple[int, str]:
    made = house.services.web.api_keys.make_key(ANN, label)
    assert made is not None
    return made[0].id, made[1]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def opened(url: str, key: str) -> str:
    """Return the address of a connection that this key has opened and joined."""
    answer = requests.get(f"{url}{POLLING}", headers=bearer(key), timeout=PATIENCE_S)
    found = re.search(r'"sid":"([^"]+)"', answer.text)
    assert found is not None
    address = f"{url}{POLLING}&sid={found[1]}"
    assert requests.post(address, data="40", headers=bearer(key), timeout=PATIENCE_S).ok
    return address


def hear_snapshot(address: str, key: str) -> None:
    """Poll until the first news come; they come after the greeting, or with it."""
    while (
        '42["snapshot"'
        not in (heard := requests.get(address, headers=bearer(key), timeout=PATIENCE_S)).text
    ):
        assert heard.ok


@pytest.mark.parametrize("more", ["", "&sid=x", "&sid="])
def test_a_connection_is_taken_up_only_by_who_opened_it(
    house: WebHouse, url: str, more: str
) -> None:
    (_, own), (_, other) = key_of(house), key_of(house, "another script")
    ben = {
        "Cookie": f"sidecar_session={house.store.sessions.begin(BEN.user_id, address_prefix='')}"
    }
    address = opened(url, own)

    for stranger in (ben, bearer(other)):
        assert requests.get(address + more, headers=stranger, timeout=PATIENCE_S).status_code == 403
        refused = requests.post(address + more, data="41", headers=stranger, timeout=PATIENCE_S)
        assert refused.status_code == 403

    hear_snapshot(address, own)


def test_a_revoked_key_is_cut_off_at_once_and_no_other(house: WebHouse, url: str) -> None:
    (number, key), (_, kept) = key_of(house), key_of(house, "kept")
    with OpenPage(url, key=key) as page, OpenPage(url, key=kept) as other:
        page.next("snapshot")
        other.next("snapshot")

        house.services.web.api_keys.revoke_key(ANN, number)

        assert page.closed(within_s=AT_ONCE_S)
        assert not other.closed(within_s=0.1)


def test_a_key_that_another_process_revokes_is_cut_off_within_a_second(
    house: WebHouse, url: str
) -> None:
    number, key = key_of(house)
    with OpenPage(url, key=key) as page:
        page.next("snapshot")

        # As the command line does it: the row changes, and nobody tells of it.
        house.store.api_keys.revoke(number)
        house.clock.advance(SEEN_WITHIN_S)

        assert page.closed(within_s=AT_ONCE_S)


def test_sessions_that_are_ended_everywhere_are_cut_off_at_once(house: WebHouse, url: str) -> None:
    secret = house.store.sessions.begin(ANN.user_id, address_prefix="")
    with OpenPage(url, cookie=secret) as page:
        page.next("snapshot")

        house.services.web.users.end_sessions(ANN)

        assert page.closed(within_s=AT_ONCE_S)


def test_an_account_that_is_forgotten_is_cut_off_at_once(house: WebHouse, url: str) -> None:
    _, key = key_of(house)
    with OpenPage(url, key=key) as page:
        page.next("snapshot")

        house.services.web.users.forget(ANN, ANN.user_id)

        assert page.closed(within_s=AT_ONCE_S)


def test_a_poll_that_waits_ends_with_its_key(house: WebHouse, url: str) -> None:
    number, key = key_of(house)
    address = opened(url, key)
    hear_snapshot(address, key)
    with ThreadPoolExecutor(1) as browser:
        waiting = browser.submit(requests.get, address, headers=bearer(key), timeout=PATIENCE_S)

        house.services.web.api_keys.revoke_key(ANN, number)

        assert "snapshot" not in waiting.result(AT_ONCE_S).text
        assert requests.get(address, headers=bearer(key), timeout=PATIENCE_S).status_code == 401
