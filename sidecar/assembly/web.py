"""Creates the services that the pages and the API use: one function for each, and `make_web`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING
from uuid import uuid4

from sidecar.assembly.accounts import AccountServices
from sidecar.assembly.background import BackgroundServices
from sidecar.assembly.base import Base
from sidecar.assembly.devices import DeviceServices
from sidecar.assembly.orders import make_kinds
from sidecar.assembly.rules import RuleServices
from sidecar.assembly.store import KEY_FILE
from sidecar.assembly.transfers import TransferServices
from sidecar.config.zones import load_zone
from sidecar.events import WorkArrived
from sidecar.jellyfin.tokens import TokenBox
from sidecar.messages import translate
from sidecar.process.limits import FILES, FILES_AN_ACCOUNT
from sidecar.process.shares import Shares
from sidecar.services.accounts.api_keys import ApiKeyService
from sidecar.services.accounts.known_browsers import KnownBrowsers
from sidecar.services.accounts.person import Person
from sidecar.services.accounts.quick_connect import QuickConnectCodes
from sidecar.services.accounts.sign_in import SignInService
from sidecar.services.accounts.usage import KeptUsage
from sidecar.services.accounts.users import UserService
from sidecar.services.activity.history import ActivityHistory
from sidecar.services.activity.live_speed import LiveSpeed
from sidecar.services.activity.replays.service import ReplayService
from sidecar.services.browsers.browsers import BrowserService
from sidecar.services.browsers.plays import BrowserPlays
from sidecar.services.browsers.states import BrowserStates
from sidecar.services.devices.editor import DeviceEditor
from sidecar.services.devices.listing import DeviceListing
from sidecar.services.downloads.actions import DownloadActions
from sidecar.services.downloads.add import AddDownloads
from sidecar.services.downloads.listing import DownloadListing
from sidecar.services.downloads.queue import QueueActions
from sidecar.services.downloads.remove import RemoveDownloads
from sidecar.services.downloads.undo import Reversing, UndoService
from sidecar.services.files.adoption.adopt import AdoptionService
from sidecar.services.files.adoption.adopter import Adopter
from sidecar.services.files.browse import FileBrowser
from sidecar.services.files.presence import FilePresence
from sidecar.services.files.removals.open_questions import OpenQuestions
from sidecar.services.files.removals.review import RemovalReview
from sidecar.services.files.search import FileSearch
from sidecar.services.files.streaming import MediaStreaming, UsageTracker
from sidecar.services.health.notices import Notice
from sidecar.services.health.system_status import SystemStatus
from sidecar.services.identity.review import IdentityReview
from sidecar.services.library.browse import LibraryBrowser
from sidecar.services.library.covers import CoverCache
from sidecar.services.library.download_state import DownloadStates
from sidecar.services.notifications.notice_board import NoticeBoard
from sidecar.services.notifications.notifier import Notifier
from sidecar.services.notifications.preferences import NotificationPreferences
from sidecar.services.notifications.push import BrowserPush
from sidecar.services.notifications.watching import WatchingStatus
from sidecar.services.notifications.webhooks.webhooks import Webhooks
from sidecar.services.operations.doctor import Doctor
from sidecar.services.operations.machine_keys import MachineKeys
from sidecar.services.operations.machine_list import MachineList
from sidecar.services.operations.machines import MachineService
from sidecar.services.operations.support import SupportBundle
from sidecar.services.operations.syncthing_checks import checks_of_syncthing, find_old_files
from sidecar.services.operations.task_list import TaskList
from sidecar.services.orders.service import OrderService
from sidecar.services.playback.history import PlayHistory, UpcomingDownloads
from sidecar.services.players.device_playlists.returns import PlaylistReturns
from sidecar.services.players.player_logs.giving import PlayerGiver
from sidecar.services.players.player_logs.importer import PlayerLogImporter
from sidecar.services.players.player_logs.listeners import Listeners
from sidecar.services.players.player_logs.parts import PlayerParts
from sidecar.services.players.player_logs.reporter import ReporterStores
from sidecar.services.players.player_logs.states import PlayerStateImporter
from sidecar.services.processes.calls import TRY_NOW
from sidecar.services.rules.explain import Explainer
from sidecar.services.rules.preferences import PreferenceService
from sidecar.services.rules.selections.selections import SelectionService
from sidecar.services.rules.settings.editor import SettingsEditor
from sidecar.services.space.next_to_go import EvictionPreview
from sidecar.services.space.plans import PlanService
from sidecar.services.syncthing.peers import SyncReport
from sidecar.services.syncthing.status import SyncStatus
from sidecar.services.transfers.eject import EjectService
from sidecar.services.transfers.policy.status import TransferStatus
from sidecar.store.accounts.usage import UsageByAccount
from sidecar.store.devices.devices import Device
from sidecar.store.files.completed import CompletedFiles
from sidecar.store.playback.past import PastPlays
from sidecar.web.i18n.sentences import words_of
from sidecar.web.services import WebServices

if TYPE_CHECKING:
    from sidecar.services.operations.metrics import MetricsService

COVERS = "covers"
METRICS = "sidecar.services.operations.metrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Below:
    """The groups created before, and what several of the web's services share.

    Attributes:
        listing: The downloads as people see them.
        shown: The devices as people see them.
        presence: Checks whether files are there.
        covers: The cache of covers.
    """

    base: Base
    accounts: AccountServices
    devices: DeviceServices
    rules: RuleServices
    transfers: TransferServices
    background: BackgroundServices
    listing: DownloadListing
    shown: DeviceListing
    presence: FilePresence
    covers: CoverCache


def make_web(
    base: Base,
    accounts: AccountServices,
    devices: DeviceServices,
    rules: RuleServices,
    transfers: TransferServices,
    *,
    background: BackgroundServices,
) -> WebServices:
    """Create the services that the pages and the API use."""
    covers = CoverCache(base.settings.server.data_dir / COVERS)
    below = Below(
        base=base,
        accounts=accounts,
        devices=devices,
        rules=rules,
        transfers=transfers,
        background=background,
        listing=DownloadListing(
            stores=base.store,
            accounts=accounts.service,
            ownership=accounts.ownership,
            transfers=transfers.progress,
            covers=covers,
            # Another machine may have a Syncthing.
            is_carried=devices.peers is not None or devices.registry.is_shared,
            hidden=accounts.hidden,
            waits=transfers.waits,
        ),
        shown=DeviceListing(
            stores=base.store,
            registry=devices.registry,
            access=devices.access,
            is_built_in=base.places.is_built_in,
        ),
        presence=FilePresence(devices.registry, base.store.devices),
        covers=covers,
    )
    removing = _removing(below)
    actions, search, identity = _actions(below, removing), _file_search(below), _identity(below)
    settings = _settings(below)
    library = _library(below)
    undo = _undo(below, actions, settings, library)
    removals, sync_status, transfer_status = _removals(below), _sync(below), _transfers(below)
    eject, plans, adoption = _eject(below), _plans(below), _adoption(below)
    editor, keys = _editor(below, eject), MachineKeys(base.configuration.now)
    logs = _player_logs(below)
    player_parts = _player_parts(below, logs)
    states, giver = PlayerStateImporter(player_parts), PlayerGiver(player_parts)
    lists = _lists(below)
    kinds = make_kinds(
        access=devices.access,
        eject=eject,
        editor=editor,
        removing=removing,
        removals=removals,
        plans=plans,
        sync_status=sync_status,
        adoption=adoption,
        logs=logs,
        states=states,
        giver=giver,
        lists=lists,
    )
    backups = background.backups
    told = (
        removals.notices,
        transfer_status.notices,
        sync_status.notices,
        backups.notices,
        accounts.hidden.notices,
        WatchingStatus(base.sharing.watcher.is_missing).notices,
    )
    metrics = _metrics(below)
    board, push = _notices(below, told, identity), _push(below)
    preferences = _notifications(below, push)
    machine_list = MachineList(base.store, keys, base.clock, here=base.machine)
    return WebServices(
        look=base.store.db.look,
        sign_in=_sign_in(below),
        api_keys=ApiKeyService(base.store.api_keys, base.bus, base.clock),
        users=_users(below),
        client_messages=background.client_messages.preferences,
        devices=below.shown,
        notices=board,
        downloads=below.listing,
        actions=actions,
        undo=undo,
        preferences=_preferences(below),
        selections=_selections(below),
        settings=settings,
        configuration=base.configuration,
        plans=plans,
        eviction_preview=EvictionPreview(
            devices=below.shown.devices,
            outlook=transfers.outlook,
            inventory=base.store.inventory,
        ),
        removals=removals,
        identity=identity,
        file_names=rules.names,
        server_change=rules.server_change,
        hidden=accounts.hidden,
        eject=eject,
        orders=OrderService(kinds, devices.orders, devices.registry),
        device_editor=editor,
        sync_status=sync_status,
        adoption=adoption,
        playlist_returns=lists,
        player_logs=logs,
        listeners=_listeners(below),
        player_states=states,
        browsers=BrowserService(
            choices=below.base.store.choices,
            client=below.accounts.service.client,
            clock=below.base.clock,
        ),
        browser_plays=_browser_plays(below),
        browser_states=BrowserStates(client=accounts.service.client, clock=base.clock),
        library=library,
        media=_media(below, search),
        file_search=search,
        files=_files(below),
        playback=_playback(below),
        activity=_activity(below),
        replays=_replays(below, settings, undo),
        transfers=transfer_status,
        system=_system(below),
        metrics=metrics,
        support=SupportBundle(
            settings=base.configuration.now,
            metrics=metrics,
            problems=accounts.problems,
            recent=base.recent,
            clock=base.clock,
        ),
        doctor=_doctor(below, push),
        machine_list=machine_list,
        tasks=TaskList(accounts.tasks, partial(_names, below)),
        machines=MachineService(
            base.configuration.now,
            base.store.meta,
            TokenBox(base.settings.server.data_dir / KEY_FILE),
            base.clock,
            give=keys.make,
            may_give=keys.may_give,
            runs=machine_list.runs,
        ),
        webhooks=_webhooks(below),
        notifications=preferences,
        notifier=_notifier(below, preferences, push, board),
        push=push,
        backups=backups,
    )


# People


def _sign_in(below: Below) -> SignInService:
    store, box = below.base.store, TokenBox(below.base.settings.server.data_dir / KEY_FILE)
    return SignInService(
        accounts=below.accounts.service,
        sessions=store.sessions,
        api_keys=store.api_keys,
        browsers=KnownBrowsers(box),
        open_codes=QuickConnectCodes(store.meta, box, below.base.clock),
        clock=below.base.clock,
    )


def _users(below: Below) -> UserService:
    store = below.base.store
    return UserService(
        accounts=below.accounts.service,
        sessions=store.sessions,
        api_keys=store.api_keys,
        belongings=KeptUsage(UsageByAccount(store.db), below.base.bus, below.base.clock),
        bus=below.base.bus,
        permissions=below.accounts.permissions,
        unattended=below.accounts.unattended,
        problems=below.accounts.problems,
        try_elsewhere=partial(below.base.sharing.calls.make, TRY_NOW),
    )


# Status and notices


def _notices(
    below: Below,
    further: Sequence[Callable[[Person], Sequence[Notice]]],
    identity: IdentityReview,
) -> NoticeBoard:
    problems = below.accounts.problems
    questions = OpenQuestions(
        lost=below.background.lost,
        registry=below.devices.registry,
        problems=problems,
        access=below.devices.access,
        in_doubt=identity.text,
        selections=lambda person, device_id: [
            (one.kept.id, one.version, one.text)
            for one in below.rules.asking.of(person.user_id, device_id)
        ],
    )
    return NoticeBoard(
        problems=problems,
        devices=below.shown.devices,
        states=below.base.store.downloads.queries.by_device,
        further=further,
        questions=questions.of,
        try_now=_trying(below),
    )


def _trying(below: Below) -> Callable[[], object]:
    """Return what does at once what waits for its next try, in all processes.

    That is to ask the server, and to fetch one file of it; of an account, to ask for that.
    """

    def try_here(user_id: str = "") -> None:
        account = below.accounts.service.get(user_id)
        if account is not None:
            below.accounts.permissions.look_at(account)
            return
        below.accounts.server.probe_now()
        below.transfers.blocking.try_now()
        below.base.bus.publish(WorkArrived())

    def try_everywhere() -> None:
        try_here()
        below.base.sharing.calls.make(TRY_NOW)

    below.base.sharing.calls.answer(TRY_NOW, try_here)
    return try_everywhere


def _transfers(below: Below) -> TransferStatus:
    transfers, devices = below.transfers, below.devices
    return TransferStatus(
        transfers.network,
        transfers.speed,
        devices.registry,
        devices.access,
        verdict_on=transfers.verdict_on,
    )


def _system(below: Below) -> SystemStatus:
    base = below.base
    return SystemStatus(
        anonymous=below.accounts.service.anonymous,
        problems=below.accounts.problems,
        transfer=base.settings.transfer,
        running=lambda: len(below.transfers.progress.last()),
        database_bytes=base.store.db.measure,
        is_healthy=base.is_healthy,
        recent=base.recent,
        titles=lambda ids: {
            one.item_id: f"“{one.title}”" for one in base.store.offline.of_items(ids, None)
        },
    )


def _webhooks(below: Below) -> Webhooks:
    base, registry = below.base, below.devices.registry
    made = Webhooks(
        meta=base.store.meta,
        box=TokenBox(base.settings.server.data_dir / KEY_FILE),
        downloads=base.store.downloads.queries,
        problems=below.accounts.problems,
        devices=lambda: {one.id: one.name for one in base.store.devices.all()},
        attached=lambda: {*registry.ids_there(), *registry.attached_anywhere()},
        accounts=lambda: {one.user_id: one.name for one in below.accounts.service.all()},
        bus=base.bus,
        clock=base.clock,
    )
    base.bus.subscribe(made.hear)
    return made


def _doctor(below: Below, push: BrowserPush) -> Doctor:
    base = below.base
    return Doctor(
        settings=base.configuration.now,
        accounts=below.accounts.service,
        problems=below.accounts.problems,
        devices=base.store.devices.all,
        push_failing=push.failing,
        further=partial(
            checks_of_syncthing, files=partial(find_old_files, base.store, clock=base.clock)
        ),
        is_healthy=base.is_healthy,
        clock=base.clock,
    )


def _names(below: Below) -> Mapping[str, str]:
    """Return the names of accounts and devices by their ids."""
    accounts = {one.user_id: one.name for one in below.accounts.service.all()}
    return accounts | {one.id: one.name for one in below.base.store.devices.all()}


def _metrics(below: Below) -> Callable[[], bytes]:
    """Return what reads the figures for Prometheus; its library is loaded by who asks for them."""
    base = below.base

    @cache
    def make() -> MetricsService:
        made: MetricsService = import_module(METRICS).MetricsService(
            downloads=base.store.downloads.queries,
            devices=below.shown.devices,
            problems=below.accounts.problems,
            transfers=below.transfers.progress,
            recent=base.recent,
            database_bytes=base.store.db.measure,
            is_healthy=base.is_healthy,
        )
        return made

    return lambda: make().text()


def _push(below: Below) -> BrowserPush:
    base = below.base
    return BrowserPush(
        meta=base.store.meta,
        box=TokenBox(base.settings.server.data_dir / KEY_FILE),
        kept=base.store.push_subscriptions,
        sessions=base.store.sessions,
        check=base.check_push,
        clock=base.clock,
    )


def _notifications(below: Below, push: BrowserPush) -> NotificationPreferences:
    base = below.base
    box = TokenBox(base.settings.server.data_dir / KEY_FILE)
    return NotificationPreferences(base.store.notifications, box, push, base.clock)


def _notifier(
    below: Below, preferences: NotificationPreferences, push: BrowserPush, board: NoticeBoard
) -> Notifier:
    base = below.base
    return Notifier(
        preferences=preferences,
        push=push,
        store=base.store.notifications,
        accounts=below.accounts.service,
        devices=below.shown.devices,
        downloads=base.store.downloads.queries,
        problems=below.accounts.problems,
        board=board,
        settings=base.configuration.now,
        translate=lambda text, language: translate(text, words_of(language)),
        clock=base.clock,
    )


def _playback(below: Below) -> PlayHistory:
    base, store = below.base, below.base.store

    def used_devices() -> list[Device]:
        unused = base.unused_devices()
        return [one for one in store.devices.all() if one.id not in unused]

    upcoming = UpcomingDownloads(store.holds, store.downloads, used_devices)
    return PlayHistory(
        store.plays,
        below.rules.playing.shown,
        below.accounts.service.all,
        upcoming.of,
        zone=load_zone(below.base.settings.network.time_zone),
    )


# Downloads and preferences


def _removing(below: Below) -> RemoveDownloads:
    return RemoveDownloads(
        stores=below.base.store,
        ownership=below.accounts.ownership,
        registry=below.devices.registry,
        claims=below.devices.claims,
        clock=below.base.clock,
        orders=below.devices.orders,
    )


def _actions(below: Below, removing: RemoveDownloads) -> DownloadActions:
    store, devices, ownership = below.base.store, below.devices, below.accounts.ownership
    return DownloadActions(
        stores=store,
        ownership=ownership,
        adding=AddDownloads(
            stores=store,
            accounts=below.accounts.service,
            planning=below.rules.planning,
            registry=devices.registry,
            access=devices.access,
        ),
        queue=QueueActions(
            stores=store,
            ownership=ownership,
            planning=below.rules.planning,
            claims=devices.claims,
            clock=below.base.clock,
        ),
        removing=removing,
    )


def _undo(
    below: Below, actions: DownloadActions, settings: SettingsEditor, library: LibraryBrowser
) -> UndoService:
    reversing = Reversing(
        stores=below.base.store,
        access=below.devices.access,
        planning=below.rules.planning,
        actions=actions,
        library=below.accounts.service.client,
        wake=below.rules.wake,
        restore_rules=settings.take_back,
        restore_marks=library.restore_marks,
        orders=below.devices.orders,
    )
    return UndoService(reversing.reverse, below.base.clock)


def _selections(below: Below) -> SelectionService:
    return SelectionService(
        selections=below.base.store.selections,
        questions=below.rules.asking,
        access=below.devices.access,
        client=below.accounts.service.client,
        wake=below.rules.wake,
        make_id=lambda: uuid4().hex,
        clock=below.base.clock,
    )


def _preferences(below: Below) -> PreferenceService:
    accounts = below.accounts
    explaining = Explainer(
        stores=below.base.store,
        problems=accounts.problems,
        devices=below.devices.settings,
        rules=below.rules.settings,
        names=lambda: {one.user_id: one.name for one in accounts.service.all()},
        clock=below.base.clock,
        waits=below.transfers.waits.of_one,
        in_doubt=below.rules.questions.waiting,
        hidden=accounts.hidden.of,
    )
    return PreferenceService(
        stores=below.base.store,
        access=below.devices.access,
        planning=below.rules.planning,
        explaining=explaining,
        library=accounts.service.client,
        wake=below.rules.wake,
    )


# Devices


def _activity(below: Below) -> ActivityHistory:
    live = LiveSpeed(below.base.store.holds.owners, below.base.clock)
    below.base.bus.subscribe(live.hear)
    return ActivityHistory(
        stores=below.base.store,
        live=live,
        accounts=below.accounts.service.all,
        devices=below.shown.devices,
        access=below.devices.access,
        zone=lambda: load_zone(below.base.configuration.now().network.time_zone),
        clock=below.base.clock,
    )


def _replays(below: Below, settings: SettingsEditor, undo: UndoService) -> ReplayService:
    base = below.base
    return ReplayService(
        plays=PastPlays(base.store.db),
        choices=base.store.choices,
        access=below.devices.access,
        rules=below.rules.settings,
        editor=settings,
        undo=undo,
        client=below.accounts.service.client,
        folder=base.settings.server.data_dir,
        clock=base.clock,
    )


def _settings(below: Below) -> SettingsEditor:
    return SettingsEditor(
        access=below.devices.access,
        devices=below.devices.settings,
        rules=below.rules.settings,
        holds=below.base.store.holds,
        accounts=below.accounts.service.signed_in,
        remarks=below.rules.followers.remarks,
        space_on=below.devices.registry.space_anywhere,
        wake=below.rules.wake,
    )


def _plans(below: Below) -> PlanService:
    return PlanService(
        access=below.devices.access,
        ownership=below.accounts.ownership,
        devices=below.shown.devices,
        room=below.transfers.space,
        outlook=below.transfers.outlook,
        inventory=below.base.store.inventory,
        formats=below.devices.formats,
        activity=below.base.store.activity,
    )


def _removals(below: Below) -> RemovalReview:
    return RemovalReview(
        below.background.removals,
        activity=below.base.store.activity,
        ownership=below.accounts.ownership,
        access=below.devices.access,
        registry=below.devices.registry,
        lost=below.background.lost,
        blind=below.devices.reports.share("blind", str, below.background.removals.blind),
    )


def _eject(below: Below) -> EjectService:
    devices = below.devices
    return EjectService(
        access=devices.access,
        registry=devices.registry,
        claims=devices.claims,
        clock=below.base.clock,
    )


def _editor(below: Below, eject: EjectService) -> DeviceEditor:
    base = below.base
    return DeviceEditor(
        configuration=base.configuration,
        registry=below.devices.registry,
        devices=base.store.devices,
        downloads=base.store.downloads,
        files=CompletedFiles(base.store.db),
        problems=below.accounts.problems,
        stop_on=eject.stop_on,
        bus=base.bus,
        places=base.places,
        meta=base.store.meta,
        unused=base.unused_devices,
    )


def _sync(below: Below) -> SyncStatus:
    peers, share = below.devices.peers, below.devices.reports.share
    report = share(
        "syncthing",
        SyncReport,
        peers.report if peers else _tell_nothing,
        tell=peers.tell if peers else None,
    )
    waits = share(
        "syncthing-waits",
        str,
        peers.why_waiting if peers else _tell_nothing,
        tell=peers.last_wait if peers else None,
    )
    return SyncStatus(
        report,
        waits=waits,
        access=below.devices.access,
        devices=below.shown.devices,
        visible=below.accounts.ownership.visible,
        arrivals=below.base.store.arrivals,
        registry=below.devices.registry,
        problems=below.accounts.problems,
    )


def _tell_nothing(_device_id: str) -> None:
    """Know nothing of a device."""


# Imports from devices


def _identity(below: Below) -> IdentityReview:
    return IdentityReview(
        below.rules.questions,
        below.rules.matching,
        downloads=below.base.store.downloads,
        ownership=below.accounts.ownership,
        access=below.devices.access,
        client=below.accounts.service.client,
        wake=below.rules.wake,
    )


def _adoption(below: Below) -> AdoptionService:
    store = below.base.store
    return AdoptionService(
        access=below.devices.access,
        registry=below.devices.registry,
        downloads=store.downloads,
        adopter=Adopter(store.db, store.downloads, below.rules.planning),
        client=below.accounts.service.client,
        clock=below.base.clock,
    )


def _player_logs(below: Below) -> PlayerLogImporter:
    store = below.base.store
    return PlayerLogImporter(
        access=below.devices.access,
        registry=below.devices.registry,
        tables=ReporterStores(
            store.db, store.imported, store.plays, store.downloads, store.player_states
        ),
        client=below.accounts.service.client,
        on_plays=below.rules.play_ended,
        clock=below.base.clock,
        listeners=_listeners(below),
    )


def _listeners(below: Below) -> Listeners:
    store = below.base.store
    return Listeners(below.devices.access, store.player_states, store.accounts.all)


def _lists(below: Below) -> PlaylistReturns:
    return PlaylistReturns(
        access=below.devices.access,
        registry=below.devices.registry,
        stores=below.base.store,
        client=below.accounts.service.client,
        check_listener=_listeners(below).check_not_of_others,
    )


def _player_parts(below: Below, logs: PlayerLogImporter) -> PlayerParts:
    store = below.base.store
    return PlayerParts(
        access=below.devices.access,
        registry=below.devices.registry,
        listeners=_listeners(below),
        imported=store.imported,
        states=store.player_states,
        client=below.accounts.service.client,
        alone=logs.alone,
        clock=below.base.clock,
    )


def _browser_plays(below: Below) -> BrowserPlays:
    store = below.base.store
    return BrowserPlays(
        tables=ReporterStores(
            store.db, store.browser_plays, store.plays, store.downloads, store.player_states
        ),
        client=below.accounts.service.client,
        on_plays=below.rules.play_ended,
        clock=below.base.clock,
    )


# Library and files


def _library(below: Below) -> LibraryBrowser:
    buttons = DownloadStates(
        offline=below.base.store.offline,
        downloads=below.base.store.downloads,
        devices=below.shown.devices,
        running=below.transfers.progress.last,
    )
    return LibraryBrowser(
        client=below.accounts.service.client,
        buttons=buttons,
        covers=below.covers,
        clock=below.base.clock,
    )


def _file_search(below: Below) -> FileSearch:
    store = below.base.store
    return FileSearch(
        offline=store.offline,
        devices=store.devices,
        looking=below.presence,
        views=below.listing.views,
        listed=below.accounts.ownership.listed,
    )


def _files(below: Below) -> FileBrowser:
    return FileBrowser(
        stores=below.base.store,
        planning=below.rules.planning,
        looking=below.presence,
        views=below.listing.views,
        ownership=below.accounts.ownership,
    )


def _media(below: Below, search: FileSearch) -> MediaStreaming:
    mark_used = below.base.store.downloads.transitions.mark_used
    return MediaStreaming(
        offline=search,
        looking=below.presence,
        visible=below.accounts.ownership.visible,
        client=below.accounts.service.client,
        streams=Shares(FILES, FILES_AN_ACCOUNT),
        uses=UsageTracker(mark_used, below.base.clock),
    )
