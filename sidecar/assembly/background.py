"""Creates the services that run in the background: generated files, removals, housekeeping."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from sidecar.assembly.accounts import AccountServices
from sidecar.assembly.base import Base
from sidecar.assembly.devices import DeviceServices
from sidecar.assembly.rules import RuleServices
from sidecar.assembly.store import KEY_FILE, database_place
from sidecar.assembly.transfers import TransferServices
from sidecar.config.zones import load_zone
from sidecar.process.threads import do_nothing
from sidecar.services.activity.recorder import ActivityRecorder
from sidecar.services.files.generated_files.companions import CompanionWriter
from sidecar.services.files.generated_files.index import IndexWriter
from sidecar.services.files.generated_files.playlists import PlaylistWriter
from sidecar.services.files.removals.monitor import RemovalMonitor
from sidecar.services.files.removals.questions import LostFiles
from sidecar.services.files.removals.record import RemovalRecorder
from sidecar.services.health.tasks import TaskKind
from sidecar.services.identity.renaming import FileRenaming
from sidecar.services.operations.backups.backups import Installation
from sidecar.services.operations.backups.nightly import BackupsView, NightlyBackups
from sidecar.services.operations.housekeeping import Housekeeping, SafetyNet, Step
from sidecar.services.playback.client_messages.messages import ClientMessages, Room
from sidecar.services.playback.client_messages.preferences import ClientMessagePreferences
from sidecar.services.rules.fill.fill import FillService
from sidecar.services.space.planner import Outlook
from sidecar.services.transfers.leases import Leases
from sidecar.services.transfers.recovery import DeviceRecovery
from sidecar.store.files.companions import CompanionFiles
from sidecar.store.files.completed import CompletedFiles
from sidecar.web.i18n.sentences import words_of


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundServices:
    """The services that run in the background.

    Attributes:
        index: Writes the offline pages and manifests on the devices.
        playlists: Writes the playlists on the devices.
        companions: Writes covers, lyrics and subtitles beside the files.
        removals: Detects files that people removed, moved or changed.
        lost: Returns what people are asked about on a device, wherever that is.
        backups: Makes a backup every night.
        client_messages: Tells people in their clients what comes of what they do there.
        fill: Chooses what fills the devices.
        leases: Keeps the lease of this process, and ends those of dead ones.
    """

    index: IndexWriter
    playlists: PlaylistWriter
    companions: CompanionWriter
    removals: RemovalMonitor
    lost: Callable[[str], LostFiles | None]
    backups: NightlyBackups
    client_messages: ClientMessages
    fill: FillService
    leases: Leases
    housekeeping: Housekeeping


def make_background(
    base: Base,
    accounts: AccountServices,
    devices: DeviceServices,
    rules: RuleServices,
    transfers: TransferServices,
) -> BackgroundServices:
    """Create the services that run in the background, and subscribe them to the bus."""
    store, clock, registry, problems = base.store, base.clock, devices.registry, accounts.problems
    index = IndexWriter(
        registry=registry,
        on_device=CompletedFiles(store.db),
        problems=problems,
        server_id=lambda: accounts.service.server_id,
        clock=clock,
    )
    playlists = PlaylistWriter(
        registry=registry,
        orders=store.playlist_orders,
        lists=store.device_playlists,
        on_device=CompletedFiles(store.db),
        problems=problems,
        clock=clock,
    )
    companions = CompanionWriter(
        registry=registry,
        on_device=CompletedFiles(store.db),
        unfetched=CompanionFiles(store.db),
        client=accounts.service.client,
        cover_changed=index.changed,
        problems=problems,
        clock=clock,
    )
    leases = Leases(
        store.processes,
        downloads=store.downloads,
        claims=devices.claims,
        host=base.machine,
        folder=base.settings.server.data_dir,
        clock=clock,
        lost=base.configuration.restart or do_nothing,
        locked_out=base.locked_out,
        roles=base.roles,
    )
    removals = RemovalMonitor(
        tasks=accounts.tasks,
        downloads=store.downloads,
        verdicts=RemovalRecorder(store.db, store.downloads, store.holds, clock),
        registry=registry,
        problems=problems,
        bus=base.bus,
        clock=clock,
    )
    for hear in (index.hear, playlists.hear, companions.hear, removals.hear):
        base.bus.subscribe(hear)
    accounts.tasks.offer(TaskKind.SCAN, removals.rescan)
    return BackgroundServices(
        index=index,
        playlists=playlists,
        companions=companions,
        removals=removals,
        lost=devices.reports.share("lost", LostFiles, removals.lost),
        backups=_backups(base, accounts),
        client_messages=_client_messages(base, accounts, devices, rules, transfers.outlook),
        fill=FillService(
            rules.choices,
            accounts=accounts.service,
            may_ask_for=accounts.server.may_ask_for,
            registry=registry,
            stores=store,
            book=rules.settings,
            look_at=transfers.space.look_at,
            not_taken=devices.taken.refusal,
            wake=rules.followers.was_filled,
            clock=clock,
        ),
        leases=leases,
        housekeeping=_housekeeping(base, accounts, devices, rules, transfers, leases=leases),
    )


def _client_messages(
    base: Base,
    accounts: AccountServices,
    devices: DeviceServices,
    rules: RuleServices,
    outlook: Outlook,
) -> ClientMessages:
    def room(device_id: str) -> Room:
        found = outlook(device_id)
        plan, rest = found.plan, found.rest
        comes, goes = plan.bytes_added + rest.bytes_added, plan.bytes_removed + rest.bytes_removed
        refused = {one.download_id for one in plan.refusals}
        return Room(refused, found.room_left + goes - comes)

    return ClientMessages(
        rules.acts,
        accounts=accounts.service,
        preferences=ClientMessagePreferences(base.store.choices),
        registry=devices.registry,
        stores=base.store,
        room=room,
        words=words_of,
        clock=base.clock,
    )


def _backups(base: Base, accounts: AccountServices) -> NightlyBackups:
    data_dir = base.settings.server.data_dir
    made = NightlyBackups(
        settings=base.configuration.now,
        installation=Installation(
            database=(place := database_place(base.settings)).path,
            server=place.address,
            key=data_dir / KEY_FILE,
            config=base.settings.file or data_dir / "config.toml",
        ),
        meta=base.store.meta,
        problems=accounts.problems,
        tasks=accounts.tasks,
        clock=base.clock,
        are_here=base.roles.watches,
    )
    accounts.tasks.offer(TaskKind.BACKUP, lambda _nothing: made.make_soon())
    base.sharing.findings.share(
        "backups", BackupsView, found=made.to_tell, tell=made.take, is_notice=False
    )
    return made


def _housekeeping(
    base: Base,
    accounts: AccountServices,
    devices: DeviceServices,
    rules: RuleServices,
    transfers: TransferServices,
    *,
    leases: Leases,
) -> Housekeeping:
    made = Housekeeping(
        stores=base.store,
        registry=devices.registry,
        settling=DeviceRecovery(base.store.downloads),
        formats=devices.formats,
        leases=leases,
        steps=_steps(base, accounts, devices, rules, transfers),
        busy=devices.claims.busy,
        device_came=rules.threads.look_through_soon,
        clock=base.clock,
        tasks=accounts.tasks,
        restart=base.configuration.restart or do_nothing,
        roles=base.roles,
    )
    accounts.tasks.offer(TaskKind.COPY, lambda _nothing: made.copy_soon())
    return made


def _steps(
    base: Base,
    accounts: AccountServices,
    devices: DeviceServices,
    rules: RuleServices,
    transfers: TransferServices,
) -> Iterable[Step]:
    """Yield what is done every two seconds by what this process does, in an order that matters.

    Accounts and wishes first, then what may be fetched and what must go.
    """
    yield (accounts.server.probe, "the server's probe")
    # The command line signs people in as well.
    looks = [(accounts.service.read_again, "the accounts")]
    if not base.roles.is_alone:
        # Who may use a device that was added on a page is among them.
        looks.append((base.configuration.read_again, "the settings of the page"))
        looks.append((devices.settings.read_again, "the devices' settings"))
    for read_again, what in looks:
        yield (SafetyNet(read_again, base.bus.hears_others, base.clock).step, what)
    if base.roles.serves_pages and not base.roles.is_alone:
        yield (devices.orders.tell_changes, "telling what became of orders")
    if base.roles.watches:
        if not base.roles.is_alone:
            yield (rules.tell_in_use, "telling what plays")
            yield (devices.orders.end_stale, "ending old orders")
        yield (accounts.unattended.step, "signing in")
        yield (rules.threads.look, "looking at the accounts")
        yield (rules.planning.release_expired, "letting go of what nobody wants any more")
        yield (transfers.owners.step, "giving what waits to other owners")
    yield (transfers.network.step, "the network rule")
    if base.roles.works:
        downloads = base.store.downloads
        renaming = FileRenaming(downloads, devices.registry, base.bus)
        recorder = ActivityRecorder(
            stores=base.store,
            registry=devices.registry,
            running=transfers.progress.own,
            zone=lambda: load_zone(base.configuration.now().network.time_zone),
            clock=base.clock,
        )
        yield (transfers.taking.give_back_held, "giving back what was claimed ahead")
        yield (
            partial(devices.claims.give_back_lost, downloads.queue.list_claimed),
            "giving downloads back to the queue",
        )
        yield (devices.formats.step, "the formats")
        yield (devices.originals.step, "the originals")
        yield (renaming.step, "renaming files")
        yield (transfers.space.step, "making room")
        yield (recorder.step, "the samples for charts")
    if not base.roles.is_alone:
        yield (base.sharing.step, "what processes tell each other")
        yield (transfers.shared_progress.step, "the transfers of other machines")
        yield (devices.shared_problems.step, "the problems of devices elsewhere")
