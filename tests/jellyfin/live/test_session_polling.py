from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Event

import pytest

from sidecar.domain.playback.sessions import NowPlaying
from sidecar.errors import JellyfinError, ServerAway, SignedOut, WrongServer
from sidecar.jellyfin.live.connection_trust import IDLE_S, Trust
from sidecar.jellyfin.live.events import (
    Connected,
    Disconnected,
    News,
    SessionsNews,
    SessionsUnavailable,
    TokenRefused,
)
from sidecar.jellyfin.live.session_polling import SessionPolling
from sidecar.process.threads import LOOK_ANYWAY_S
from tests.fakes.clock import FakeClock
from tests.jellyfin.live.test_connection_trust import PHONE

LOST = Disconnected("closed")
LATER = replace(PHONE, checked_in=(PHONE.checked_in or FakeClock().now()) + timedelta(seconds=10))


@dataclass
class Bench:
    """A second look at a server that answers at once with `playing`, or not at all."""

    clock: FakeClock = field(default_factory=FakeClock)
    playing: tuple[NowPlaying, ...] = ()
    trouble: JellyfinError | None = None
    asked_at: list[float] = field(default_factory=list)
    news: list[News] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    missed: list[None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.look = SessionPolling(
            self.ask, self.news.append, self.clock, lambda: self.missed.append(None)
        )

    def ask(self) -> tuple[NowPlaying, ...]:
        self.asked_at.append(self.clock.monotonic())
        seen = self.playing
        self.meanwhile()
        if self.trouble is not None:
            raise self.trouble
        return seen

    def run_for(self, seconds: float) -> None:
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            rest_s = max(0.1, self.look.step())
            self.clock.advance(min(rest_s, end - self.clock.monotonic()))

    def asked_in(self, seconds: float) -> int:
        before = len(self.asked_at)
        self.run_for(seconds)
        return len(self.asked_at) - before


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_without_a_connection_it_asks_every_15_seconds(bench: Bench) -> None:
    assert 4 <= bench.asked_in(61) <= 5
    assert bench.news[0] == SessionsNews(())


def test_without_a_connection_it_asks_every_5_seconds_while_something_plays(bench: Bench) -> None:
    bench.playing = (PHONE,)

    assert 12 <= bench.asked_in(61) <= 13
    assert bench.news[0] == SessionsNews((PHONE,))


def test_it_looks_at_once_when_the_connection_stands_and_when_it_is_lost(bench: Bench) -> None:
    bench.run_for(1)
    bench.look.handle_news(Connected())
    bench.run_for(1)
    bench.look.handle_news(LOST)
    bench.run_for(1)

    assert len(bench.asked_at) == 3


def test_beside_a_connection_that_tells_it_asks_once_a_minute(bench: Bench) -> None:
    bench.look.handle_news(Connected())
    bench.look.handle_news(SessionsNews((PHONE,)))
    bench.playing = (PHONE,)
    bench.run_for(2)

    assert bench.asked_in(180) == 3
    assert not bench.look.take_missed_news()


def test_a_connection_that_has_gone_deaf_is_caught_within_90_seconds(bench: Bench) -> None:
    bench.look.handle_news(Connected())
    bench.look.handle_news(SessionsNews(()))
    bench.run_for(2)
    bench.playing = (PHONE,)
    began = bench.clock.monotonic()

    while not bench.look.take_missed_news():
        bench.run_for(1)

    assert bench.clock.monotonic() - began < 90
    assert len(bench.missed) == 1
    # What plays is known before the connection is given up.
    assert bench.news[-1] == SessionsNews((PHONE,))
    assert not bench.look.take_missed_news()


def test_a_connection_that_tells_it_a_moment_later_is_not_deaf(bench: Bench) -> None:
    bench.look.handle_news(Connected())
    bench.look.handle_news(SessionsNews(()))
    bench.playing = (PHONE,)
    bench.run_for(3)

    bench.look.handle_news(SessionsNews((PHONE,)))
    bench.run_for(200)

    assert not bench.look.take_missed_news()
    assert bench.look.trust is Trust.FULL


def test_a_server_that_never_tells_is_dialled_once_more_and_then_asked(bench: Bench) -> None:
    verdicts = 0
    for connection in range(3):
        bench.look.handle_news(Connected())
        bench.playing = (PHONE,)
        bench.run_for(4)
        bench.playing = (LATER,)
        bench.run_for(20)
        verdicts += bench.look.take_missed_news()
        if connection < 2:
            bench.look.handle_news(LOST)

    assert verdicts == 1
    assert bench.look.trust is Trust.NONE
    assert 11 <= bench.asked_in(60) <= 13


def test_a_frame_makes_it_trust_the_connection_again(bench: Bench) -> None:
    test_a_server_that_never_tells_is_dialled_once_more_and_then_asked(bench)

    bench.look.handle_news(SessionsNews((LATER,)))

    assert bench.look.trust is Trust.FULL


def test_a_look_that_a_frame_has_overtaken_is_thrown_away(bench: Bench) -> None:
    bench.look.handle_news(Connected())
    bench.meanwhile = lambda: bench.look.handle_news(SessionsNews((PHONE,)))

    bench.run_for(1)

    assert bench.news == [Connected(), SessionsNews((PHONE,))]


def test_while_the_server_is_away_it_asks_on_and_says_so_each_time(bench: Bench) -> None:
    bench.trouble = ServerAway("away")

    assert 4 <= bench.asked_in(61) <= 5
    assert bench.news == [SessionsUnavailable(bench.trouble)] * len(bench.asked_at)


def test_a_server_that_goes_a_moment_after_the_connection_is_missed_soon(bench: Bench) -> None:
    bench.look.handle_news(Connected())
    bench.run_for(1)
    bench.look.handle_news(LOST)
    bench.run_for(1)
    bench.trouble = WrongServer("another one")

    bench.run_for(IDLE_S + 1)

    assert SessionsUnavailable(bench.trouble) in bench.news


def test_after_a_frame_beyond_all_measure_it_asks_but_not_often(bench: Bench) -> None:
    bench.look.handle_news(Connected())
    bench.look.note_oversized_frame()
    bench.playing = (PHONE,)

    assert 4 <= bench.asked_in(61) <= 5


def test_a_refused_token_is_told_and_ends_it(bench: Bench) -> None:
    bench.trouble = SignedOut("signed out")

    bench.look.run(Event())

    assert bench.news == [TokenRefused("signed out")]


def test_it_ends_with_the_listener_that_finds_the_token_refused(bench: Bench) -> None:
    bench.look.handle_news(TokenRefused("signed out"))

    bench.look.run(Event())

    assert bench.asked_at == []


def test_what_nobody_foresaw_is_logged_and_tried_again(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    stop = Event()

    def fail_once() -> None:
        if len(bench.asked_at) == 1:
            raise ZeroDivisionError
        stop.set()

    bench.meanwhile = fail_once
    bench.look.run(stop)

    assert "nobody foresaw" in caplog.text
    assert len(bench.asked_at) == 2


def test_between_two_looks_it_rests_and_a_lost_connection_wakes_it(bench: Bench) -> None:
    bench.look.handle_news(Connected())
    bench.look.handle_news(SessionsNews(()))
    bench.look.step()
    assert bench.look.step() == LOOK_ANYWAY_S
    rings = bench.look.wakeup.rings

    bench.look.handle_news(LOST)
    assert bench.look.wakeup.rings == rings + 1
    bench.look.handle_news(TokenRefused("signed out"))
    assert bench.look.wakeup.rings == rings + 2
