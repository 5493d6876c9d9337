from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Event

import pytest
from pydantic import SecretStr

from sidecar.errors import ServerAway, UnexpectedAnswer
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.live.events import (
    Connected,
    Disconnected,
    News,
    ServerStopping,
    TokenRefused,
    UserDataChanged,
)
from sidecar.jellyfin.live.listener import LONGEST_REST_S, Listener, reconnect_delay
from sidecar.jellyfin.live.websocket import ConnectionLost, ConnectionRefused, LiveConnection
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import UNAUTHORISED, Answering, answering, html_reply
from tests.fakes.servers.live import FakeLine, frame
from tests.jellyfin.recorded import reply

USER = "eca72f36678648dfacdbb6f40ea1199a"
ID = "1bf5462706b4367473f9fd0725bdd586"
HEART = frame(
    "UserDataChanged", {"UserId": USER, "UserDataList": [{"ItemId": ID, "IsFavorite": True}]}
)


@dataclass
class Bench:
    """A listener with lines laid out for it; the last one is used again and again."""

    clock: FakeClock
    server: Answering
    lines: list[FakeLine | Exception] = field(default_factory=list)
    news: list[News] = field(default_factory=list)
    dialled_at: list[float] = field(default_factory=list)

    def line(self, *, echoes: bool = True) -> FakeLine:
        line = FakeLine(self.clock, echoes=echoes)
        self.lines.append(line)
        return line

    def dial(self) -> LiveConnection:
        self.dialled_at.append(self.clock.monotonic())
        following = self.lines.pop(0) if len(self.lines) > 1 else self.lines[0]
        if isinstance(following, Exception):
            raise following
        return following

    def listener(self, deliver: Callable[[News], None] | None = None) -> Listener:
        client = Jellyfin(
            self.server.url,
            identity=DeviceIdentity(device_id="sc-1", version="1"),
            token=SecretStr("0123456789abcdef0123456789abcdef"),
        )
        return Listener(
            client,
            deliver or self.news.append,
            clock=self.clock,
            chance=lambda: 0.5,
            open_line=self.dial,
        )

    def run_for(self, seconds: float, listener: Listener) -> None:
        """Step as `run` does, until the clock has moved on by `seconds`."""
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end and not listener.has_ended:
            self.clock.advance(listener.step())

    def kinds(self) -> list[type[News]]:
        return [type(one) for one in self.news]


@pytest.fixture
def bench() -> Iterator[Bench]:
    routes = {
        "GET /Users/Me": reply("12.0", "me"),
        "GET /System/Info/Public": reply("12.0", "public-info"),
    }
    with answering(routes) as server:
        yield Bench(FakeClock(), server)


def test_it_subscribes_once_and_then_says_that_it_is_connected(bench: Bench) -> None:
    line = bench.line()

    bench.run_for(100, bench.listener())

    assert [kind for _, kind in line.sent][:1] == ["SessionsStart"]
    assert len(line.times("SessionsStart")) == 1
    assert bench.news == [Connected()]


def test_it_sends_a_keep_alive_at_least_every_25_seconds(bench: Bench) -> None:
    line = bench.line()

    bench.run_for(300, bench.listener())

    times = line.times("KeepAlive")
    gaps = [later - sooner for sooner, later in pairwise(times)]
    assert len(times) >= 12
    assert max(gaps) < 26
    assert bench.news == [Connected()]


def test_it_answers_a_server_that_asks_for_one_at_once(bench: Bench) -> None:
    line = bench.line()
    line.inbox.append(frame("ForceKeepAlive", 60))

    bench.run_for(1, bench.listener())

    began = bench.dialled_at[0]
    assert line.times("KeepAlive") == [began, began]


def test_a_heart_is_handed_on(bench: Bench) -> None:
    line = bench.line()
    line.inbox.append(HEART)

    bench.run_for(1, bench.listener())

    assert isinstance(bench.news[1], UserDataChanged)
    assert bench.news[1].entries[0].item_id == ID


def test_a_silent_line_is_noticed_within_90_seconds_and_made_anew(bench: Bench) -> None:
    deaf = bench.line(echoes=False)
    bench.line()
    listener = bench.listener()
    began = bench.clock.monotonic()

    bench.run_for(100, listener)

    assert bench.kinds() == [Connected, Disconnected, Connected]
    assert deaf.is_closed
    assert bench.dialled_at[1] - began <= 92


def test_a_line_that_ends_is_made_anew_and_told_once(bench: Bench) -> None:
    first = bench.line()
    bench.lines += [ServerAway("away"), ServerAway("away"), ServerAway("away")]
    bench.line()
    listener = bench.listener()
    bench.run_for(120, listener)

    first.inbox.append(frame("ServerShuttingDown"))
    bench.run_for(1, listener)
    first.lost = ConnectionLost("closed")
    bench.run_for(60, listener)

    assert bench.kinds() == [Connected, ServerStopping, Disconnected, Connected]
    assert first.is_closed


