"""Figures for Prometheus: what is measured, in its text format. No names of people and no titles.

Each request reads the present state; what can only be counted as it happens is counted where it
happens (transferred bytes, requests to Jellyfin, log records).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sidecar import __version__
from sidecar.events import Phase
from sidecar.jellyfin.http.statistics import STATISTICS
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import NEW
from sidecar.services.devices.views import DeviceView
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.services.health.system_status import RecentLog
from sidecar.services.transfers.fetching.progress import ProgressTracker
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.downloads.queries import DownloadQueries

# Sees every device with exact figures; no account has this id.
EVERYBODY = Person("", "", is_admin=True)


class MetricsService:
    """Reads all figures when it is asked. Safe for many threads."""

    def __init__(
        self,
        *,
        downloads: DownloadQueries,
        devices: Callable[[Person], Sequence[DeviceView]],
        problems: Problems,
        transfers: ProgressTracker,
        recent: RecentLog,
        database_bytes: Callable[[], int],
        is_healthy: Callable[[], bool],
    ) -> None:
        sources = (
            lambda: _downloads(downloads),
            lambda: _transfers(transfers),
            lambda: _devices(devices(EVERYBODY)),
            lambda: _jellyfin(problems),
            lambda: _itself(problems, recent, database_bytes(), is_healthy=is_healthy()),
        )
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Sources(sources))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def text(self) -> bytes:
        """Return all figures in the text format of Prometheus."""
        return generate_latest(self._registry)


class _Sources(Collector):
    """Yields the figures of several functions."""

    def __init__(self, sources: Iterable[Callable[[], Iterable[Metric]]]) -> None:
        self._sources = tuple(sources)

    def collect(self) -> Iterator[Metric]:
        for source in self._sources:
            yield from source()


def _downloads(downloads: DownloadQueries) -> Iterator[Metric]:
    everything = DownloadFilter()
    found = GaugeMetricFamily(
        "sidecar_downloads",
        "Downloads in each state; `missing` are finished files that are not there.",
        labels=["state"],
    )
    for state, count in downloads.counts(everything).items():
        found.add_metric([str(state)], count)
    yield found
    yield GaugeMetricFamily(
        "sidecar_queue_bytes",
        "Bytes that pending downloads still have to fetch, as far as known.",
        downloads.bytes_waiting(everything),
    )


def _transfers(transfers: ProgressTracker) -> Iterator[Metric]:
    running = transfers.last()
    phases = GaugeMetricFamily("sidecar_transfers", "Transfers that run now.", labels=["phase"])
    for phase in Phase:
        phases.add_metric([str(phase)], sum(one.phase is phase for one in running))
    yield phases
    yield GaugeMetricFamily(
        "sidecar_transfer_bytes_per_second",
        "Speed of all transfers together.",
        sum(one.speed for one in running),
    )
    yield CounterMetricFamily(
        "sidecar_transferred_bytes",
        "Bytes that came since the start, those of broken transfers included.",
        transfers.moved_in_all(),
    )


def _devices(devices: Iterable[DeviceView]) -> Iterator[Metric]:
    def family(name: str, about: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"sidecar_device_{name}", about, labels=["device"])

    usable = family("usable", "1 if files can be written to the device now, else 0.")
    files = family("files", "Finished files that should be on the device.")
    missing = family("files_missing", "Files that the last check of the device did not find.")
    used = family("used_bytes", "Bytes of our files on the device.")
    limit = family("limit_bytes", "The most bytes that our files may take; absent for no limit.")
    free = family("free_bytes", "Free bytes of the device's file system; absent if away.")
    total = family("total_bytes", "Bytes of the device's file system; absent if away.")
    for one in devices:
        for which, value in (
            (usable, one.trouble is None and not one.is_unplugged),
            (files, one.files),
            (missing, one.missing),
            (used, one.used),
            (limit, one.budget),
            (free, one.free),
            (total, one.total),
        ):
            if value is not None and not one.id.startswith(NEW):
                # By its id, once it has one: people name a device after themselves.
                which.add_metric([one.id], float(value))
    yield from (usable, files, missing, used, limit, free, total)


def _jellyfin(problems: Problems) -> Iterator[Metric]:
    is_there = not problems.all_of(ProblemKind.SERVER)
    yield GaugeMetricFamily(
        "sidecar_jellyfin_up", "1 if Jellyfin can be asked, else 0.", float(is_there)
    )
    requests = CounterMetricFamily(
        "sidecar_jellyfin_requests",
        "Requests to Jellyfin by route and status (`none`: no answer came), without those for "
        "media files.",
        labels=["method", "route", "status"],
    )
    seconds = CounterMetricFamily(
        "sidecar_jellyfin_request_seconds",
        "Seconds that these requests took together.",
        labels=["method", "route", "status"],
    )
    for one in STATISTICS.all():
        labels = [one.method, one.route, one.status]
        requests.add_metric(labels, one.requests)
        seconds.add_metric(labels, one.seconds)
    yield from (requests, seconds)


def _itself(
    problems: Problems, recent: RecentLog, database_bytes: int, *, is_healthy: bool
) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "sidecar_healthy",
        "1 if every thread is alive and the database answers, else 0.",
        float(is_healthy),
    )
    yield GaugeMetricFamily(
        "sidecar_database_bytes",
        "Size of the database with its write-ahead log.",
        float(database_bytes),
    )
    present = GaugeMetricFamily(
        "sidecar_problems", "Present problems, by what has them.", labels=["kind"]
    )
    for kind in ProblemKind:
        present.add_metric([str(kind)], len(problems.known_of(kind)))
    yield present
    records = CounterMetricFamily(
        "sidecar_log_records", "Log records since the start.", labels=["level"]
    )
    counts = recent.counts()
    for level in ("INFO", "WARNING", "ERROR", "CRITICAL"):
        records.add_metric([level], counts.get(level, 0))
    yield records
    about = GaugeMetricFamily("sidecar_build_info", "The version.", labels=["version"])
    about.add_metric([__version__], 1.0)
    yield about
