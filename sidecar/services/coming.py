"""What the queue rule fetches for somebody who is listening, in the order in which it comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.domain.downloads.states import Download, Status
from sidecar.domain.rules.queue_ahead import NAME
from sidecar.store.devices.devices import Devices
from sidecar.store.downloads.queue import Downloads
from sidecar.store.rules.holds import Holds


@dataclass(frozen=True, slots=True)
class ComingView:
    """One track that comes next.

    Attributes:
        text: Why: "next in your queue".
        places: The devices that it goes to, and how it stands there.
    """

    title: str
    artist: str | None
    text: str
    places: tuple[tuple[str, Status], ...]


class Coming:
    """Looks it up. Safe for many threads."""

    def __init__(self, holds: Holds, downloads: Downloads, devices: Devices) -> None:
        self._holds = holds
        self._downloads = downloads
        self._devices = devices

    def of(self, user_id: str) -> Sequence[ComingView]:
        """Return what comes next for an account, on all its devices."""
        found: dict[str, list[tuple[Download, str, str]]] = {}
        for device in self._devices.all():
            for hold in self._holds.of_rule(user_id, device.id, NAME):
                download = self._downloads.by_item(device.id, hold.item_id)
                if hold.release_at is None and download is not None:
                    on_device = (download, device.name, hold.reason.text)
                    found.setdefault(hold.item_id, []).append(on_device)
        in_turn = sorted(found.values(), key=lambda one: (-one[0][0].priority, one[0][0].id))
        return [_view(one) for one in in_turn]


def _view(found: Sequence[tuple[Download, str, str]]) -> ComingView:
    download, _, text = found[0]
    places = tuple((device_name, one.status) for one, device_name, _ in found)
    return ComingView(download.title, download.artist, text, places)
