from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sidecar.demo.library.items import BaseItemKind, DemoItem
from sidecar.demo.protocol.authorization import Claim
from sidecar.demo.protocol.formats import now
from sidecar.demo.state.devices import ClientDevice
from sidecar.demo.state.sessions import DemoSession, DemoSessions

SECOND = 10_000_000
SONG = DemoItem(
    id="0" * 32,
    kind=BaseItemKind.AUDIO,
    name="x",
    sort_name="x",
    path="/x",
    key="x",
    created=datetime(2026, 11, 1, tzinfo=UTC),
    seconds=3.0,
)
DEVICE = ClientDevice("token", "ann", "App", "Phone", "phone", "1")


@pytest.fixture
def session() -> DemoSession:
    session, _ = DemoSessions().join(DEVICE, Claim(), None)
    session.item = SONG
    session.play_state |= {"PositionTicks": 0}
    return session


def test_the_position_moves_on_to_the_end_and_no_further(session: DemoSession) -> None:
    positions = []
    for _ in range(4):
        session.advance(1.0)
        positions.append(session.position_ticks // SECOND)

    assert positions == [1, 2, 3, 3]


def test_a_paused_player_does_not_move(session: DemoSession) -> None:
    session.play_state["IsPaused"] = True

    assert not session.advance(1.0)
    assert session.position_ticks == 0


def test_a_player_without_an_item_does_not_move(session: DemoSession) -> None:
    session.clear_playback()

    assert not session.advance(1.0)


def test_only_a_player_that_plays_becomes_a_ghost(session: DemoSession) -> None:
    session.last_check_in = now() - timedelta(seconds=301)

    assert session.is_abandoned(300.0)
    assert not session.is_abandoned(302.0)
    session.play_state["IsPaused"] = True
    assert not session.is_abandoned(300.0)


def test_what_the_header_leaves_out_the_sign_in_says() -> None:
    sessions = DemoSessions()

    plain, _ = sessions.join(DEVICE, Claim(), None)
    same, is_fresh = sessions.join(DEVICE, Claim(client="App", device_id="phone"), None)
    other, _ = sessions.join(DEVICE, Claim(device="Car stick", device_id="car"), None)

    assert same is plain
    assert not is_fresh
    assert (other.client, other.device, other.device_id) == ("App", "Car stick", "car")


def test_people_see_theirs_latest_first() -> None:
    sessions = DemoSessions()
    first, _ = sessions.join(DEVICE, Claim(device_id="one"), None)
    second, _ = sessions.join(DEVICE, Claim(device_id="two"), None)
    first.last_activity = second.last_activity + timedelta(seconds=1)

    assert sessions.visible_to("ann", is_administrator=False) == [first, second]
    assert sessions.visible_to("ben", is_administrator=False) == []
    assert len(sessions.visible_to("ben", is_administrator=True)) == 2