def test_it_comes_back_ever_more_slowly_to_a_server_that_stays_away(bench: Bench) -> None:
    bench.lines = [ServerAway("away")]

    bench.run_for(600, bench.listener())

    gaps = [b - a for a, b in pairwise(bench.dialled_at)]
    assert gaps[:4] == [1.5, 3.0, 6.0, 12.0]
    assert max(gaps) <= LONGEST_REST_S
    assert bench.kinds() == [Disconnected]


def test_a_line_that_breaks_at_once_each_time_is_not_dialled_ever_faster(bench: Bench) -> None:
    lines = [bench.line() for _ in range(6)]
    for one in lines:
        one.lost = ConnectionLost("closed")

    bench.run_for(90, bench.listener())

    gaps = [b - a for a, b in pairwise(bench.dialled_at)]
    assert gaps[:4] == [1.5, 3.0, 6.0, 12.0]


def test_after_a_settled_connection_the_first_attempt_is_quick_again(bench: Bench) -> None:
    bench.lines = [ServerAway("away"), ServerAway("away"), ServerAway("away")]
    settled = bench.line()
    bench.line()
    listener = bench.listener()
    bench.run_for(200, listener)

    settled.lost = ConnectionLost("closed")
    lost_at = bench.clock.monotonic()
    bench.run_for(10, listener)

    assert 0 < bench.dialled_at[-1] - lost_at < 3


@pytest.mark.parametrize("roll", [0.0, 0.5, 0.999])
@pytest.mark.parametrize("failures", [1, 2, 5, 50, 10_000])
def test_every_rest_is_between_one_second_and_a_minute(failures: int, roll: float) -> None:
    assert 1.0 <= reconnect_delay(failures, roll=roll) <= 60.0


def test_the_servers_wish_is_a_floor_within_reason() -> None:
    assert reconnect_delay(1, roll=0.0, retry_after_s=5.0) == 5.0
    assert reconnect_delay(1, roll=0.0, retry_after_s=9999.0) == 60.0


def test_a_refused_token_ends_it_when_users_me_confirms(bench: Bench) -> None:
    bench.lines = [ConnectionRefused("403")]
    bench.server.routes["GET /Users/Me"] = UNAUTHORISED
    listener = bench.listener()

    listener.run(Event())

    assert bench.kinds() == [TokenRefused]
    assert listener.has_ended
    assert len(bench.dialled_at) == 1


def test_a_refusal_that_users_me_contradicts_is_only_a_lost_line(bench: Bench) -> None:
    bench.lines = [ConnectionRefused("the proxy says 403")]
    bench.line()

    bench.run_for(10, bench.listener())

    assert bench.news == [Disconnected("the proxy says 403"), Connected()]


def test_a_refusal_while_the_server_starts_is_no_sign_out(bench: Bench) -> None:
    bench.lines = [ConnectionRefused("403")]
    bench.line()
    bench.server.routes["GET /Users/Me"] = UNAUTHORISED
    bench.server.routes["GET /System/Info/Public"] = html_reply(503)

    bench.run_for(10, bench.listener())

    assert bench.kinds() == [Disconnected, Connected]


def test_a_proxy_without_live_connections_is_told_and_tried_again(bench: Bench) -> None:
    bench.lines = [UnexpectedAnswer("no live connection (status 404)")]

    bench.run_for(10, bench.listener())

    assert bench.news == [Disconnected("no live connection (status 404)")]
    assert len(bench.dialled_at) > 2


def test_a_frame_beyond_all_measure_costs_the_sessions_and_not_the_hearts(bench: Bench) -> None:
    first = bench.line()
    second = bench.line()
    second.inbox.append(HEART)
    listener = bench.listener()
    bench.run_for(1, listener)

    first.lost = ConnectionLost("closed", frame_too_big=True)
    bench.run_for(10, listener)

    assert second.times("SessionsStart") == []
    assert bench.kinds() == [Connected, Disconnected, Connected, UserDataChanged]


def test_one_who_cannot_take_the_news_does_not_end_it(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    line = bench.line()
    line.inbox.append(HEART)
    taken: list[News] = []

    def deliver(news: News) -> None:
        taken.append(news)
        raise RuntimeError("full")

    bench.run_for(30, bench.listener(deliver))

    assert len(taken) == 2
    assert "delivering UserDataChanged failed" in caplog.text


def test_what_nobody_foresaw_is_logged_and_tried_again(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    stop = Event()

    def deliver(news: News) -> None:
        bench.news.append(news)
        if isinstance(news, Connected):
            stop.set()

    bench.lines = [ZeroDivisionError("?")]
    bench.line()
    bench.listener(deliver).run(stop)

    assert bench.kinds() == [Disconnected, Connected]
    assert "nobody foresaw" in caplog.text


def test_it_closes_its_line_when_it_is_stopped(bench: Bench) -> None:
    line = bench.line()
    stop = Event()

    bench.listener(lambda _: stop.set()).run(stop)

    assert line.is_closed


def test_who_asks_it_to_end_wakes_it_from_the_wait_for_a_frame(bench: Bench) -> None:
    line, listener = bench.line(), bench.listener()
    listener.end()
    bench.run_for(1, listener)

    listener.end()

    assert line.times_woken == 1
