"""The built-in engine: one connection, one file, one attempt.

    ask ─▶ judge ─▶ opened ─▶ read, write, count ─▶ as long as agreed? ─▶ sync ─▶ receipt

Redirects are not followed, nothing is taken from the environment, nothing is decoded: the bytes
are the server's. The only secret is in the job's headers, which are never logged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, local
from typing import Protocol
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from sidecar.clock import Clock
from sidecar.domain.downloads import Validator
from sidecar.domain.failures import TransferFailed
from sidecar.domain.transfers import (
    ENOUGH_TO_TELL,
    AlreadyWhole,
    Body,
    FromZero,
    Held,
    confirm,
    judge_rest,
    judge_whole,
    login_page,
    looks_like_a_page,
    may_be_resumed,
    unverified,
)
from sidecar.errors import Stopped
from sidecar.transfer.bandwidth import Bandwidth
from sidecar.transfer.engine import Job, Receipt, Report
from sidecar.transfer.faults import (
    disk_failure,
    is_of_the_network,
    network_failure,
    part_vanished,
    short_body,
)
from sidecar.transfer.pace import Pace, Patience
from sidecar.transfer.sinks import OpenSink, Sink, write_here

log = logging.getLogger(__name__)

BLOCK = 256 * 1024
# A file that came within it is not asked about once more: that would cost small ones half again.
LONG_ENOUGH_TO_CHANGE_S = 1.0


class _Raw(Protocol):
    def read1(self, amt: int) -> bytes:
        """Return what has arrived, at most `amt` bytes: nothing waits for a full buffer."""


class HttpEngine:
    """Implements `transfer.engine.Engine` over requests. Safe for many threads."""

    def __init__(
        self,
        clock: Clock,
        *,
        patience: Patience | None = None,
        ca_file: Path | None = None,
        bandwidth: Bandwidth | None = None,
        open_sink: OpenSink = write_here,
    ) -> None:
        self._clock = clock
        self._open_sink = open_sink
        self._patience = patience or Patience()
        self._verify: bool | str = str(ca_file) if ca_file else True
        self._mine = local()
        self.bandwidth = bandwidth or Bandwidth(clock)

    def fetch(self, job: Job, report: Report, stop: Event) -> Receipt:
        """Make one attempt; see `Engine.fetch`."""
        try:
            with job.part.open() as file, self._open_sink(job, file, report, stop) as writer:
                return self._attempt(job, report, stop, writer)
        except OSError as error:
            # A disk whose driver has died fails even when the file is closed.
            raise TransferFailed(disk_failure(error)) from error

    def _attempt(self, job: Job, report: Report, stop: Event, writer: Sink) -> Receipt:
        attempt = _Attempt(self, job, report, stop, writer)
        try:
            return attempt.run()
        except TransferFailed as failed:
            gained = max(0, writer.held - attempt.began_at)
            raise TransferFailed(failed.failure, gained=gained) from failed
        except OSError as error:
            gained = max(0, writer.held - attempt.began_at)
            raise TransferFailed(disk_failure(error), gained=gained) from error

    @contextmanager
    def ask(self, job: Job, *, start: int, last: int | None = None) -> Iterator[requests.Response]:
        """Send the request for the file, or for a part of it, and close the answer in the end."""
        headers = {**job.headers, "Accept-Encoding": "identity"}
        if (
            job.validator is not None
            and job.validator.last_modified
            and (start or last is not None)
        ):
            headers["If-Unmodified-Since"] = job.validator.last_modified
        if start or last is not None:
            headers["Range"] = f"bytes={start}-{'' if last is None else last}"
        patience = (self._patience.connect, self._patience.read)
        try:
            # A session would add nothing but cookies, a ~/.netrc and what a proxy variable says.
            request = requests.Request("GET", job.url, headers=headers).prepare()
            response = self._adapter().send(
                request, stream=True, timeout=patience, verify=self._verify
            )
        except (requests.RequestException, ValueError) as error:
            failure = network_failure(error, host_of(job), in_body=False)
            raise TransferFailed(failure) from error
        try:
            yield response
        finally:
            response.close()

    @property
    def clock(self) -> Clock:
        """The engine's clock."""
        return self._clock

    @property
    def patience(self) -> Patience:
        """How long the engine waits."""
        return self._patience

    def _adapter(self) -> HTTPAdapter:
        adapter: HTTPAdapter | None = getattr(self._mine, "adapter", None)
        if adapter is None:
            adapter = self._mine.adapter = HTTPAdapter()
        return adapter


