from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from queue import SimpleQueue
from threading import Event as Flag

import pytest
from pydantic import SecretStr

from sidecar.clock import SystemClock, Waitable
from sidecar.events import (
    Bus,
    DeviceChanged,
    Event,
    NewsMissed,
    NoticesChanged,
    Sender,
    WorkArrived,
)
from sidecar.jellyfin.tokens import TokenBox
from sidecar.process.threads import ThreadGroup
from sidecar.shared_events import bridge
from sidecar.shared_events.bridge import EventBridge, describe
from tests import redis_server
from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S

Listening = Callable[[], Event]


@pytest.fixture(scope="module")
def server() -> Iterator[redis_server.Server]:
    with redis_server.running() as started:
        yield started


@pytest.fixture
def box(tmp_path: Path) -> TokenBox:
    return TokenBox(tmp_path / "token.key")


class Process:
    """What is connected in one process: its bus, and all that it hears of others."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.heard: SimpleQueue[Event] = SimpleQueue()
        bus.subscribe(self.heard.put, Sender.ELSEWHERE)

    def next(self) -> Event:
        return self.heard.get(timeout=PATIENCE_S)


@contextmanager
def process(url: SecretStr, box: TokenBox) -> Iterator[Process]:
    bus, threads = Bus(), ThreadGroup(nullcontext)
    one = EventBridge(url, bus, SystemClock(), seal=box.encrypt, open_sealed=box.decrypt)
    bus.subscribe(one.hear, Sender.HERE)
    bus.connect(one.is_hearing)
    there = Process(bus)
    threads.add("events-out", one.send)
    threads.add("events-in", one.receive)
    try:
        yield there
    finally:
        assert threads.stop_all(within_s=PATIENCE_S)


@pytest.fixture
def two(server: redis_server.Server, box: TokenBox) -> Iterator[tuple[Process, Process]]:
    with process(server.url, box) as one, process(server.url, box) as other:
        # Each looks at everything when it is connected.
        assert [one.next(), other.next()] == [NewsMissed(), NewsMissed()]
        yield one, other


def test_events_reach_the_other_process_in_order_and_never_come_back(
    two: tuple[Process, Process],
) -> None:
    one, other = two
    told = [DeviceChanged(f"{number}") for number in range(1200)]
    for event in told:
        one.bus.publish(event)
    assert [other.next() for _ in told] == told
    other.bus.publish(WorkArrived())
    # Had they come back they would be here before it.
    assert one.next() == WorkArrived()


def test_what_follows_from_a_received_event_is_told_as_any_other(
    two: tuple[Process, Process],
) -> None:
    one, other = two

    def answer(event: Event) -> None:
        if event == DeviceChanged("stick"):
            other.bus.publish(NoticesChanged())

    other.bus.subscribe(answer)
    one.bus.publish(DeviceChanged("stick"))
    assert one.next() == NoticesChanged()


def test_while_redis_is_away_nobody_waits_and_afterwards_all_look_again(
    box: TokenBox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bridge, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(bridge, "LONGEST_PAUSE_S", 0.1)
    caplog.set_level(logging.INFO)
    with ExitStack() as stack:
        server = stack.enter_context(redis_server.running())
        one = stack.enter_context(process(server.url, box))
        other = stack.enter_context(process(server.url, box))
        assert [one.next(), other.next()] == [NewsMissed(), NewsMissed()]
        assert one.bus.hears_others()
        server.stop()
        wait_until(lambda: not one.bus.hears_others())
        for number in range(bridge.MOST_WAITING + 5):
            one.bus.publish(DeviceChanged(f"{number}"))
        server.start()
        assert [one.next(), other.next()] == [NewsMissed(), NewsMissed()]
        assert one.bus.hears_others()
        heard: list[Event] = []

        def is_told() -> bool:
            # What is published before it is connected again is lost, and told as that.
            one.bus.publish(WorkArrived())
            while not other.heard.empty():
                heard.append(other.heard.get())
            return WorkArrived() in heard

        wait_until(is_told)
        # Nothing is kept for later.
        assert set(heard) <= {WorkArrived(), NewsMissed()}
    said = [record.getMessage() for record in caplog.records if "Redis" in record.getMessage()]
    assert any("cannot be used" in one for one in said)
    assert any("answers again" in one for one in said)
    assert redis_server.PASSWORD not in caplog.text


def test_who_has_too_much_to_tell_says_once_that_something_is_lost(
    server: redis_server.Server, box: TokenBox
) -> None:
    bus, threads = Bus(), ThreadGroup(nullcontext)
    full = EventBridge(server.url, bus, SystemClock(), seal=box.encrypt, open_sealed=box.decrypt)
    for number in range(bridge.MOST_WAITING + 1):
        full.hear(DeviceChanged(f"{number}"))
    with process(server.url, box) as other:
        assert other.next() == NewsMissed()
        threads.add("events-out", full.send)
        assert other.next() == NewsMissed()
        full.hear(WorkArrived())
        assert other.next() == WorkArrived()
        assert threads.stop_all(within_s=PATIENCE_S)


def test_nobody_without_the_key_is_believed_or_can_read_along(
    server: redis_server.Server,
    two: tuple[Process, Process],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    one, other = two
    with server.client() as stranger, stranger.pubsub() as line:
        line.subscribe(bridge.CHANNEL)
        assert line.get_message(timeout=PATIENCE_S) is not None
        forged = TokenBox(tmp_path / "other.key").encrypt(SecretStr('{"version":1}'))
        for octets in (b"\xff{}", forged):
            stranger.publish(bridge.CHANNEL, octets)
        one.bus.publish(DeviceChanged("my-secret-stick"))
        assert other.next() == DeviceChanged("my-secret-stick")
        # Each has looked at all that came before what it hears.
        other.bus.publish(WorkArrived())
        assert one.next() == WorkArrived()
        seen = [line.get_message(timeout=PATIENCE_S) for _ in range(3)]
    assert b"my-secret-stick" not in repr(seen).encode()
    assert len([record for record in caplog.records if "token.key" in record.getMessage()]) == 2


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rediss://ann:secret@redis.home:6380/1?ssl_ca_certs=/ca", "rediss://redis.home:6380"),
        ("redis://:secret@localhost", "redis://localhost"),
        ("unix://:secret@/run/redis.sock", "unix:///run/redis.sock"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert describe(SecretStr(url)) == shown


class PassingClock(SystemClock):
    """Waits for nothing, writes down what it was to wait for, and ends after three times."""

    def __init__(self) -> None:
        self.waited: list[float] = []
        self.stop = Flag()

    def wait(self, stop: Waitable, seconds: float) -> bool:
        self.waited.append(seconds)
        if len(self.waited) == 3:
            self.stop.set()
        return stop.is_set()


def test_a_redis_that_refuses_our_password_is_rarely_asked_again_and_the_log_says_why(
    server: redis_server.Server, box: TokenBox, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = server.url.get_secret_value().replace(redis_server.PASSWORD, "of-a-removed-machine")
    clock = PassingClock()
    one = EventBridge(SecretStr(wrong), Bus(), clock, seal=box.encrypt, open_sealed=box.decrypt)

    one.receive(clock.stop)

    assert clock.waited == [bridge.REFUSED_PAUSE_S] * 3
    (said,) = [one.getMessage() for one in caplog.records]
    assert "this machine was removed from the installation" in said
    assert "of-a-removed-machine" not in said
