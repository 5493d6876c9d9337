"""Creates the services for devices: settings, access, formats, Syncthing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from sidecar.assembly.accounts import AccountServices
from sidecar.assembly.base import Base
from sidecar.domain.downloads.download import Move
from sidecar.events import Event, Sender, SettingsChanged
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.elsewhere import DevicesElsewhere
from sidecar.services.devices.orders import DeviceOrders
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.devices.reports import DeviceReports
from sidecar.services.devices.settings import DeviceSettingsService
from sidecar.services.devices.shared_problems import SharedProblems
from sidecar.services.devices.taken import TakenKinds
from sidecar.services.health.problems import Problem, ProblemKind, Problems
from sidecar.services.syncthing.peers import PeerMonitor
from sidecar.services.transfers.claims import Claims
from sidecar.services.transfers.finishing.formats import DeviceFormats, check_format
from sidecar.services.transfers.finishing.originals import KeptOriginals
from sidecar.store.devices.settings import DeviceSettingsStore
from sidecar.syncthing.client import Syncthing
from sidecar.syncthing.connection import SyncthingConnection
from sidecar.transfer.converting.availability import ConverterAvailability


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceServices:
    """The services for devices.

    Attributes:
        claims: The downloads that workers are busy with.
        orders: Asks other machines.
        reports: What is known of devices on other machines.
        shared_problems: Takes over their problems.
        peers: None if Syncthing is not configured.
    """

    claims: Claims
    converting: ConverterAvailability
    settings: DeviceSettingsService
    registry: DeviceRegistry
    orders: DeviceOrders
    reports: DeviceReports
    shared_problems: SharedProblems
    access: DeviceAccess
    formats: DeviceFormats
    taken: TakenKinds
    originals: KeptOriginals
    peers: PeerMonitor | None


def make_devices(base: Base, accounts: AccountServices) -> DeviceServices:
    """Create the services for devices, and subscribe them to the bus."""
    store, configured = base.store, base.settings.devices
    transitions = store.downloads.transitions
    claims = Claims(give_back=lambda claimed: transitions.move_all(claimed, Move.POSTPONE))
    base.bus.subscribe(claims.hear)
    converting = ConverterAvailability(base.settings.transfer.ffmpeg, base.clock)
    settings = DeviceSettingsService(
        configured,
        devices=store.devices,
        store=DeviceSettingsStore(store.db),
        stop_on=claims.stop_on,
        bus=base.bus,
        may_be=partial(check_format, can_make=converting.check),
    )
    base.bus.subscribe(settings.hear, Sender.ELSEWHERE)
    registry = DeviceRegistry(
        configured,
        current=settings.current,
        devices=store.devices,
        downloads=store.downloads,
        problems=accounts.problems,
        clock=base.clock,
        elsewhere=None
        if base.roles.is_alone
        else DevicesElsewhere(store.device_machines, base.machine, opens=base.roles.works),
    )
    base.bus.subscribe(partial(_hear_settings, base, settings, registry))
    base.sharing.findings.share(
        "problem",
        Problem,
        found=lambda: {**accounts.problems.to_tell(), **registry.troubles_to_tell()},
        tell=accounts.problems.take,
    )
    formats = DeviceFormats(
        settings,
        stores=store,
        registry=registry,
        claims=claims,
        item=lambda one: accounts.service.client(one.user_id).item(one.item_id),
        server_is_there=lambda: accounts.server.is_there,
    )
    base.bus.subscribe(formats.hear)
    taken = TakenKinds(settings, registry, store.downloads)
    base.bus.subscribe(taken.hear)
    originals = KeptOriginals(registry, store.formats)
    base.bus.subscribe(originals.hear)
    peers = _peers(base, accounts, registry)
    reports = DeviceReports(base.sharing.findings, registry)
    return DeviceServices(
        claims=claims,
        converting=converting,
        settings=settings,
        registry=registry,
        orders=DeviceOrders(store.orders, registry, store.processes, base.bus, base.clock),
        reports=reports,
        shared_problems=SharedProblems(
            _problem_finders(accounts.problems, peers),
            problems=accounts.problems,
            registry=registry,
            reports=reports,
        ),
        access=DeviceAccess(registry.settings, store.devices, accounts.service.all),
        formats=formats,
        taken=taken,
        originals=originals,
        peers=peers,
    )


def _hear_settings(
    base: Base, settings: DeviceSettingsService, registry: DeviceRegistry, news: Event
) -> None:
    if isinstance(news, SettingsChanged):
        devices = base.configuration.now().devices
        settings.configure(devices)
        registry.configure(devices)


def _problem_finders(
    problems: Problems, peers: PeerMonitor | None
) -> Mapping[ProblemKind, Callable[[str], Problem | None]]:
    """Return what finds the problems of a device, besides that which keeps it from being used."""
    found: dict[ProblemKind, Callable[[str], Problem | None]]
    found = {ProblemKind.ROOM: partial(problems.of, ProblemKind.ROOM)}
    if peers is not None:
        found[ProblemKind.SYNCTHING] = peers.trouble
    return found


def _peers(base: Base, accounts: AccountServices, registry: DeviceRegistry) -> PeerMonitor | None:
    settings = base.settings.syncthing
    if settings.url is None:
        return None
    connection = SyncthingConnection(
        settings.url, key=settings.read_key, certificate=settings.certificate
    )
    return PeerMonitor(
        Syncthing(connection),
        registry=registry,
        arrivals=base.store.arrivals,
        problems=accounts.problems,
        bus=base.bus,
        clock=base.clock,
    )