class _Attempt:
    """One attempt at one file."""

    def __init__(
        self, engine: HttpEngine, job: Job, report: Report, stop: Event, writer: Sink
    ) -> None:
        self._engine = engine
        self._job = job
        self._report = report
        self._stop = stop
        self._writer = writer
        self._host = host_of(job)
        self._fetched = 0
        self.began_at = 0

    def run(self) -> Receipt:
        held = self._job.held if may_be_resumed(self._job.validator, self._job.held) else 0
        held = self._writer.keep(held)
        self.began_at = held
        for start in (held, 0):
            receipt = self._fetch_from(start)
            if receipt is not None:
                return receipt
        raise short_body(self._host, 0, None)

    def _fetch_from(self, start: int) -> Receipt | None:
        """Fetch from `start` on; None if this can only be done from zero."""
        known = self._job.validator if start else None
        asked_at = self._engine.clock.monotonic()
        with self._engine.ask(self._job, start=start) as response:
            status, headers = response.status_code, _lower(response)
            verdict = (
                judge_rest(status, headers, self._host, Held(start, known))
                if known is not None
                else judge_whole(status, headers, self._host)
            )
            match verdict:
                case FromZero():
                    return None
                case AlreadyWhole():
                    return self._receipt(None)
                case Body(start=first, validator=validator, mime_type=mime_type):
                    self._open(first, validator)
                    total = validator.total
                    self._write_body(response.raw, total)
        took = self._engine.clock.monotonic() - asked_at
        self._make_sure(validator, had_time_to_change=took >= LONG_ENOUGH_TO_CHANGE_S)
        return self._receipt(mime_type)

    def _open(self, start: int, validator: Validator) -> None:
        """Cut the part before the validator is stored: old bytes never stand beside a new one."""
        if start != self._writer.held:
            self.began_at = self._writer.keep(start)
        self._report.opened(validator, held=self._writer.held)

    def _write_body(self, raw: _Raw, total: int | None) -> None:
        if total is not None:
            self._writer.set_room_aside(total)
        pace = Pace(self._engine.clock, self._engine.patience)
        bandwidth, device_id = self._engine.bandwidth, self._job.device_id
        while total is None or self._writer.held < total:
            if self._stop.is_set():
                self._writer.sync()
                raise Stopped("the transfer was asked to stop")
            most = bandwidth.block(device_id, BLOCK)
            room = most if total is None else min(most, total - self._writer.held)
            block = self._read(raw, room)
            if not block:
                break
            if self._writer.held == 0 and looks_like_a_page(block[:ENOUGH_TO_TELL]):
                raise TransferFailed(login_page(self._host))
            self._writer.write(block)
            self._fetched += len(block)
            self._report.moved(self._writer.held)
            pace.rested(bandwidth.take(device_id, len(block), self._stop))
            pace.check(len(block), self._host)
        if total is not None and self._writer.held != total:
            self._writer.sync()
            raise short_body(self._host, self._writer.held, total)

    def _read(self, raw: _Raw, most: int) -> bytes:
        try:
            return raw.read1(most)
        except Exception as error:
            if not is_of_the_network(error):
                raise
            self._writer.sync()
            raise TransferFailed(network_failure(error, self._host, in_body=True)) from error

    def _make_sure(self, validator: Validator, *, had_time_to_change: bool) -> None:
        """Believe a length only if something else says the same: a second answer, or the scan.

        A file that took its time is asked about once more in any case: it may have been replaced
        while it was sent.
        """
        held, known = self._writer.held, self._job.known_size
        if validator.total is None:
            if known is None:
                raise TransferFailed(unverified(self._host))
            if held != known:
                raise short_body(self._host, held, known)
            return
        as_expected = known is None or held == known
        if not held or (as_expected and not had_time_to_change):
            return
        whole = Held(held, validator)
        asking = replace(self._job, validator=validator, held=held)
        with self._engine.ask(asking, start=0, last=0) as response:
            confirm(response.status_code, _lower(response), self._host, whole)

    def _receipt(self, mime_type: str | None) -> Receipt:
        if not self._writer.is_still_there():
            raise part_vanished()
        content_hash = self._writer.finish()
        return Receipt(self._writer.held, content_hash, mime_type, self._fetched)


def host_of(job: Job) -> str:
    """Return the server's name and port."""
    return urlsplit(job.url).netloc


def _lower(response: requests.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}
