"""The aria2 engine: requests and checks as in the built-in engine, but aria2 writes the file.

The two differ only in the sink, so states, pauses and failures are the same. Each attempt makes one
request to Jellyfin, which writes every request to its activity log.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import BinaryIO

from sidecar.clock import Clock
from sidecar.transfer.aria2.sink import ThroughAria2
from sidecar.transfer.aria2.supervisor import Aria2Supervisor
from sidecar.transfer.bandwidth import Bandwidth
from sidecar.transfer.engine import Job, Receipt, TransferReport
from sidecar.transfer.http.engine import HttpEngine
from sidecar.transfer.timeouts import Timeouts


class Aria2Engine:
    """Implements `Engine`. Thread-safe; `Aria2Supervisor.run` must be running."""

    def __init__(
        self,
        link: Aria2Supervisor,
        clock: Clock,
        *,
        timeouts: Timeouts | None = None,
        ca_file: Path | None = None,
        bandwidth: Bandwidth | None = None,
    ) -> None:
        self._link = link
        self._clock = clock
        self._http = HttpEngine(
            clock,
            timeouts=timeouts,
            ca_file=ca_file,
            bandwidth=bandwidth,
            open_sink=self._open,
        )

    def fetch(self, job: Job, report: TransferReport, stop: Event) -> Receipt:
        """Make one attempt; see `Engine.fetch`."""
        return self._http.fetch(job, report, stop)

    @contextmanager
    def _open(
        self, job: Job, file: BinaryIO, report: TransferReport, stop: Event
    ) -> Iterator[ThroughAria2]:
        sink = ThroughAria2(
            file,
            job.part.path,
            link=self._link,
            synced=report.synced,
            stop=stop,
            clock=self._clock,
        )
        try:
            yield sink
        finally:
            sink.close()
