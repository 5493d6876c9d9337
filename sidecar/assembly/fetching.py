"""What brings the files and looks after the devices."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cached_property
from threading import Event
from typing import BinaryIO

from sidecar.assembly.wanting import Wanting
from sidecar.domain.space.eviction import in_use
from sidecar.domain.transfers.wholeness import Wholeness
from sidecar.services.accounts.auto_sign_in import AutoSignIn
from sidecar.services.generated_files.companions import CompanionWriter
from sidecar.services.generated_files.index import IndexWriter
from sidecar.services.generated_files.playlists import PlaylistWriter
from sidecar.services.housekeeping import Housekeeping
from sidecar.services.removals.monitor import RemovalMonitor
from sidecar.services.removals.record import RemovalRecorder
from sidecar.services.space.planner import SpacePlanner, no_block
from sidecar.services.syncthing.peers import PeerMonitor
from sidecar.services.transfers.device_copy import DeviceCopy
from sidecar.services.transfers.failures import FailurePolicy
from sidecar.services.transfers.finish import Finisher
from sidecar.services.transfers.progress import ProgressTracker
from sidecar.services.transfers.recovery import DeviceRecovery
from sidecar.services.transfers.worker import Worker
from sidecar.store.files.companions import CompanionFiles
from sidecar.store.files.completed import CompletedFiles
from sidecar.syncthing.client import Syncthing
from sidecar.syncthing.connection import SyncthingConnection
from sidecar.threads import WorkerPool
from sidecar.transfer.bandwidth import Bandwidth
from sidecar.transfer.engine import Engine
from sidecar.transfer.engines import make_engine
from sidecar.transfer.wholeness.checker import WholenessChecker


class Fetching(Wanting):
    """What brings the files and looks after the devices."""

    @cached_property
    def room(self) -> SpacePlanner:
        """Keeps the devices within their limits."""
        return SpacePlanner(
            db=self._store.db,
            registry=self.registry,
            downloads=self._store.downloads,
            problems=self.problems,
            bus=self._bus,
            in_use=lambda: in_use(self.watching.now()),
            clock=self._clock,
            awaited=self.peers.waiting if self.peers else no_block,
        )

    @cached_property
    def peers(self) -> PeerMonitor | None:
        """What Syncthing carries further; None if there is none in the settings."""
        settings = self._settings.syncthing
        if settings.url is None:
            return None
        connection = SyncthingConnection(
            settings.url, key=settings.read_key, certificate=settings.certificate
        )
        return PeerMonitor(
            Syncthing(connection),
            registry=self.registry,
            arrivals=self._store.arrivals,
            problems=self.problems,
            bus=self._bus,
            clock=self._clock,
        )

    @cached_property
    def stick_writer(self) -> IndexWriter:
        """What writes the pages and manifests that lie on the devices."""
        writer = IndexWriter(
            registry=self.registry,
            on_device=CompletedFiles(self._store.db),
            problems=self.problems,
            server_id=lambda: self.accounts.server_id,
            clock=self._clock,
        )
        self._bus.subscribe(writer.hear)
        return writer

    @cached_property
    def playlist_writer(self) -> PlaylistWriter:
        """What writes the playlists that lie on the devices."""
        writer = PlaylistWriter(
            registry=self.registry,
            orders=self._store.playlist_orders,
            on_device=CompletedFiles(self._store.db),
            problems=self.problems,
            clock=self._clock,
        )
        self._bus.subscribe(writer.hear)
        return writer

    @cached_property
    def beside_writer(self) -> CompanionWriter:
        """What puts covers, lyrics and subtitles beside the files."""
        writer = CompanionWriter(
            registry=self.registry,
            on_device=CompletedFiles(self._store.db),
            beside=CompanionFiles(self._store.db),
            client=self.accounts.client,
            cover_changed=self.stick_writer.changed,
            problems=self.problems,
            clock=self._clock,
        )
        self._bus.subscribe(writer.hear)
        return writer

    @cached_property
    def removals(self) -> RemovalMonitor:
        """Notices what people do on the devices."""
        store = self._store
        return RemovalMonitor(
            downloads=store.downloads,
            verdicts=RemovalRecorder(store.db, store.downloads, store.holds, self._clock),
            registry=self.registry,
            problems=self.problems,
            bus=self._bus,
            clock=self._clock,
        )

    @cached_property
    def transfers(self) -> ProgressTracker:
        """What runs now, and how fast."""
        return ProgressTracker(self._bus, self._clock)

    @cached_property
    def failing(self) -> FailurePolicy:
        """Decides what follows from a failure."""
        return FailurePolicy(
            downloads=self._store.downloads,
            accounts=self.accounts,
            registry=self.registry,
            server=self.server,
            clock=self._clock,
            chance=random.random,
            make_room=self.room.make_room,
        )

    @cached_property
    def engine(self) -> tuple[Engine, Callable[[Event], None] | None]:
        """What moves the bytes, and the thread that it needs, if it needs one.

        Raises:
            errors.ConfigError: The program that is asked for is not installed.
        """
        bandwidth = Bandwidth(self._clock, self.speed.of)
        return make_engine(self._settings, self._clock, bandwidth)

    def new_worker(self) -> Worker:
        """Return another worker."""
        return Worker(
            engine=self.engine[0],
            downloads=self._store.downloads,
            accounts=self.accounts,
            registry=self.registry,
            server=self.server,
            problems=self.problems,
            transfers=self.transfers,
            claims=self.claims,
            failing=self.failing,
            copies=DeviceCopy(self.registry, self._store.downloads),
            clock=self._clock,
            held_back=self.room.held_back,
            own_only=self.network.own_only,
            finishing=Finisher(
                self._store.downloads,
                converter=self.workshop.converter,
                wanted=self.formats.wanted,
            ),
            converters=self.converters,
            check_whole=self._check_whole,
        )

    def _check_whole(
        self, file: BinaryIO, container: str, seconds: float | None, stop: Event
    ) -> Wholeness:
        checker = WholenessChecker(self.workshop.programs, self._clock)
        return checker.check_open(file, container=container, expected_seconds=seconds, stop=stop)

    @cached_property
    def converters(self) -> WorkerPool:
        """Those who convert what was fetched; as many may wait as are at work."""
        return WorkerPool(self._settings.transfer.converters)

    @cached_property
    def keeping(self) -> Housekeeping:
        """The housekeeping."""
        unattended = AutoSignIn(
            self._settings.jellyfin.username,
            self._settings.jellyfin.password,
            accounts=self.accounts,
            server=self.server,
            problems=self.problems,
        )
        return Housekeeping(
            db=self._store.db,
            downloads=self._store.downloads,
            registry=self.registry,
            settling=DeviceRecovery(self._store.downloads),
            planning=self.planning,
            room=self.room,
            formats=self.formats,
            originals=self.originals,
            network=self.network,
            server=self.server,
            sign_in=unattended.step,
            look_at_accounts=self.following.look,
            device_came=self.following.look_through_soon,
            clock=self._clock,
        )
