"""The built-in engine: fetches one file over one HTTP connection in one attempt.

    request ─▶ judge head ─▶ compare ─▶ opened ─▶ read, write ─▶ length right? ─▶ sync ─▶ receipt

However an attempt ends, the bytes received by then are synced and count. Redirects are not
followed, no settings come from the environment, and nothing is decoded. The token is only in the
job's headers, which are never logged.
"""

from __future__ import annotations

import logging
from pathlib import Path
from threading import Event

import urllib3.exceptions

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Validator
from sidecar.domain.transfers.failures import FailureClass, TransferFailed
from sidecar.domain.transfers.response import (
    ENOUGH_TO_TELL,
    Doubt,
    Fetched,
    FromZero,
    Held,
    WriteBody,
    changed_file_failure,
    confirm,
    find_doubt,
    is_unlike_scan,
    judge_rest,
    judge_whole,
    login_page_failure,
    looks_like_a_page,
    may_be_resumed,
    unverified_length_failure,
)
from sidecar.errors import Stopped
from sidecar.transfer.bandwidth import Bandwidth
from sidecar.transfer.engine import Job, Receipt, TransferReport
from sidecar.transfer.faults import (
    classify_disk_error,
    classify_network_error,
    is_of_the_network,
    part_vanished_error,
    short_body_error,
)
from sidecar.transfer.http.answer import BUFFER, Answer
from sidecar.transfer.http.connection import KeptConnections
from sidecar.transfer.sinks import OpenSink, Sink, write_here
from sidecar.transfer.timeouts import Pace, Timeouts

log = logging.getLogger(__name__)


class HttpEngine:
    """Implements `Engine` with urllib3. Thread-safe."""

    def __init__(
        self,
        clock: Clock,
        *,
        timeouts: Timeouts | None = None,
        ca_file: Path | None = None,
        bandwidth: Bandwidth | None = None,
        open_sink: OpenSink = write_here,
    ) -> None:
        self._open_sink = open_sink
        self.clock = clock
        self.timeouts = timeouts or Timeouts()
        self.connections = KeptConnections(clock, self.timeouts, ca_file)
        self.bandwidth = bandwidth or Bandwidth(clock)

    def fetch(self, job: Job, report: TransferReport, stop: Event) -> Receipt:
        """Make one attempt; see `Engine.fetch`."""
        try:
            with job.part.open() as file, self._open_sink(job, file, report, stop) as writer:
                return self._attempt(_Attempt(self, job, report, stop, writer))
        except OSError as error:
            # A disk whose driver has died fails even when the file is closed.
            raise TransferFailed(classify_disk_error(error)) from error

    def _attempt(self, attempt: _Attempt) -> Receipt:
        try:
            try:
                return attempt.run()
            except TransferFailed as failed:
                if failed.failure.kind is not FailureClass.CHANGED:
                    # Bytes received before the failure need not be fetched again.
                    attempt.keep()
                raise
        except TransferFailed as failed:
            raise TransferFailed(failed.failure, gained=attempt.gained) from failed
        except OSError as error:
            raise TransferFailed(classify_disk_error(error), gained=attempt.gained) from error


