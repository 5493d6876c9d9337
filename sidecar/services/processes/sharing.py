"""All that the processes on one database tell each other."""

from __future__ import annotations

from sidecar.clock import Clock
from sidecar.domain.processes.roles import Roles
from sidecar.events import Bus
from sidecar.services.processes.calls import Calls
from sidecar.services.processes.download_news import DownloadNews
from sidecar.services.processes.findings import SharedFindings
from sidecar.services.processes.watcher import WatcherLookout
from sidecar.store.stores import Stores


class Sharing:
    """What this process tells others and hears of them. One thread calls `step`.

    Attributes:
        findings: Shares problems, questions and what is known of devices.
        calls: Asks others to look again.
        watcher: Knows whether any process watches.
    """

    def __init__(self, store: Stores, bus: Bus, clock: Clock, roles: Roles) -> None:
        self.findings = SharedFindings(store.findings, bus, clock)
        self.calls = Calls(store.meta, is_alone=roles.is_alone)
        self.watcher = WatcherLookout(store.processes, bus, roles)
        self._news = DownloadNews(store.activity, store.downloads.queries, bus)

    def step(self) -> None:
        """Hear what others did, ask for and have found, and tell what was found here."""
        self._news.step()
        self.calls.step()
        self.findings.step()
        self.watcher.step()
