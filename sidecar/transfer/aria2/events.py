"""Follows the status of our downloads in aria2, by its notifications or by polling.

The WebSocket notifies when a download begins, ends or is removed; without it, one request for all
downloads is sent twice a second. aria2 does not answer while it writes to a slow device, so silence
is tolerated for a minute.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from threading import Event

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from sidecar.bounded_json import read_json
from sidecar.clock import Clock
from sidecar.transfer.aria2.downloads import Aria2Downloads
from sidecar.transfer.aria2.rpc import Aria2Away, Call, Rpc
from sidecar.transfer.aria2.status import KEYS, read_status

POLL_S = 0.5
STEP_S = 0.05
DIAL_AGAIN_S = 5.0
DIAL_TIMEOUT_S = 2.0
CLOSE_TIMEOUT_S = 0.2
LONGEST_SILENCE_S = 60.0
LARGEST_FRAME_BYTES = 1024 * 1024
MOST_VALUES = 10_000
MOST_WAITING = 16


class Hearing:
    """Keeps the status of our downloads in one aria2 up to date. For one thread; must be closed."""

    def __init__(self, rpc: Rpc, book: Aria2Downloads, clock: Clock) -> None:
        self._rpc = rpc
        self._book = book
        self._clock = clock
        self._line: ClientConnection | None = None
        self._dial_at = clock.monotonic()
        self._must_ask = True
        self._silent_since: float | None = None

    def turn(self, stop: Event) -> None:
        """Handle one notification, or poll all downloads; takes about half a second.

        Raises:
            Aria2Away: aria2 is gone, or has been silent for too long.
            Aria2Refused: It does not accept our secret any more.
        """
        try:
            self._turn(stop)
            self._silent_since = None
        except Aria2Away as trouble:
            self._must_ask = True
            now = self._clock.monotonic()
            since = self._silent_since = self._silent_since or now
            if not trouble.is_silent or now - since > LONGEST_SILENCE_S:
                raise

    def close(self) -> None:
        """Close the WebSocket."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def _turn(self, stop: Event) -> None:
        if self._line is None and self._clock.monotonic() >= self._dial_at:
            self._line = _dial(self._rpc.socket_url)
            self._dial_at = self._clock.monotonic() + DIAL_AGAIN_S
            self._must_ask = True
        if self._must_ask:
            self._ask_all()
        wait_s = STEP_S if stop.is_set() else POLL_S
        if self._line is None:
            self._must_ask = True
            self._clock.wait(stop, wait_s)
        else:
            self._hear(self._line, wait_s)

    def _hear(self, line: ClientConnection, wait_s: float) -> None:
        try:
            told = line.recv(wait_s, decode=False)
        except TimeoutError:
            return
        except ConnectionClosed:
            self.close()
            self._must_ask = True
            return
        self._ask(sorted(set(_read_gids(told)) & set(self._book.gids())))

    def _ask_all(self) -> None:
        """Ask for all downloads at once; without any, check only that aria2 answers."""
        gids = self._book.list_known_to_aria2()
        if not gids:
            self._rpc.call("getVersion")
        self._ask(gids)
        self._must_ask = False

    def _ask(self, gids: list[str]) -> None:
        ask(self._rpc, self._book, gids)


def ask(rpc: Rpc, book: Aria2Downloads, gids: list[str]) -> None:
    """Ask for the status of some downloads in one request, and store it.

    Raises:
        Aria2Away: It does not answer.
        Aria2Refused: It does not accept our secret.
    """
    answers = rpc.call_many([Call("tellStatus", (gid, KEYS)) for gid in gids])
    book.note({gid: read_status(one) for gid, one in zip(gids, answers, strict=True)})


def _dial(url: str) -> ClientConnection | None:
    quiet = logging.getLogger("sidecar.transfer.aria2.frames")
    quiet.setLevel(logging.INFO)
    try:
        return connect(
            url,
            compression=None,
            proxy=None,
            open_timeout=DIAL_TIMEOUT_S,
            ping_interval=None,
            close_timeout=CLOSE_TIMEOUT_S,
            max_size=LARGEST_FRAME_BYTES,
            max_queue=MOST_WAITING,
            logger=quiet,
            # Closed by `close`, because a `with` block cannot span several calls of `turn`.
            legacy=True,
        )
    except (OSError, EOFError, WebSocketException):
        return None


def _read_gids(told: bytes) -> list[str]:
    """Return the GIDs in a notification."""
    with suppress(ValueError, TypeError, KeyError, AttributeError):
        read = read_json(told, most_bytes=LARGEST_FRAME_BYTES, most_values=MOST_VALUES)
        return [str(one["gid"]) for one in read["params"]]
    return []
