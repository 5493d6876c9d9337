"""What brings the files: space, network, engine and workers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import BinaryIO

from sidecar.assembly.accounts import AccountServices
from sidecar.assembly.base import Base
from sidecar.assembly.devices import DeviceServices
from sidecar.assembly.rules import RuleServices
from sidecar.config.zones import zone
from sidecar.domain.space.eviction import in_use
from sidecar.domain.transfers.wholeness import Wholeness
from sidecar.jellyfin.library.file_index import ServerFileIndex
from sidecar.services.space.planner import SpacePlanner, no_block
from sidecar.services.transfers.device_copy import DeviceCopy
from sidecar.services.transfers.failures import FailurePolicy
from sidecar.services.transfers.finish import Finisher
from sidecar.services.transfers.network_policy import NetworkPolicy
from sidecar.services.transfers.progress import ProgressTracker
from sidecar.services.transfers.speed_limits import SpeedLimits
from sidecar.services.transfers.tag_completion import TagCompletion, TagCompletionParts
from sidecar.services.transfers.tag_wishes import TagWishBook
from sidecar.services.transfers.worker import Worker
from sidecar.store.downloads.formats import FormatStore
from sidecar.threads import WorkerPool
from sidecar.transfer.bandwidth import Bandwidth
from sidecar.transfer.engines import make_engine
from sidecar.transfer.network import WayOut
from sidecar.transfer.tagging.completer import TagCompleter
from sidecar.transfer.wholeness.checker import WholenessChecker


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferServices:
    """What brings the files: space, network, engine and workers.

    Attributes:
        engine_thread: The body of the thread that the engine needs, if it needs one.
        converters: Those who convert what was fetched; as many may wait as are at work.
        new_worker: Returns another worker.
        tags: Completes the tags of files that are there already.
    """

    space: SpacePlanner
    network: NetworkPolicy
    speed: SpeedLimits
    progress: ProgressTracker
    engine_thread: Callable[[Event], None] | None
    converters: WorkerPool
    new_worker: Callable[[], Worker]
    tags: TagCompletion


def make_transfers(
    base: Base, accounts: AccountServices, devices: DeviceServices, rules: RuleServices
) -> TransferServices:
    """Return the services for transfers.

    Raises:
        errors.ConfigError: The program that is to transfer files is not installed.
    """
    settings, store, clock = base.settings, base.store, base.clock
    time_zone = zone(settings.network.time_zone)
    space = SpacePlanner(
        db=store.db,
        registry=devices.registry,
        downloads=store.downloads,
        problems=accounts.problems,
        bus=base.bus,
        in_use=lambda: in_use(rules.watching.now()),
        clock=clock,
        awaited=devices.peers.waiting if devices.peers else no_block,
    )
    network = NetworkPolicy(
        settings.network,
        zone=time_zone,
        look=WayOut().look,
        registry=devices.registry,
        claims=devices.claims,
        holds=store.holds,
        meta=store.meta,
        bus=base.bus,
        clock=clock,
    )
    speed = SpeedLimits(
        settings.transfer,
        zone=time_zone,
        registry=devices.registry,
        meta=store.meta,
        clock=clock,
    )
    engine, engine_thread = make_engine(settings, clock, Bandwidth(clock, speed.of))
    progress = ProgressTracker(base.bus, clock)
    wishes, completer = TagWishBook(accounts.service.client), TagCompleter(clock)
    tags = TagCompletion(
        TagCompletionParts(
            registry=devices.registry,
            downloads=store.downloads,
            store=FormatStore(store.db),
            claims=devices.claims,
            completer=completer,
            of=devices.formats.of,
            wishes=wishes.of,
            server_is_there=lambda: accounts.server.is_there,
            bus=base.bus,
            clock=clock,
        )
    )
    converters = WorkerPool(settings.transfer.converters)
    failing = FailurePolicy(
        downloads=store.downloads,
        accounts=accounts.service,
        registry=devices.registry,
        server=accounts.server,
        clock=clock,
        chance=random.random,
        make_room=space.make_room,
        look_for=lambda download, client: rules.matching.look_for(
            ServerFileIndex(client), download
        ),
    )

    def check_whole(
        file: BinaryIO, container: str, seconds: float | None, stop: Event
    ) -> Wholeness:
        checker = WholenessChecker(devices.converting.programs, clock)
        return checker.check_open(file, container=container, expected_seconds=seconds, stop=stop)

    def new_worker() -> Worker:
        return Worker(
            engine=engine,
            downloads=store.downloads,
            accounts=accounts.service,
            registry=devices.registry,
            server=accounts.server,
            problems=accounts.problems,
            transfers=progress,
            claims=devices.claims,
            failing=failing,
            copies=DeviceCopy(devices.registry, store.downloads),
            clock=clock,
            held_back=space.held_back,
            own_only=network.own_only,
            finishing=Finisher(
                store.downloads,
                converter=devices.converting.converter,
                wanted=devices.formats.wanted,
                wishes=wishes.of,
                completer=completer,
            ),
            converters=converters,
            check_whole=check_whole,
        )

    return TransferServices(
        space=space,
        network=network,
        speed=speed,
        progress=progress,
        engine_thread=engine_thread,
        converters=converters,
        new_worker=new_worker,
        tags=tags,
    )
