"""One worker's step: claim a download, move its bytes, finish it; or say what stood in the way.

    claim ─▶ device and room ─▶ engine: opened, synced … ─▶ finalizing ─▶ rename, sync ─▶ arrive
                 │                    │
                 └── trouble ─────────┴──▶ failure ─▶ `services.failing` decides what happens

A worker holds one download at a time, over one connection, and takes none while the server, the
account or the device is in trouble.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from threading import Event, RLock

from sidecar.clock import Clock
from sidecar.domain.downloads import Download, Validator
from sidecar.domain.failures import TransferFailed
from sidecar.errors import DeviceTrouble, JellyfinTrouble, Stopped
from sidecar.jellyfin.client import Jellyfin
from sidecar.services.accounts import AccountDesk
from sidecar.services.bell import Bell
from sidecar.services.devices import Attached, DeviceShelf
from sidecar.services.failing import Failing
from sidecar.services.progress import Transfers
from sidecar.services.server import ServerWatch
from sidecar.services.troubles import Kind, Troubles
from sidecar.store.downloads import Downloads
from sidecar.transfer.engine import Engine, Job, Receipt

log = logging.getLogger(__name__)

IDLE_S = 5.0


class Claims:
    """What is being worked on now, and how to stop one of them: paused, cancelled, unplugged."""

    def __init__(self) -> None:
        # Held while a worker claims: nobody else may claim what it has not begun yet.
        self._lock = RLock()
        self._stops: dict[int, Event] = {}
        self._afterwards: dict[int, list[Callable[[], object]]] = {}
        self._is_over = False

    def busy(self) -> list[int]:
        """Return the ids of the downloads whose part file a worker holds."""
        with self._lock:
            return list(self._stops)

    def take(
        self, claim: Callable[[Collection[int]], Download | None]
    ) -> tuple[Download, Event] | None:
        """Claim a download and begin it, in one go.

        Args:
            claim: Given what is busy, returns what it claimed; None if there is nothing.

        Returns:
            The download and the event that stops it.
        """
        with self._lock:
            download = claim(list(self._stops))
            return None if download is None else (download, self.begin(download.id))

    def begin(self, download_id: int) -> Event:
        """Return the event that stops this one download."""
        with self._lock:
            stop = self._stops.setdefault(download_id, Event())
            if self._is_over:
                stop.set()
            return stop

    def end(self, download_id: int) -> None:
        """The worker has let go of it."""
        with self._lock:
            self._stops.pop(download_id, None)
            due = self._afterwards.pop(download_id, [])
        for act in due:
            act()

    def afterwards(self, download_id: int, act: Callable[[], object]) -> None:
        """Do something to a part file once no worker holds it; at once if none does.

        Args:
            download_id: Whose part file.
            act: Raises nothing; may run in the worker's thread.
        """
        with self._lock:
            if download_id in self._stops:
                self._afterwards.setdefault(download_id, []).append(act)
                return
        act()

    def stop(self, download_id: int) -> None:
        """Ask the worker to let go of one download, if one has it."""
        with self._lock:
            if stop := self._stops.get(download_id):
                stop.set()

    def stop_all(self) -> None:
        """Ask all workers to let go, and whoever claims from now on."""
        with self._lock:
            self._is_over = True
            for stop in self._stops.values():
                stop.set()


@dataclass(frozen=True, slots=True)
class _Report:
    """Carries what the engine tells to the database and to the progress display."""

    download: Download
    downloads: Downloads
    transfers: Transfers

    def opened(self, validator: Validator, *, held: int) -> None:
        self.transfers.resize(self.download.id, held=held, size=validator.total)
        anew = self.download.validator is None
        if not self.downloads.opened(self.download.id, validator, held, anew=anew):
            raise Stopped("it is no longer wanted")

    def synced(self, held: int) -> None:
        self.downloads.synced(self.download.id, held)

    def moved(self, held: int) -> None:
        self.transfers.moved(self.download.id, held)


class Worker:
    """Does one download after another. One thread runs it."""

    def __init__(
        self,
        *,
        engine: Engine,
        downloads: Downloads,
        accounts: AccountDesk,
        shelf: DeviceShelf,
        server: ServerWatch,
        troubles: Troubles,
        transfers: Transfers,
        claims: Claims,
        failing: Failing,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._downloads = downloads
        self._accounts = accounts
        self._shelf = shelf
        self._server = server
        self._troubles = troubles
        self._transfers = transfers
        self._claims = claims
        self._failing = failing
        self._clock = clock

    def run(self, stop: Event, bell: Bell) -> None:
        """Step until `stop` is set; rest until the bell rings whenever there is nothing to do."""
        while not stop.is_set():
            try:
                did_something = self.step()
            except Exception:
                log.exception("a worker failed in a way nobody foresaw")
                did_something = False
            if not did_something:
                bell.rest(IDLE_S)

    def step(self) -> bool:
        """Do one download, to its end or its failure; return False if there is nothing to do."""
        if not self._server.is_there:
            return False
        taken = self._claims.take(self._claim)
        if taken is None:
            return False
        download, stop = taken
        try:
            self._attempt(download, stop)
        finally:
            self._transfers.end(download.id)
            self._shelf.unreserve(download.id)
            self._claims.end(download.id)
        return True

    def _claim(self, busy: Collection[int]) -> Download | None:
        return self._downloads.claim(
            self._clock.now(),
            blocked_devices=self._shelf.blocked(),
            blocked_users=set(self._troubles.all_of(Kind.ACCOUNT)),
            busy=busy,
        )

    def _attempt(self, download: Download, stop: Event) -> None:
        client: Jellyfin | None = None
        try:
            device = self._shelf.get(download.device_id)
            client = self._accounts.client(download.user_id)
            self._make_sure_of_room(device, download)
            receipt = self._fetch(device, client, download, stop)
            self._finish(device, download, receipt)
        except Stopped:
            self._failing.stopped(download)
        except TransferFailed as failed:
            self._failing.failed(download, failed, client)
        except DeviceTrouble as trouble:
            self._failing.device(download, trouble)
        except JellyfinTrouble as trouble:
            self._failing.jellyfin(download, trouble, client)
        except Exception:
            self._failing.unforeseen(download)
            raise

    def _make_sure_of_room(self, device: Attached, download: Download) -> None:
        size = download.size or 0
        remaining = max(0, size - download.bytes_downloaded)
        refusal = self._shelf.reserve(device, download.id, remaining=remaining, size=size)
        if refusal is not None:
            self._failing.no_room(download, refusal)
            raise Stopped(refusal.message)

    def _fetch(
        self, device: Attached, client: Jellyfin, download: Download, stop: Event
    ) -> Receipt:
        self._transfers.begin(download.id, held=download.bytes_downloaded, size=download.size)
        job = Job(
            download_id=download.id,
            url=client.download_url(download.item_id),
            headers=client.authorization_header(),
            part=device.folder.part(download.id),
            known_size=download.expected_size,
            validator=download.validator,
            held=download.bytes_downloaded,
        )
        return self._engine.fetch(job, _Report(download, self._downloads, self._transfers), stop)

    def _finish(self, device: Attached, download: Download, receipt: Receipt) -> None:
        device.folder.check()
        if not self._downloads.finalizing(
            download.id,
            size=receipt.size,
            content_hash=receipt.content_hash,
            mime_type=receipt.mime_type,
        ):
            raise Stopped("it is no longer wanted")
        device.folder.finish(device.folder.part(download.id), download.file_path)
        if self._downloads.arrive(
            download,
            size=receipt.size,
            content_hash=receipt.content_hash,
            mime_type=receipt.mime_type,
        ):
            log.info("%s arrived on %s", download.file_path, device.settings.name)
            self._failing.arrived(download)
