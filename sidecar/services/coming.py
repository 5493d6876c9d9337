"""What the queue rule fetches for somebody who is listening, in the order in which it comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.domain.downloads import Download, Status
from sidecar.domain.rules.queue_ahead import NAME
from sidecar.store.devices import Devices
from sidecar.store.downloads import Downloads
from sidecar.store.holds import Holds


@dataclass(frozen=True, slots=True)
class ComingView:
    """One track that comes next.

    Attributes:
        text: Why: "next in your queue".
    """

    title: str
    artist: str | None
    status: Status
    device_name: str
    text: str


class Coming:
    """Looks it up. Safe for many threads."""

    def __init__(self, holds: Holds, downloads: Downloads, devices: Devices) -> None:
        self._holds = holds
        self._downloads = downloads
        self._devices = devices

    def of(self, user_id: str) -> Sequence[ComingView]:
        """Return what comes next for an account, on all its devices."""
        found: list[tuple[Download, ComingView]] = []
        for device in self._devices.all():
            for hold in self._holds.of_rule(user_id, device.id, NAME):
                download = self._downloads.by_item(device.id, hold.item_id)
                if hold.release_at is None and download is not None:
                    view = ComingView(
                        download.title,
                        download.artist,
                        download.status,
                        device.name,
                        hold.reason.text,
                    )
                    found.append((download, view))
        found.sort(key=lambda one: (-one[0].priority, one[0].id))
        return [view for _, view in found]
