"""One worker's step: claim a download, move its bytes, finish it; or say what stood in the way.

    claim ─▶ device and room ─▶ engine: opened, synced … ─▶ (converted) ─▶ finished: arrives
                 │                    │                         │
                 └── trouble ─────────┴─────────────────────────┴──▶ `services.transfers.failures`
                 decides

A file of another length than the server's last scan says is looked into before it counts.

What another device has is copied from there, and the engine asked only if that cannot be done.
What has to be converted is handed over, claim and all, so that the worker can fetch the next one.
A worker holds one download at a time, over one connection, and takes none while the server, the
account or the device is in trouble.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import BinaryIO

from sidecar.clock import Clock
from sidecar.domain.downloads.states import EMPTY, Download, Validator
from sidecar.domain.formats.formats import Target, estimate
from sidecar.domain.transfers.failures import TransferFailed
from sidecar.domain.transfers.response import is_believed, unproved
from sidecar.domain.transfers.wholeness import Verdict, Wholeness
from sidecar.errors import DeviceError, JellyfinError, Stopped
from sidecar.jellyfin.client import Jellyfin
from sidecar.messages import msg
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.jellyfin_status import JellyfinStatus
from sidecar.services.problems import ProblemKind, Problems
from sidecar.services.transfers.claims import Claims
from sidecar.services.transfers.device_copy import Copied, DeviceCopy
from sidecar.services.transfers.failures import FailurePolicy
from sidecar.services.transfers.finish import Finisher
from sidecar.services.transfers.progress import ProgressTracker
from sidecar.services.transfers.tag_completion import MORE_BYTES, needs_room_for_two
from sidecar.store.downloads.queue import Downloads
from sidecar.threads import Wakeup, WorkerPool, attempt
from sidecar.transfer.copying import CopyFailed
from sidecar.transfer.engine import Engine, Job, Receipt
from sidecar.transfer.faults import disk_failure

log = logging.getLogger(__name__)

IDLE_S = 5.0
# Whether a file is whole, by its bytes: given the opened file, its extension, its running time by
# the server, and what ends the look. Raises OSError if the file cannot be read.
CheckWhole = Callable[[BinaryIO, str, float | None, Event], Wholeness]


def cannot_tell(
    _file: BinaryIO, _container: str, _seconds: float | None, _stop: Event
) -> Wholeness:
    """Say that nothing here can look into files."""
    return Wholeness(Verdict.UNKNOWN, msg("nothing here can look into it"), None)


@dataclass(frozen=True, slots=True)
class _Report:
    """Carries what the engine tells to the database and to the progress display."""

    download: Download
    downloads: Downloads
    transfers: ProgressTracker

    def opened(self, validator: Validator, *, held: int) -> None:
        self.transfers.resize(self.download.id, held=held, size=validator.total)
        anew = self.download.validator is None
        if not self.downloads.transitions.transfer_started(
            self.download.id, validator, held, anew=anew
        ):
            raise Stopped(msg("it is no longer wanted"))

    def synced(self, held: int) -> None:
        self.downloads.transitions.synced(self.download.id, held)

    def moved(self, held: int) -> None:
        self.transfers.moved(self.download.id, held)


@dataclass(slots=True)
class _Attempt:
    """One download in the hands of a worker, or of who converts it."""

    download: Download
    stop: Event
    client: Jellyfin | None = None


class Worker:
    """Does one download after another. One thread runs it."""

    def __init__(
        self,
        *,
        engine: Engine,
        downloads: Downloads,
        accounts: AccountService,
        registry: DeviceRegistry,
        server: JellyfinStatus,
        problems: Problems,
        transfers: ProgressTracker,
        claims: Claims,
        failing: FailurePolicy,
        copies: DeviceCopy,
        clock: Clock,
        held_back: Callable[[], Collection[int]] = frozenset,
        own_only: Callable[[], Collection[str]] = frozenset,
        finishing: Finisher | None = None,
        converters: WorkerPool | None = None,
        check_whole: CheckWhole = cannot_tell,
    ) -> None:
        self._engine = engine
        self._downloads = downloads
        self._accounts = accounts
        self._registry = registry
        self._server = server
        self._problems = problems
        self._transfers = transfers
        self._claims = claims
        self._failing = failing
        self._copies = copies
        self._clock = clock
        self._held_back = held_back
        self._own_only = own_only
        self._finishing = finishing or Finisher(downloads)
        self._converters = converters
        self._check_whole = check_whole

    def run(self, stop: Event, wakeup: Wakeup) -> None:
        """Step until `stop` is set; rest until the bell rings whenever there is nothing to do."""
        while not stop.is_set():
            if not attempt(self.step, "a worker"):
                wakeup.wait(IDLE_S)

    def step(self) -> bool:
        """Do one download, to its end or its failure; return False if there is nothing to do."""
        if not self._server.is_there:
            return False
        taken = self._claims.take(self._claim)
        if taken is None:
            return False
        claimed, stop = taken
        attempt, is_handed_over = _Attempt(self._finishing.fresh(claimed), stop), False
        try:
            with self._judged(attempt):
                is_handed_over = self._bring(attempt)
        finally:
            if not is_handed_over:
                self._let_go(attempt.download)
        return True

    def _let_go(self, download: Download) -> None:
        if self._finishing.target(download) is not None or needs_room_for_two(download):
            with suppress(DeviceError):
                self._registry.get(download.device_id).folder.converted(download.id).remove()
        self._transfers.end(download.id)
        self._registry.unreserve(download.id)
        self._claims.end(download.id)

    def _claim(self, busy: Collection[int]) -> Download | None:
        return self._downloads.queue.claim(
            self._clock.now(),
            blocked_devices=self._registry.blocked(),
            blocked_users=set(self._problems.all_of(ProblemKind.ACCOUNT)),
            busy=[*busy, *self._held_back()],
            own_only=self._own_only(),
        )

    def _bring(self, attempt: _Attempt) -> bool:
        """Fetch and finish a download; return whether it was handed over to be converted."""
        download = attempt.download
        device = self._device(download)
        client = attempt.client = self._accounts.client(download.user_id)
        target = self._finishing.target(download)
        self._make_sure_of_room(device, download, target)
        found = self._fetch(device, client, download, attempt.stop)
        if isinstance(found, Copied) and found.twin is not None:
            ready = self._finishing.as_copied(
                device, download, found.receipt, found.twin, attempt.stop
            )
        else:
            receipt = found.receipt if isinstance(found, Copied) else found
            if target is not None:
                return self._convert(attempt, device, receipt, target)
            ready = self._finishing.as_fetched(device, download, receipt, attempt.stop)
        if self._finishing.finish(device, download, ready):
            self._failing.arrived(download)
        return False

    def _convert(
        self, attempt: _Attempt, device: AttachedDevice, receipt: Receipt, target: Target
    ) -> bool:
        """Convert here, or have it converted; return whether it was handed over."""
        self._downloads.transitions.synced(attempt.download.id, receipt.size)
        self._transfers.convert(attempt.download.id)
        work = partial(self._converted, attempt, device, receipt, target)
        if self._converters is None:
            work()
            return False
        self._converters.submit(partial(self._convert_elsewhere, attempt, work), attempt.stop)
        return True

    def _convert_elsewhere(self, attempt: _Attempt, work: Callable[[], None]) -> None:
        try:
            with self._judged(attempt):
                work()
        finally:
            self._let_go(attempt.download)

    def _converted(
        self, attempt: _Attempt, device: AttachedDevice, receipt: Receipt, target: Target
    ) -> None:
        download = attempt.download
        ready = self._finishing.convert(device, download, receipt, target, attempt.stop)
        if self._finishing.finish(device, download, ready):
            self._failing.arrived(download)

    @contextmanager
    def _judged(self, attempt: _Attempt) -> Iterator[None]:
        """Have it decided what follows from whatever goes wrong."""
        download = attempt.download
        try:
            yield
        except Stopped:
            self._failing.stopped(download)
            self._sweep(download)
        except TransferFailed as failed:
            self._failing.failed(download, failed, attempt.client)
        except DeviceError as trouble:
            self._failing.device(download, trouble)
        except JellyfinError as trouble:
            self._failing.jellyfin(download, trouble, attempt.client)
        except Exception:
            self._failing.unforeseen(download)
            raise

    def _sweep(self, download: Download) -> None:
        """What was cancelled while it ran leaves nothing behind."""
        kept = self._downloads.queue.kept_parts(download.device_id)
        if self._downloads.queries.get(download.id) is None and download.id not in kept:
            with suppress(DeviceError):
                self._registry.get(download.device_id).folder.part(download.id).remove()

    def _device(self, download: Download) -> AttachedDevice:
        """It may have been paused after the claim and before anybody could stop this attempt."""
        if self._registry.is_paused(download.device_id):
            raise Stopped(msg("its device is paused"))
        return self._registry.get(download.device_id)

    def _make_sure_of_room(
        self, device: AttachedDevice, download: Download, target: Target | None
    ) -> None:
        size, source = download.size or 0, 0
        remaining = max(0, size - download.bytes_downloaded)
        if target is not None:
            likely = estimate(target, seconds=download.seconds, source_size=size) or 0
            size, source, remaining = likely, size, remaining + likely
        elif needs_room_for_two(download):
            size, source, remaining = size + MORE_BYTES, size, remaining + size + MORE_BYTES
        if device.settings.keep_original and target is not None:
            size, source = size + source, 0
        refusal = self._registry.reserve(
            device, download.id, remaining=remaining, size=size, source=source
        )
        if refusal is not None:
            self._failing.no_room(download, refusal)
            raise Stopped(refusal.message)

    def _fetch(
        self, device: AttachedDevice, client: Jellyfin, download: Download, stop: Event
    ) -> Copied | Receipt:
        self._transfers.begin(download.id, held=download.bytes_downloaded, size=download.size)
        report = self._report(download)
        try:
            copied = self._copies.bring(device, client, download, report, stop)
        except CopyFailed:
            copied, download = None, replace(download, validator=None, bytes_downloaded=0)
        return copied or self._ask_for(device, client, download, stop)

    def _ask_for(
        self, device: AttachedDevice, client: Jellyfin, download: Download, stop: Event
    ) -> Receipt:
        came = download.validator
        is_odd = came is not None and came.total not in {None, download.expected_size}
        if is_odd or download.error_code == EMPTY:
            # The server may have looked at the file again since it was queued.
            item = client.item(download.item_id)
            self._downloads.transitions.rescanned(download.id, item)
            download = replace(download, expected_size=item.size, seconds=item.seconds)
        job = Job(
            download_id=download.id,
            url=client.download_url(download.item_id),
            headers=client.authorization_header(),
            part=device.folder.part(download.id),
            known_size=download.expected_size,
            validator=download.validator,
            held=download.bytes_downloaded,
            accepted=download.accepted,
            device_id=device.id,
        )
        receipt = self._engine.fetch(job, self._report(download), stop)
        if receipt.is_unlike_scan:
            self._prove_whole(device, download, receipt, stop)
        return receipt

    def _prove_whole(
        self, device: AttachedDevice, download: Download, receipt: Receipt, stop: Event
    ) -> None:
        """Look into a file of another length than the server's last scan says.

        Raises:
            domain.failures.TransferFailed: It does not prove whole, and is kept as the part; or
                the device cannot be read.
            errors.Stopped: `stop` was set.
        """
        self._downloads.transitions.synced(download.id, receipt.size)
        extension = download.source_extension or ""
        with device.folder.part(download.id).open() as part:
            try:
                found = self._check_whole(part, extension, download.seconds, stop)
            except OSError as error:
                raise TransferFailed(disk_failure(error)) from error
        log.info(
            "%s has %d bytes, not %s as scanned: %s, %s",
            download.title,
            receipt.size,
            download.expected_size,
            found.verdict,
            found.detail,
        )
        if is_believed(found.verdict, receipt.size, download.expected_size):
            return
        raise TransferFailed(unproved(receipt.size, download.expected_size))

    def _report(self, download: Download) -> _Report:
        return _Report(download, self._downloads, self._transfers)
