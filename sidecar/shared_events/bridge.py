"""Hands the events of this process to the others over Redis, and theirs to this one's bus.

    Bus ──▶ hear ──▶ queue ──▶ send ──▶ Redis channel ──▶ receive ──▶ Bus of each other process

Events are news, never orders: while Redis is away each process goes on with what it reads in the
database at its usual periods, and nothing is kept for later. Whoever is connected (again) is told
`NewsMissed` once in place of all that was lost. Messages are sealed with the installation's key:
whoever else reaches the Redis can neither read them nor send one.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Event as Flag
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from sidecar.clock import Clock
from sidecar.errors import ConfigError, SidecarError
from sidecar.events import Bus, Event, NewsMissed
from sidecar.messages import msg
from sidecar.shared_events.encoding import Message, decode, encode

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ImportError:  # An optional extra; `EventBridge` says so.
    redis = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

NOT_INSTALLED = msg("needs the library redis: install jellyfin-sidecar[redis]")
CHANNEL = "jellyfin-sidecar:events"
MOST_WAITING = 10_000
MOST_AT_ONCE = 500
TIMEOUT_S = 2.0
# How soon its threads see that they are to end.
LOOK_EVERY_S = 0.2
# Redis answers a ping at once; a line that was cut answers nothing.
PING_EVERY_S, SILENT_S = 5.0, 15.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0
# Until one that refuses our user or password is asked again.
REFUSED_PAUSE_S = 300.0


@dataclass(frozen=True, slots=True)
class RedisState:
    """How a Redis is: how long it took to answer, and how many processes listen there."""

    version: str
    answered_in_s: float
    listeners: int


class EventBridge:
    """Connects the bus to those of other processes. Two threads run `send` and `receive`."""

    def __init__(
        self,
        url: SecretStr,
        bus: Bus,
        clock: Clock,
        *,
        seal: Callable[[SecretStr], bytes],
        open_sealed: Callable[[bytes], SecretStr],
    ) -> None:
        """Prepare; nothing is connected to yet.

        Args:
            url: The address of the Redis, with its password.
            bus: The bus of this process.
            clock: Measures pauses and silence.
            seal: Encrypts a message with the installation's key.
            open_sealed: Decrypts one; raises `SidecarError` if it was sealed with another key.

        Raises:
            ConfigError: The library for it is not installed.
        """
        if redis is None:
            raise ConfigError(
                "settings",
                "redis.url",
                None,
                NOT_INSTALLED,
            )
        self._url = url
        self._place = describe(url)
        self._bus = bus
        self._clock = clock
        self._seal = seal
        self._open_sealed = open_sealed
        self._process = secrets.token_hex(8)
        self._waiting: Queue[Event] = Queue(MOST_WAITING)
        self._has_lost = False
        self._is_away = False
        self._is_hearing = False
        self._knows_other_key = False

    def is_hearing(self) -> bool:
        """Whether what others publish comes here now; a gap ends with `NewsMissed`."""
        return self._is_hearing

    def hear(self, event: Event) -> None:
        """Queue an event of this process for the others; a listener for the bus."""
        try:
            self._waiting.put_nowait(event)
        except Full:
            self._has_lost = True

    def send(self, stop: Flag) -> None:
        """Send what this process publishes until `stop` is set, and then the rest of it."""
        self._connected(stop, self._send)

    def receive(self, stop: Flag) -> None:
        """Hand what other processes publish to the bus until `stop` is set."""
        self._connected(stop, self._receive)

    # -- inside

    def _connected(self, stop: Flag, use: Callable[[redis.Redis, Flag], None]) -> None:
        """Call `use` with a connection again and again; pause longer each time it fails at once."""
        pause_s = FIRST_PAUSE_S
        while not stop.is_set():
            began = self._clock.monotonic()
            try:
                with connect(self._url) as client:
                    use(client, stop)
            except redis.AuthenticationError:
                self._note_refused()
                self._clock.wait(stop, REFUSED_PAUSE_S)
                continue
            except (redis.RedisError, OSError) as error:
                self._note_away(error)
            if self._clock.monotonic() - began > LONGEST_PAUSE_S:
                pause_s = FIRST_PAUSE_S
            if not stop.is_set():
                self._clock.wait(stop, pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _send(self, client: redis.Redis, stop: Flag) -> None:
        client.ping()
        while not stop.is_set():
            self._send_some(client)
        while not self._waiting.empty():
            self._send_some(client)

    def _send_some(self, client: redis.Redis) -> None:
        events = self._take()
        if not events:
            return
        sealed = self._seal(SecretStr(encode(Message(self._process, tuple(events)))))
        client.publish(CHANNEL, sealed)

    def _take(self) -> list[Event]:
        taken: list[Event] = []
        lost, self._has_lost = self._has_lost, False
        try:
            if not lost:
                taken.append(self._waiting.get(timeout=LOOK_EVERY_S))
            while lost or len(taken) < MOST_AT_ONCE:
                taken.append(self._waiting.get_nowait())
        except Empty:
            pass
        # What waits is older than what is lost.
        return [NewsMissed()] if lost else taken

    def _receive(self, client: redis.Redis, stop: Flag) -> None:
        try:
            self._listen(client, stop)
        finally:
            self._is_hearing = False

    def _listen(self, client: redis.Redis, stop: Flag) -> None:
        with client.pubsub() as line:  # type: ignore[no-untyped-call]
            line.subscribe(CHANNEL)
            heard_at = pinged_at = self._clock.monotonic()
            while not stop.is_set():
                heard = line.get_message(timeout=LOOK_EVERY_S)
                now = self._clock.monotonic()
                if heard is not None:
                    heard_at = now
                    self._take_in(heard)
                elif now - heard_at > SILENT_S:
                    raise redis.ConnectionError("it answers no ping")
                if now - pinged_at > PING_EVERY_S:
                    pinged_at = now
                    line.ping()

    def _take_in(self, heard: dict[str, Any]) -> None:
        match heard:
            case {"type": "subscribe"}:
                self._note_back()
                self._is_hearing = True
                self._bus.receive(NewsMissed())
            case {"type": "message", "data": bytes(sealed)}:
                self._deliver(sealed)
            case _:
                pass

    def _deliver(self, sealed: bytes) -> None:
        try:
            message = decode(self._open_sealed(sealed).get_secret_value())
        except SidecarError:
            if not self._knows_other_key:
                log.warning(
                    "an event from %s is not sealed with our token.key and is ignored: all "
                    "processes of an installation need the same key file",
                    self._place,
                )
            self._knows_other_key = True
            return
        if message.process != self._process:
            for event in message.events:
                self._bus.receive(event)

    def _note_away(self, error: Exception) -> None:
        self._has_lost = True
        if not self._is_away:
            log.warning(
                "the Redis at %s cannot be used (%s): until it can be, what other processes do is "
                "seen a little later",
                self._place,
                type(error).__name__,
            )
        self._is_away = True

    def _note_refused(self) -> None:
        self._has_lost = True
        if not self._is_away:
            log.warning(
                "the Redis at %s refuses our user or password: this machine was removed from the "
                "installation, or they were changed there; what other processes do is seen a "
                "little later. It is asked again every five minutes, and a machine that joins "
                "again gets new ones",
                self._place,
            )
        self._is_away = True

    def _note_back(self) -> None:
        if self._is_away:
            log.info("the Redis at %s answers again", self._place)
        self._is_away = False


@contextmanager
def connect(url: SecretStr) -> Iterator[redis.Redis]:
    """Connect to a Redis while the block runs; nothing is sent before the first command."""
    client = redis.Redis.from_url(
        url.get_secret_value(),
        socket_connect_timeout=TIMEOUT_S,
        socket_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        yield client
    finally:
        client.close()


@contextmanager
def asking(url: SecretStr) -> Iterator[redis.Redis]:
    """Connect to a Redis for what a person waits for.

    Raises:
        SidecarError: It cannot be used; also from within the block.
    """
    try:
        with connect(url) as client:
            yield client
    except (redis.RedisError, OSError) as error:
        raise SidecarError(
            msg(
                "The Redis at {place} cannot be used ({kind})",
                place=describe(url),
                kind=type(error).__name__,
            )
        ) from error


def examine(url: SecretStr, clock: Clock) -> RedisState:
    """Ask a Redis how it is.

    Raises:
        SidecarError: It does not answer, or does not let us in.
    """
    if redis is None:
        raise SidecarError(NOT_INSTALLED)
    with asking(url) as client:
        client.ping()
        began = clock.monotonic()
        client.ping()
        took = clock.monotonic() - began
        [(_, listeners)] = client.pubsub_numsub(CHANNEL)
        version = client.info("server")["redis_version"]
    return RedisState(str(version), took, int(listeners))


def describe(url: SecretStr) -> str:
    """Return the address of a Redis for people: without user, password and options."""
    parts = urlsplit(url.get_secret_value())
    if parts.scheme == "unix":
        return f"unix://{parts.path}"
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"
