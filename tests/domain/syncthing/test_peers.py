"""What must wait for other devices, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sidecar.domain.syncthing.peers import Missing, Peer, wait_for

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NEW = "Kettle/Steam/01.flac"


def phone(
    *, seen: timedelta | None = None, paused: bool = False, needs: tuple[str, ...] = (NEW,)
) -> Peer:
    """Ann's phone: connected, or seen so long ago."""
    return Peer(
        id="phone",
        name="Ann's phone",
        is_connected=seen is None,
        is_paused=paused,
        last_seen=NOW - (seen or timedelta()),
        needs=frozenset(needs),
    )


NEVER_SEEN = Peer(id="phone", name="Ann's phone", needs=frozenset({NEW}))


@pytest.mark.parametrize(
    ("peer", "age", "newest_there", "waits"),
    [
        pytest.param(phone(), 2 * HOUR, None, True, id="it still needs a newer file"),
        pytest.param(phone(needs=()), 2 * HOUR, None, False, id="nobody carries that file"),
        pytest.param(phone(needs=()), 59 * MINUTE, None, True, id="Syncthing may not know it yet"),
        pytest.param(phone(needs=()), 60 * MINUTE, None, False, id="it had time to notice"),
        pytest.param(phone(seen=6 * DAY), 2 * HOUR, None, True, id="seen this week"),
        pytest.param(phone(seen=7 * DAY), 2 * HOUR, None, False, id="not seen for a week"),
        pytest.param(NEVER_SEEN, 2 * HOUR, None, False, id="never seen"),
        pytest.param(phone(paused=True), 2 * HOUR, None, False, id="paused"),
        pytest.param(phone(), 7 * DAY - MINUTE, None, True, id="almost a week on its way"),
        pytest.param(phone(), 7 * DAY, None, False, id="a week on its way"),
        pytest.param(phone(), 3 * HOUR, 150 * MINUTE, True, id="others came half an hour later"),
        pytest.param(phone(), 3 * HOUR, 2 * HOUR, False, id="it was passed over"),
        pytest.param(phone(), 3 * HOUR, 9 * HOUR, True, id="it has only older ones"),
    ],
)
def test_who_waits(
    peer: Peer, age: timedelta, newest_there: timedelta | None, *, waits: bool
) -> None:
    newest = {} if newest_there is None else {"phone": NOW - newest_there}

    found = wait_for([peer], [Missing("phone", NEW, NOW - age)], newest, NOW)

    assert (found is not None) is waits
    if found is not None:
        assert found.before == NOW - age


def test_the_newest_file_that_is_awaited_holds_all_older_ones() -> None:
    files = [Missing("phone", f"{n}.flac", NOW - n * MINUTE) for n in (50, 10, 30)]

    found = wait_for([phone(needs=())], files, {}, NOW)

    assert found is not None
    assert found.before == NOW - 10 * MINUTE
    assert found.until == NOW - 10 * MINUTE + 7 * DAY
    assert found.text == "what can be removed waits until Ann's phone has 3 newer files"


def test_a_file_that_two_devices_lack_is_one_file() -> None:
    car = Peer(id="car", name="Car", is_connected=True)
    files = [Missing(one, NEW, NOW - MINUTE) for one in ("phone", "car")]

    found = wait_for([phone(), car], files, {}, NOW)

    assert found is not None
    assert found.text == "what can be removed waits until Ann's phone and Car have 1 newer file"


def test_what_a_device_lacks_that_shares_the_folder_no_more_is_nothing() -> None:
    assert wait_for([], [Missing("phone", NEW, NOW)], {}, NOW) is None