class _Attempt:
    """One attempt at one file."""

    def __init__(
        self, engine: HttpEngine, job: Job, report: TransferReport, stop: Event, writer: Sink
    ) -> None:
        self._engine = engine
        self._job = job
        self._report = report
        self._stop = stop
        self._writer = writer
        # Host name and port of the server.
        self._host = job.url.partition("://")[2].partition("/")[0]
        self._pace = Pace(engine.clock, engine.timeouts)
        self._fetched = 0
        self._began_at = 0
        self._is_open = False

    def run(self) -> Receipt:
        """Fetch the file, or what is missing of it."""
        held = self._job.held if may_be_resumed(self._job.validator, self._job.held) else 0
        held = self._began_at = self._writer.keep(held)
        for start in (held, 0):
            receipt = self._fetch_from(start)
            if receipt is not None:
                return receipt
        raise short_body_error(self._host, 0, None)

    def keep(self) -> None:
        """Sync the received bytes, so that the next attempt continues from there."""
        if self._is_open:
            self._writer.sync()

    @property
    def gained(self) -> int:
        """Bytes that this attempt added to the part file."""
        return max(0, self._writer.held - self._began_at)

    def _fetch_from(self, start: int) -> Receipt | None:
        """Fetch from `start` on; None if the file has to be fetched from zero."""
        known = self._job.validator if start else None
        held = None if known is None else Held(start, known)
        first = None if held is None else held.asks_from
        asked_at = self._engine.clock.monotonic()
        with self._ask(known, start=first) as answer:
            verdict = (
                judge_rest(answer.status, answer.headers, self._host, held)
                if held is not None
                else judge_whole(answer.status, answer.headers, self._host)
            )
            if isinstance(verdict, FromZero):
                return None
            self._compare(answer, verdict)
            self._open(verdict.start, verdict.validator)
            self._write_body(answer, verdict.validator.total)
        fetched = Fetched(
            self._writer.held,
            verdict.validator,
            verdict.said,
            self._job.known_size,
            self._job.accepted,
        )
        self._make_sure(fetched, took_s=self._engine.clock.monotonic() - asked_at)
        return self._make_receipt(fetched, verdict.mime_type)

    def _ask(
        self, known: Validator | None, *, start: int | None, last: int | None = None
    ) -> Answer:
        """Request the file, or a range of it if it is still the known version."""
        headers = self._job.headers
        if start is not None:
            headers = {**headers, "Range": f"bytes={start}-{'' if last is None else last}"}
            if known is not None and known.last_modified:
                headers["If-Unmodified-Since"] = known.last_modified
        try:
            return self._engine.connections.get(self._job.url, headers, self._stop)
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            failure = classify_network_error(error, self._host, in_body=False)
            raise TransferFailed(failure) from error

    def _compare(self, answer: Answer, verdict: WriteBody) -> None:
        """Check that the body begins with the last held bytes, so that the next ones follow."""
        at = verdict.start - verdict.again
        while at < verdict.start:
            block = self._next(answer, verdict.start - at)
            if not block:
                raise short_body_error(self._host, self._writer.held, verdict.validator.total)
            if not self._writer.has(block, at):
                raise changed_file_failure(self._host)
            at += len(block)
            self._account_for(len(block))

    def _open(self, start: int, validator: Validator) -> None:
        """Cut the part, then store the validator, so that old bytes never have a new validator."""
        if start != self._writer.held:
            self._began_at = self._writer.keep(start)
        self._report.opened(validator, held=self._writer.held)
        self._is_open = True

    def _write_body(self, answer: Answer, total: int | None) -> None:
        if total is not None:
            self._writer.set_room_aside(total)
        while total is None or self._writer.held < total:
            block = self._next(answer, BUFFER if total is None else total - self._writer.held)
            if not block:
                break
            if self._writer.held == 0 and looks_like_a_page(bytes(block[:ENOUGH_TO_TELL])):
                raise TransferFailed(login_page_failure(self._host))
            self._writer.write(block)
            self._report.moved(self._writer.held)
            self._account_for(len(block))
        if answer.left if total is None else self._writer.held != total:
            raise short_body_error(self._host, self._writer.held, total)

    def _next(self, answer: Answer, most: int) -> memoryview:
        """Return the next bytes of the body; none at its end."""
        at_a_time = self._engine.bandwidth.block(self._job.device_id, BUFFER)
        block = memoryview(b"")
        if not self._stop.is_set():
            try:
                block = answer.fill(min(at_a_time, most))
            except Exception as error:
                if not is_of_the_network(error):
                    raise
                failure = classify_network_error(error, self._host, in_body=True)
                raise TransferFailed(failure) from error
        if not block and self._stop.is_set():
            self.keep()
            raise Stopped("the transfer was asked to stop")
        return block

    def _account_for(self, count: int) -> None:
        """Keep to the speed limits, and fail if the server is too slow."""
        self._fetched += count
        bandwidth, device_id = self._engine.bandwidth, self._job.device_id
        rested_s = bandwidth.take(device_id, count, self._stop)
        self._pace.check(count, self._host, rested_s)

    def _make_sure(self, fetched: Fetched, *, took_s: float) -> None:
        """Check the length against the scan, and in doubt with a second request."""
        if fetched.validator.total is None and fetched.scanned is None:
            raise TransferFailed(unverified_length_failure(self._host))
        if fetched.validator.total is None and fetched.count != fetched.scanned:
            raise short_body_error(self._host, fetched.count, fetched.scanned)
        doubt = find_doubt(fetched, took_s=took_s)
        if doubt is Doubt.NONE:
            return
        with self._ask(fetched.validator, start=0, last=0) as answer:
            confirm(answer.status, answer.headers, self._host, fetched, doubt)

    def _make_receipt(self, fetched: Fetched, mime_type: str | None) -> Receipt:
        if not self._writer.is_still_there():
            raise part_vanished_error()
        content_hash = self._writer.finish()
        return Receipt(
            self._writer.held,
            content_hash,
            mime_type,
            self._fetched,
            is_unlike_scan=is_unlike_scan(fetched),
        )
