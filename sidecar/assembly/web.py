"""What the pages and the API use."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.assembly.accounts import AccountServices
from sidecar.assembly.background import BackgroundServices
from sidecar.assembly.base import Base
from sidecar.assembly.devices import DeviceServices
from sidecar.assembly.rules import RuleServices
from sidecar.assembly.store import KEY_FILE
from sidecar.assembly.transfers import TransferServices
from sidecar.domain.downloads.states import Download
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.accounts.api_keys import ApiKeyService
from sidecar.services.accounts.known_browsers import KnownBrowsers
from sidecar.services.accounts.ownership import Ownership
from sidecar.services.accounts.person import Person
from sidecar.services.accounts.sign_in import SignInService
from sidecar.services.accounts.users import UserService
from sidecar.services.adoption.adopt import AdoptionService
from sidecar.services.adoption.adopter import Adopter
from sidecar.services.downloads.actions import DownloadActions
from sidecar.services.downloads.listing import DownloadListing
from sidecar.services.downloads.undo import Reversing, UndoService
from sidecar.services.files.browse import FileBrowser
from sidecar.services.files.presence import FilePresence
from sidecar.services.files.search import FileSearch
from sidecar.services.files.streaming import MediaStreaming, StreamLimit, UsageTracker
from sidecar.services.identity.review import IdentityReview
from sidecar.services.library.browse import LibraryBrowser
from sidecar.services.library.covers import CoverCache
from sidecar.services.library.download_state import DownloadStates
from sidecar.services.notices import Notice
from sidecar.services.playback.history import PlayHistory, UpcomingDownloads
from sidecar.services.player_logs.importer import PlayerLogImporter
from sidecar.services.player_logs.reporter import ReporterStores
from sidecar.services.removals.open_questions import OpenQuestions
from sidecar.services.removals.review import RemovalReview
from sidecar.services.rules.explain import Explainer
from sidecar.services.rules.preferences import PreferenceService
from sidecar.services.space.next_to_go import EvictionPreview
from sidecar.services.space.plans import PlanService
from sidecar.services.syncthing.status import SyncStatus
from sidecar.services.system_status import SystemStatus
from sidecar.services.transfers.eject import EjectService
from sidecar.services.transfers.status import TransferStatus
from sidecar.store.accounts.usage import UsageByAccount
from sidecar.store.downloads.inventory import Inventory
from sidecar.web.services import WebServices

COVERS = "covers"


def make_web(
    base: Base,
    accounts: AccountServices,
    devices: DeviceServices,
    rules: RuleServices,
    transfers: TransferServices,
    *,
    background: BackgroundServices,
) -> WebServices:
    """Return what the pages and the API use."""
    store, clock, service = base.store, base.clock, accounts.service
    registry, access, problems = devices.registry, devices.access, accounts.problems
    inventory, covers = Inventory(store.db), CoverCache(base.settings.server.data_dir / COVERS)
    ownership = Ownership(store.db, store.downloads, store.holds, clock, accounts=service.all)
    removals = RemovalReview(
        background.removals, ownership=ownership, access=access, registry=registry
    )
    transfer_status = TransferStatus(transfers.network, transfers.speed, registry, access)
    identity = IdentityReview(
        rules.questions,
        rules.matching,
        downloads=store.downloads,
        ownership=ownership,
        access=access,
        client=service.client,
        wake=rules.threads.look_through_soon,
    )
    questions = OpenQuestions(
        removals=background.removals,
        registry=registry,
        problems=problems,
        access=access,
        in_doubt=identity.text,
    )

    def syncthing_notices(person: Person) -> Sequence[Notice]:
        # It needs the listing, and is made after it.
        return sync_status.notices(person)

    listing = DownloadListing(
        ownership=ownership,
        accounts=service,
        downloads=store.downloads,
        holds=store.holds,
        devices=store.devices,
        registry=registry,
        access=access,
        problems=problems,
        transfers=transfers.progress,
        covers=covers,
        arrivals=store.arrivals if devices.peers else None,
        further_notices=(
            removals.notices,
            transfer_status.notices,
            syncthing_notices,
        ),
        questions=questions.of,
        is_healthy=base.is_healthy,
    )
    sync_status = SyncStatus(
        devices.peers,
        access=access,
        devices=listing.devices,
        visible=ownership.visible,
        arrivals=store.arrivals,
        registry=registry,
        problems=problems,
    )
    actions = DownloadActions(
        db=store.db,
        ownership=ownership,
        downloads=store.downloads,
        holds=store.holds,
        devices=store.devices,
        accounts=service,
        access=access,
        planning=rules.planning,
        registry=registry,
        claims=devices.claims,
        clock=clock,
    )
    presence = FilePresence(registry, store.devices)
    file_search = FileSearch(
        offline=store.offline, devices=store.devices, looking=presence, views=listing.views
    )
    return WebServices(
        sign_in=SignInService(
            accounts=service,
            sessions=store.sessions,
            api_keys=store.api_keys,
            browsers=KnownBrowsers(TokenBox(base.settings.server.data_dir / KEY_FILE)),
            clock=clock,
        ),
        api_keys=ApiKeyService(store.api_keys, base.bus, clock),
        users=UserService(
            accounts=service,
            sessions=store.sessions,
            api_keys=store.api_keys,
            belongings=UsageByAccount(store.db),
            bus=base.bus,
        ),
        downloads=listing,
        actions=actions,
        undo=_undo(base, accounts, devices, rules, actions),
        preferences=_preferences(base, accounts, devices, rules, transfers),
        plans=PlanService(
            access=access,
            ownership=ownership,
            devices=listing.devices,
            room=transfers.space,
            inventory=inventory,
            formats=devices.formats,
        ),
        eviction_preview=EvictionPreview(
            devices=listing.devices, room=transfers.space, inventory=inventory
        ),
        removals=removals,
        identity=identity,
        server_change=rules.server_change,
        eject=EjectService(access=access, registry=registry, claims=devices.claims, clock=clock),
        sync_status=sync_status,
        adoption=AdoptionService(
            access=access,
            registry=registry,
            downloads=store.downloads,
            adopter=Adopter(store.db, store.downloads, rules.planning),
            client=service.client,
            clock=clock,
        ),
        player_logs=PlayerLogImporter(
            access=access,
            registry=registry,
            tables=ReporterStores(store.db, store.imported, store.plays, store.downloads),
            client=service.client,
            on_plays=rules.followers.play_ended,
            clock=clock,
        ),
        library=LibraryBrowser(
            client=service.client,
            buttons=DownloadStates(
                offline=store.offline,
                downloads=store.downloads,
                devices=listing.devices,
                running=transfers.progress.last,
            ),
            covers=covers,
            clock=clock,
        ),
        media=MediaStreaming(
            offline=file_search,
            looking=presence,
            visible=ownership.visible,
            client=service.client,
            streams=StreamLimit(),
            uses=UsageTracker(store.downloads.transitions.mark_used, clock),
        ),
        file_search=file_search,
        files=FileBrowser(
            albums=store.albums_on_device,
            offline=store.offline,
            holds=store.holds,
            plays=store.plays,
            planning=rules.planning,
            looking=presence,
            views=listing.views,
            visible=ownership.visible,
            accounts=service.all,
            clock=clock,
        ),
        playback=PlayHistory(
            store.plays,
            rules.watching,
            service.all,
            UpcomingDownloads(store.holds, store.downloads, store.devices).of,
        ),
        transfers=transfer_status,
        system=SystemStatus(
            anonymous=service.anonymous,
            problems=problems,
            engine=base.settings.transfer.engine,
            workers=base.settings.transfer.workers,
            running=lambda: len(transfers.progress.last()),
            database=store.db.path,
            is_healthy=base.is_healthy,
            recent=base.recent,
        ),
    )


def _undo(
    base: Base,
    accounts: AccountServices,
    devices: DeviceServices,
    rules: RuleServices,
    actions: DownloadActions,
) -> UndoService:
    store = base.store
    reversing = Reversing(
        db=store.db,
        access=devices.access,
        planning=rules.planning,
        actions=actions,
        tombstones=store.tombstones,
        exclusions=store.exclusions,
        chosen=store.chosen,
        library=accounts.service.client,
        wake=rules.threads.look_through_soon,
    )
    return UndoService(reversing.reverse, base.clock)


def _preferences(
    base: Base,
    accounts: AccountServices,
    devices: DeviceServices,
    rules: RuleServices,
    transfers: TransferServices,
) -> PreferenceService:
    store, service = base.store, accounts.service

    def why_held_back(download: Download) -> str | None:
        return transfers.network.why_held_back(download) or transfers.space.why_held_back(download)

    explaining = Explainer(
        downloads=store.downloads,
        holds=store.holds,
        tombstones=store.tombstones,
        exclusions=store.exclusions,
        problems=accounts.problems,
        devices=devices.settings,
        rules=rules.settings,
        names=lambda: {one.user_id: one.name for one in service.all()},
        clock=base.clock,
        resting=store.rests.find_end,
        held_back=why_held_back,
        in_doubt=rules.questions.waiting,
    )
    return PreferenceService(
        access=devices.access,
        devices=devices.settings,
        rules=rules.settings,
        planning=rules.planning,
        downloads=store.downloads,
        holds=store.holds,
        tombstones=store.tombstones,
        exclusions=store.exclusions,
        chosen=store.chosen,
        explaining=explaining,
        library=service.client,
        accounts=service.signed_in,
        remarks=rules.followers.remarks,
        wake=rules.threads.look_through_soon,
        clock=base.clock,
    )
