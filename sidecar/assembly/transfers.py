"""Creates the services for transfers: space, network, engine and workers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import BinaryIO

from sidecar.assembly.accounts import AccountServices
from sidecar.assembly.base import Base
from sidecar.assembly.devices import DeviceServices
from sidecar.assembly.rules import RuleServices
from sidecar.config.zones import load_zone
from sidecar.domain.downloads.download import Download
from sidecar.domain.transfers.network import NetworkVerdict
from sidecar.domain.transfers.wholeness import Wholeness
from sidecar.jellyfin.library.file_index import ServerFileIndex
from sidecar.process.threads import WorkerPool
from sidecar.services.accounts.hidden_files import is_hidden
from sidecar.services.space.planner import (
    DevicePlanState,
    Outlook,
    SpacePlanner,
    WaitingForRoom,
    no_block,
)
from sidecar.services.space.waits import Waits
from sidecar.services.transfers.failures import FailurePolicy
from sidecar.services.transfers.fetching.device_copy import DeviceCopy
from sidecar.services.transfers.fetching.fetch import Fetcher
from sidecar.services.transfers.fetching.progress import ProgressTracker
from sidecar.services.transfers.fetching.shared_progress import SharedProgress
from sidecar.services.transfers.finishing.finish import Finisher
from sidecar.services.transfers.finishing.tag_completion import TagCompletion, TagCompletionParts
from sidecar.services.transfers.finishing.tag_wishes import TagWishBook
from sidecar.services.transfers.policy.blocking import FileBlocking
from sidecar.services.transfers.policy.network import NetworkPolicy
from sidecar.services.transfers.policy.next_download import HeldBack, NextDownload
from sidecar.services.transfers.policy.owners import OtherOwners
from sidecar.services.transfers.policy.speed_limits import SpeedLimits
from sidecar.services.transfers.worker import Worker
from sidecar.transfer.bandwidth import Bandwidth
from sidecar.transfer.engine import Engine
from sidecar.transfer.engines import make_engine
from sidecar.transfer.network import WayOut
from sidecar.transfer.tagging.completer import TagCompleter
from sidecar.transfer.wholeness.checker import WholenessChecker


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferServices:
    """The services for transfers.

    Attributes:
        shared_progress: Knows the transfers of other machines where no Redis tells them.
        outlook: Returns the plan of a device, wherever that is.
        verdict_on: Returns what may be fetched for a device now, wherever that is.
        waits: Finds what keeps downloads from coming.
        engine_thread: Function for the thread that the engine needs; None if it needs none.
        converters: Threads that convert fetched files; as many jobs may wait as there are threads.
        taking: Claims downloads for the workers.
        new_worker: Returns a new worker.
        tags: Completes the tags of files that are on devices already.
        owners: Gives downloads to other owners.
    """

    space: SpacePlanner
    network: NetworkPolicy
    speed: SpeedLimits
    progress: ProgressTracker
    shared_progress: SharedProgress
    outlook: Outlook
    verdict_on: Callable[[str], NetworkVerdict | None]
    waits: Waits
    engine_thread: Callable[[Event], None] | None
    converters: WorkerPool
    taking: NextDownload
    new_worker: Callable[[], Worker]
    tags: TagCompletion
    owners: OtherOwners
    blocking: FileBlocking


def make_transfers(
    base: Base, accounts: AccountServices, devices: DeviceServices, rules: RuleServices
) -> TransferServices:
    """Create the services for transfers.

    Raises:
        errors.ConfigError: The program that should transfer files is not installed.
    """
    space, network = _space(base, accounts, devices, rules), _network(base, devices)
    outlook = devices.reports.share("plan", DevicePlanState, space.outlook, tell=space.last_plan)
    verdict_on = devices.reports.share("network", NetworkVerdict, network.verdict_on)
    waiting = devices.reports.share("waiting-for-room", WaitingForRoom, space.waiting_for_room)
    speed = _speed(base, devices)
    engine, engine_thread = make_engine(base.settings, base.clock, Bandwidth(base.clock, speed.of))
    progress = ProgressTracker(base.bus, base.clock)
    converters = WorkerPool(base.settings.transfer.converters)
    wishes, completer = TagWishBook(accounts.service.client), TagCompleter(base.clock)
    blocking = FileBlocking(base.store.downloads, accounts.problems, base.clock)
    owners = OtherOwners(
        base.store, accounts=accounts.service, server=accounts.server, problems=accounts.problems
    )
    failing = _failing(
        base, accounts, devices, rules, blocking=blocking, owners=owners, make_room=space.make_room
    )
    base.bus.subscribe(failing.hear)
    finishing = Finisher(
        base.store.downloads,
        converter=devices.converting.converter,
        film_converter=devices.converting.film_converter,
        wanted=devices.formats.wanted,
        wishes=wishes.of,
        completer=completer,
    )
    taking = _taking(base, accounts, devices, HeldBack(space.held_back, network.own_only), blocking)
    return TransferServices(
        space=space,
        network=network,
        speed=speed,
        progress=progress,
        shared_progress=SharedProgress(
            progress,
            base.store.downloads,
            registry=devices.registry,
            reports=devices.reports,
            bus=base.bus,
        ),
        outlook=outlook,
        verdict_on=verdict_on,
        waits=Waits(
            problems=accounts.problems,
            trouble_of=devices.registry.trouble_of,
            settings_of=devices.settings.of,
            verdict_on=verdict_on,
            waiting_for_room=waiting,
            holds=base.store.holds,
            clock=base.clock,
        ),
        engine_thread=engine_thread,
        converters=converters,
        taking=taking,
        new_worker=partial(
            Worker,
            taking=taking,
            fetching=_fetching(base, devices, engine, progress, blocking),
            finishing=finishing,
            failing=failing,
            accounts=accounts.service,
            registry=devices.registry,
            converters=converters,
        ),
        tags=_tags(base, accounts, devices, wishes, completer),
        owners=owners,
        blocking=blocking,
    )


def _space(
    base: Base, accounts: AccountServices, devices: DeviceServices, rules: RuleServices
) -> SpacePlanner:
    return SpacePlanner(
        stores=base.store,
        registry=devices.registry,
        problems=accounts.problems,
        bus=base.bus,
        in_use=rules.in_use,
        clock=base.clock,
        awaited=devices.peers.waiting if devices.peers else no_block,
        is_over=base.is_stopping,
    )


def _network(base: Base, devices: DeviceServices) -> NetworkPolicy:
    return NetworkPolicy(
        lambda: base.configuration.now().network,
        stores=base.store,
        look=WayOut().look,
        registry=devices.registry,
        claims=devices.claims,
        bus=base.bus,
        clock=base.clock,
    )


def _speed(base: Base, devices: DeviceServices) -> SpeedLimits:
    return SpeedLimits(
        lambda: base.configuration.now().transfer,
        zone=lambda: load_zone(base.configuration.now().network.time_zone),
        registry=devices.registry,
        meta=base.store.meta,
        clock=base.clock,
    )


def _failing(
    base: Base,
    accounts: AccountServices,
    devices: DeviceServices,
    rules: RuleServices,
    *,
    blocking: FileBlocking,
    owners: OtherOwners,
    make_room: Callable[[Download], bool],
) -> FailurePolicy:
    return FailurePolicy(
        downloads=base.store.downloads,
        accounts=accounts.service,
        registry=devices.registry,
        server=accounts.server,
        clock=base.clock,
        chance=random.random,
        blocking=blocking,
        owners=owners,
        make_room=make_room,
        is_hidden=is_hidden,
        look_for=lambda download, client: rules.matching.look_for(
            ServerFileIndex(client), download
        ),
    )


def _taking(
    base: Base,
    accounts: AccountServices,
    devices: DeviceServices,
    held_back: HeldBack,
    blocking: FileBlocking,
) -> NextDownload:
    return NextDownload(
        downloads=base.store.downloads,
        registry=devices.registry,
        server=accounts.server,
        problems=accounts.problems,
        claims=devices.claims,
        clock=base.clock,
        held_back=held_back,
        blocking=blocking,
    )


def _fetching(
    base: Base,
    devices: DeviceServices,
    engine: Engine,
    progress: ProgressTracker,
    blocking: FileBlocking,
) -> Fetcher:
    def check_whole(
        file: BinaryIO, container: str, seconds: float | None, stop: Event
    ) -> Wholeness:
        checker = WholenessChecker(devices.converting.programs, base.clock)
        return checker.check_open(file, container=container, expected_seconds=seconds, stop=stop)

    return Fetcher(
        engine=engine,
        downloads=base.store.downloads,
        copies=DeviceCopy(devices.registry, base.store.downloads),
        progress=progress,
        came_through=blocking.came_through,
        check_whole=check_whole,
        fit=devices.taken.fit,
    )


def _tags(
    base: Base,
    accounts: AccountServices,
    devices: DeviceServices,
    wishes: TagWishBook,
    completer: TagCompleter,
) -> TagCompletion:
    return TagCompletion(
        TagCompletionParts(
            registry=devices.registry,
            downloads=base.store.downloads,
            store=base.store.formats,
            claims=devices.claims,
            completer=completer,
            of=devices.formats.of,
            wishes=partial(wishes.of, must_know=True),
            server_is_there=lambda: accounts.server.is_there,
            bus=base.bus,
            clock=base.clock,
        )
    )
