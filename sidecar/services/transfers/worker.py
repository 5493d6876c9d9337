"""The worker: claims a download, fetches and finishes it, and hands errors to `failures`.

    claim ─▶ device and space ─▶ engine: opened, synced … ─▶ (converted) ─▶ finished, arrived
                 │                    │                         │
                 └── error ───────────┴─────────────────────────┴──▶ `services.transfers.failures`

A file that another device has is copied from there; the engine is used only if that is impossible.
A file that has to be converted is handed over with its claim, so that the worker can fetch the next
one; so is a whole one while others are being finished on its device. A worker fetches one download
at a time, over one connection, and takes none that waits for a problem of the server, the account
or the device.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Event

from sidecar.domain.downloads.download import Download
from sidecar.domain.formats.formats import AnyTarget
from sidecar.domain.space.space import SpaceRefusal
from sidecar.domain.transfers.failures import TransferFailed
from sidecar.domain.transfers.response import larger_failure
from sidecar.errors import DeviceError, JellyfinError, Stopped
from sidecar.jellyfin.client import Jellyfin
from sidecar.messages import msg
from sidecar.process.threads import Wakeup, WorkerPool, attempt
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.transfers.failures import FailurePolicy
from sidecar.services.transfers.fetching.device_copy import Copied
from sidecar.services.transfers.fetching.fetch import Fetcher
from sidecar.services.transfers.finishing.finish import FinishedPart, Finisher, Outcome
from sidecar.services.transfers.finishing.tag_completion import MORE_BYTES, needs_room_for_two
from sidecar.services.transfers.policy.next_download import NextDownload
from sidecar.transfer.engine import Receipt

log = logging.getLogger(__name__)

IDLE_S = 5.0


@dataclass(slots=True)
class _Attempt:
    """A claimed download with its stop event, and the client once it is known."""

    download: Download
    stop: Event
    client: Jellyfin | None = None


class Worker:
    """Fetches and finishes one download after another. One thread runs it."""

    def __init__(
        self,
        *,
        taking: NextDownload,
        fetching: Fetcher,
        finishing: Finisher,
        failing: FailurePolicy,
        accounts: AccountService,
        registry: DeviceRegistry,
        converters: WorkerPool | None = None,
    ) -> None:
        """Prepare.

        Args:
            taking: Claims the next download.
            fetching: Fetches its bytes.
            finishing: Converts the file, and gives it its name.
            failing: Carries out what follows from an error.
            accounts: The accounts whose tokens are used.
            registry: The devices.
            converters: Threads that convert; None converts in this thread.
        """
        self._taking = taking
        self._fetching = fetching
        self._finishing = finishing
        self._failing = failing
        self._accounts = accounts
        self._registry = registry
        self._converters = converters

    def run(self, stop: Event, wakeup: Wakeup) -> None:
        """Step until `stop` is set; wait until woken whenever there is nothing to do."""
        while not stop.is_set():
            rings = wakeup.rings
            found = attempt(self.step, "a worker")
            if not found:
                # What comes while it looks is not missed; after an error it rests in any case.
                wakeup.wait(IDLE_S, since=None if found is None else rings)

    def step(self) -> bool:
        """Process one download to its end or failure; return False if there is nothing to do."""
        taken = self._taking.take()
        if taken is None:
            return False
        attempt, is_handed_over = _Attempt(*taken), False
        try:
            is_handed_over = self._judged(attempt, partial(self._bring, attempt))
        finally:
            if not is_handed_over:
                self._let_go(attempt.download)
        return True

    def _let_go(self, download: Download) -> None:
        try:
            if self._finishing.target(download) is not None or needs_room_for_two(download):
                with suppress(DeviceError):
                    self._registry.get(download.device_id).folder.converted(download.id).remove()
        finally:
            # Whatever fails: what is busy for ever nobody would fetch before the next start.
            self._fetching.end(download)
            self._registry.unreserve(download.id)
            self._taking.end(download)

    def _bring(self, attempt: _Attempt) -> None:
        """Fetch a download, and hand it over to be finished, or to be converted before."""
        download = attempt.download = self._finishing.fresh(attempt.download)
        device = self._device(download)
        client = attempt.client = self._accounts.client(download.user_id)
        target = self._finishing.target(download)
        self._make_sure_of_room(device, download, target)
        found = self._fetching.fetch(
            device,
            client,
            download,
            attempt.stop,
            make_room=partial(self._make_sure_of_more_room, device, target),
            is_read_again=target is not None or needs_room_for_two(download),
        )
        if isinstance(found, Copied) and found.twin is not None:
            ready = self._finishing.as_copied(
                device, download, found.receipt, found.twin, attempt.stop
            )
        else:
            receipt = found.receipt if isinstance(found, Copied) else found
            if target is not None:
                self._convert(attempt, device, receipt, target)
                return
            ready = self._finishing.as_fetched(device, download, receipt, attempt.stop)
        self._finish(attempt, device, ready)

    def _convert(
        self, attempt: _Attempt, device: AttachedDevice, receipt: Receipt, target: AnyTarget
    ) -> None:
        """Convert and finish a file here, or hand it over to be converted."""
        self._fetching.is_whole(attempt.download, receipt)
        work = partial(self._converted, attempt, device, receipt, target)
        if self._converters is None:
            work()
        else:
            self._converters.submit(partial(self._convert_elsewhere, attempt, work), attempt.stop)

    def _convert_elsewhere(self, attempt: _Attempt, work: Callable[[], None]) -> None:
        is_handed_over = False
        try:
            is_handed_over = self._judged(attempt, work)
        finally:
            if not is_handed_over:
                self._let_go(attempt.download)

    def _converted(
        self, attempt: _Attempt, device: AttachedDevice, receipt: Receipt, target: AnyTarget
    ) -> None:
        download = attempt.download
        ready = self._finishing.convert(
            device,
            download,
            receipt,
            target,
            attempt.stop,
            converted=partial(self._fetching.converted, download),
        )
        self._finish(attempt, device, ready)

    def _finish(self, attempt: _Attempt, device: AttachedDevice, ready: FinishedPart) -> None:
        ended = partial(self._ended, attempt)
        self._finishing.finish_soon(device, attempt.download, ready, ended)

    def _ended(self, attempt: _Attempt, outcome: Outcome) -> None:
        try:
            self._judged(attempt, partial(self._note_outcome, attempt.download, outcome))
        finally:
            self._let_go(attempt.download)

    def _note_outcome(self, download: Download, outcome: Outcome) -> None:
        if isinstance(outcome, Exception):
            raise outcome
        if outcome:
            self._taking.arrived(download)
            self._failing.arrived(download)

    def _judged(self, attempt: _Attempt, work: Callable[[], object]) -> bool:
        """Do some work, and hand any error to the failure policy; return whether it is done."""
        download = attempt.download
        try:
            work()
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
        else:
            return True
        return False

    def _sweep(self, download: Download) -> None:
        """Remove the part file of a download that was cancelled while it ran."""
        if not self._fetching.is_part_kept(download):
            with suppress(DeviceError):
                self._registry.get(download.device_id).remove_fetched(download.id)

    def _device(self, download: Download) -> AttachedDevice:
        """Return the device, which may have been paused between the claim and now."""
        if self._registry.is_paused(download.device_id):
            raise Stopped(msg("its device is paused"))
        return self._registry.get(download.device_id)

    def _make_sure_of_room(
        self, device: AttachedDevice, download: Download, target: AnyTarget | None
    ) -> None:
        refusal = self._reserve(device, download, target)
        if refusal is not None:
            self._failing.no_room(download, refusal)
            raise Stopped(refusal.message)

    def _make_sure_of_more_room(
        self, device: AttachedDevice, target: AnyTarget | None, larger: Download
    ) -> None:
        """Reserve room for a file that the server says is larger than was known."""
        refusal = self._reserve(device, larger, target)
        if refusal is None:
            return
        if larger.expected_size not in {None, larger.size}:
            # Whatever says so may be wrong: a plan for that size would push others away.
            raise TransferFailed(larger_failure(larger.size or 0, larger.expected_size or 0))
        self._failing.no_room(larger, refusal)
        raise Stopped(refusal.message)

    def _reserve(
        self, device: AttachedDevice, download: Download, target: AnyTarget | None
    ) -> SpaceRefusal | None:
        """Reserve room for a download; return why there is none, or None."""
        size, source = download.size or 0, 0
        remaining = max(0, size - download.bytes_downloaded)
        if target is not None:
            likely = target.estimate(seconds=download.seconds, source_size=size) or 0
            work_bytes = target.work_bytes(likely)
            there = device.folder.film(download.id).read_allocated() if work_bytes else 0
            remaining += likely + max(0, work_bytes - there)
            size, source = likely, size + work_bytes
        elif needs_room_for_two(download):
            size, source, remaining = size + MORE_BYTES, size, remaining + size + MORE_BYTES
        if device.settings.keep_original and target is not None:
            original = download.size or 0
            size, source = size + original, source - original
        return self._registry.reserve(
            device, download.id, remaining=remaining, size=size, source=source
        )
