"""Keeps aria2 running: restarts it when it ends, adds our downloads and removes them.

    begin ─▶ first answer ─▶ remove downloads of an earlier run ─▶ ready ─▶ follow status ─▶ gone
      ▲                                                                                        │
      └───────────────────────────── back-off ◀────────────────────────────────────────────────┘

The downloads and their status are in `Aria2Downloads`. Failed downloads are not retried here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from threading import Event, Lock

from sidecar.clock import Clock
from sidecar.domain.transfers.failures import Failure, TransferFailed
from sidecar.errors import Stopped
from sidecar.process.threads import run_periodically
from sidecar.transfer.aria2.codes import (
    BAD_OPTION,
    ended_failure,
    judge,
    unreachable_failure,
    wrong_secret_failure,
)
from sidecar.transfer.aria2.daemon import Daemon
from sidecar.transfer.aria2.downloads import Aria2Downloads
from sidecar.transfer.aria2.events import Hearing, ask
from sidecar.transfer.aria2.rpc import UNAUTHORIZED, Aria2Away, Aria2Refused, Call, Rpc
from sidecar.transfer.aria2.status import Aria2Status

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 5.0
STEP_S = 0.05
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
LIVED_WELL_S = 10.0
LET_GO_WITHIN_S = 1.0
QUICK_S = 0.2
READY_WITHIN_S = 30.0
MOST_WAITING = 1000


class Aria2Supervisor:
    """Supervises one aria2 and our downloads in it. One thread runs it; the rest is thread-safe."""

    def __init__(self, daemon: Daemon, book: Aria2Downloads, clock: Clock) -> None:
        self._daemon = daemon
        self.book = book
        self._clock = clock
        self._lock = Lock()
        self._rpc: Rpc | None = None
        self._ready = Event()
        self._refusal: Failure | None = None
        self._pause_s = FIRST_PAUSE_S

    def run(self, stop: Event) -> None:
        """Keep aria2 running until `stop` is set; then wait a second at most for its downloads."""
        try:
            step, rest = partial(self._run_once, stop), partial(self._wait_before_restart, stop)
            run_periodically(step, stop, rest, "the link to aria2")
        finally:
            self._daemon.end()
            self._lose()

    def await_ready(self, stop: Event, *, within_s: float = READY_WITHIN_S) -> Rpc:
        """Wait until aria2 answers, and return the connection to it.

        Raises:
            TransferFailed: It does not answer in time, or does not accept our secret.
            errors.Stopped: `stop` was set.
        """
        until = self._clock.monotonic() + within_s
        while True:
            if stop.is_set():
                raise Stopped("the transfer was asked to stop")
            with self._lock:
                rpc, refusal = self._rpc, self._refusal
            if rpc is not None:
                return rpc
            if refusal is not None:
                raise TransferFailed(refusal)
            if self._clock.monotonic() > until:
                raise TransferFailed(unreachable_failure())
            self._clock.wait(self._ready, STEP_S)

    def add(self, gid: str, rpc: Rpc, url: str, options: Mapping[str, object]) -> None:
        """Add a registered download to aria2, which begins at once.

        Raises:
            TransferFailed: aria2 refuses it, or is gone.
        """
        try:
            rpc.call("addUri", [url], {**options, "gid": gid}, 0)
        except Aria2Refused as refused:
            raise TransferFailed(judge(BAD_OPTION, refused.error.message)) from refused
        except Aria2Away as trouble:
            raise TransferFailed(ended_failure()) from trouble
        self.book.add(gid)

    def wait_for_end(self, gid: str, *, within_s: float) -> Aria2Status:
        """Wait until aria2 takes no more bytes for a download; return its status then."""
        until = self._clock.monotonic() + within_s
        over = self.book.end_event(gid)
        while not over.is_set() and self._clock.monotonic() < until:
            self._clock.wait(over, STEP_S)
        if not over.is_set() and (rpc := self._rpc) is not None:
            with suppress(Aria2Away, Aria2Refused):
                ask(replace(rpc, answer_within_s=QUICK_S), self.book, [gid])
        return self.book.get_status(gid)

    def forget(self, gid: str) -> None:
        """Remove a download from aria2, which then closes its file. Does not raise or wait long.

        If aria2 does not answer now, the supervisor's thread tries again; until then no other
        download is begun on the same file.
        """
        rpc = self._rpc
        try:
            if rpc is not None:
                self._take_out(replace(rpc, answer_within_s=QUICK_S), gid)
        except (Aria2Away, Aria2Refused):
            self.book.let_go(gid)
        else:
            self.book.remove(gid)

    def _take_out(self, rpc: Rpc, gid: str) -> None:
        rpc.call_many([Call("forceRemove", (gid,))])
        self.wait_for_end(gid, within_s=LET_GO_WITHIN_S)
        rpc.call_many([Call("removeDownloadResult", (gid,))])

    def _wait_before_restart(self, stop: Event) -> None:
        self._lose()
        self._clock.wait(stop, self._pause_s)
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def _run_once(self, stop: Event) -> None:
        rpc = self._daemon.begin()
        self._await_answer(rpc, stop)
        if stop.is_set():
            return
        self._daemon.note_answer()
        self._clear_away(rpc)
        with self._lock:
            self._rpc, self._refusal = rpc, None
        self._ready.set()
        began = self._clock.monotonic()
        try:
            self._follow(rpc, stop)
        finally:
            if self._clock.monotonic() - began > LIVED_WELL_S:
                self._pause_s = FIRST_PAUSE_S

    def _await_answer(self, rpc: Rpc, stop: Event) -> None:
        until = self._clock.monotonic() + ANSWER_WITHIN_S
        while True:
            try:
                rpc.call("getVersion")
            except Aria2Refused as refused:
                if refused.error.message == UNAUTHORIZED:
                    self._refusal = wrong_secret_failure()
                raise
            except Aria2Away:
                late = self._clock.monotonic() > until
                if late or stop.is_set() or not self._daemon.is_running():
                    raise
                self._clock.wait(stop, STEP_S)
            else:
                return

    def _clear_away(self, rpc: Rpc) -> None:
        """Remove the downloads that an earlier run of the sidecar left in aria2."""
        keys = ["gid"]
        lists = rpc.call_many(
            [
                Call("tellActive", (keys,)),
                Call("tellWaiting", (0, MOST_WAITING, keys)),
                Call("tellStopped", (0, MOST_WAITING, keys)),
            ]
        )
        told = {
            one["gid"]
            for some in lists
            if isinstance(some, list)
            for one in some
            if isinstance(one, dict) and isinstance(one.get("gid"), str)
        }
        known = set(self.book.gids())
        ours = sorted(gid for gid in told - known if gid.startswith(self.book.prefix))
        if ours:
            log.info("%d downloads of an earlier run are taken out of aria2", len(ours))
            rpc.call_many([Call("forceRemove", (gid,)) for gid in ours])
            rpc.call_many([Call("removeDownloadResult", (gid,)) for gid in ours])

    def _follow(self, rpc: Rpc, stop: Event) -> None:
        """Follow the status until aria2 is gone, or `stop` is set and no download is active."""
        last_until: float | None = None
        with closing(Hearing(rpc, self.book, self._clock)) as hearing:
            while self._daemon.is_running():
                if stop.is_set():
                    now = self._clock.monotonic()
                    last_until = last_until or now + LET_GO_WITHIN_S
                    if not self.book.gids() or now > last_until:
                        return
                hearing.turn(stop)
                self._take_out_what_is_left(rpc)

    def _take_out_what_is_left(self, rpc: Rpc) -> None:
        with suppress(Aria2Away):
            for gid in self.book.list_left_over():
                self._take_out(rpc, gid)
                self.book.remove(gid)

    def _lose(self) -> None:
        with self._lock:
            self._rpc = None
        self._ready.clear()
        self.book.mark_all_ended()
