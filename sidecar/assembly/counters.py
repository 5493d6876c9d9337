"""What the pages and the API stand at."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from sidecar.assembly.returning import Returning
from sidecar.domain.downloads.states import Download
from sidecar.services.accounts.api_keys import ApiKeyService
from sidecar.services.accounts.ownership import Ownership
from sidecar.services.accounts.person import Person
from sidecar.services.accounts.users import UserService
from sidecar.services.downloads.actions import DownloadActions
from sidecar.services.downloads.listing import DownloadListing
from sidecar.services.downloads.undo import Reversing, UndoService
from sidecar.services.files.browse import FileBrowser
from sidecar.services.files.presence import FilePresence
from sidecar.services.files.search import FileSearch
from sidecar.services.files.streaming import MediaStreaming, StreamLimit, UsageTracker
from sidecar.services.library.browse import LibraryBrowser
from sidecar.services.library.covers import CoverCache
from sidecar.services.library.download_state import DownloadStates
from sidecar.services.notices import Notice
from sidecar.services.playback.history import PlayHistory, UpcomingDownloads
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


class Assembly(Returning):
    """What the pages and the API stand at."""

    @cached_property
    def desk(self) -> DownloadListing:
        """Downloads and devices as people see them."""
        store = self._store
        return DownloadListing(
            accounts=self.accounts,
            sessions=store.sessions,
            api_keys=store.api_keys,
            downloads=store.downloads,
            holds=store.holds,
            devices=store.devices,
            registry=self.registry,
            access=self.access,
            ownership=self.ownership,
            problems=self.problems,
            transfers=self.transfers,
            covers=self.covers,
            arrivals=store.arrivals if self.peers else None,
            further_notices=(
                self.removals_desk.notices,
                self.transfers_desk.notices,
                self._syncthing_notices,
            ),
            questions=self.open_questions.of,
            is_healthy=self._is_healthy,
            clock=self._clock,
        )

    @cached_property
    def open_questions(self) -> OpenQuestions:
        """What waits for a person's answer on the devices."""
        return OpenQuestions(
            removals=self.removals,
            registry=self.registry,
            problems=self.problems,
            access=self.access,
        )

    @cached_property
    def covers(self) -> CoverCache:
        """Pictures that were fetched once."""
        return CoverCache(self._settings.server.data_dir / COVERS)

    @cached_property
    def actions(self) -> DownloadActions:
        """What people do with downloads."""
        store = self._store
        return DownloadActions(
            db=store.db,
            downloads=store.downloads,
            holds=store.holds,
            devices=store.devices,
            accounts=self.accounts,
            access=self.access,
            ownership=self.ownership,
            planning=self.planning,
            registry=self.registry,
            claims=self.claims,
            show=self.desk.download,
            clock=self._clock,
        )

    @cached_property
    def ownership(self) -> Ownership:
        """Whose downloads are whose."""
        store = self._store
        return Ownership(
            store.db, store.downloads, store.holds, self._clock, accounts=self.accounts.all
        )

    @cached_property
    def keys(self) -> ApiKeyService:
        """The keys of people's programs."""
        return ApiKeyService(self._store.api_keys)

    @cached_property
    def hood(self) -> SystemStatus:
        """How the machinery stands."""
        return SystemStatus(
            anonymous=self.accounts.anonymous,
            problems=self.problems,
            engine=self._settings.transfer.engine,
            workers=self._settings.transfer.workers,
            running=lambda: len(self.transfers.last()),
            database=self._store.db.path,
            is_healthy=self._is_healthy,
            recent=self._recent,
        )

    @cached_property
    def people(self) -> UserService:
        """Who lives here, and in which browsers."""
        store = self._store
        return UserService(
            accounts=self.accounts,
            sessions=store.sessions,
            api_keys=store.api_keys,
            belongings=UsageByAccount(store.db),
            bus=self._bus,
        )

    @cached_property
    def looking(self) -> FilePresence:
        """Looks whether files are there."""
        return FilePresence(self.registry, self._store.devices)

    @cached_property
    def offline(self) -> FileSearch:
        """What can be played without Jellyfin."""
        return FileSearch(
            offline=self._store.offline,
            devices=self._store.devices,
            looking=self.looking,
            views=self.desk.views,
        )

    @cached_property
    def on_the_device(self) -> FileBrowser:
        """What is on the devices, as people look through it."""
        store = self._store
        return FileBrowser(
            albums=store.albums_on_device,
            offline=store.offline,
            holds=store.holds,
            plays=store.plays,
            planning=self.planning,
            looking=self.looking,
            views=self.desk.views,
            visible=self.ownership.visible,
            accounts=self.accounts.all,
            clock=self._clock,
        )

    @cached_property
    def media(self) -> MediaStreaming:
        """The files themselves."""
        return MediaStreaming(
            offline=self.offline,
            looking=self.looking,
            visible=self.ownership.visible,
            client=self.accounts.client,
            streams=StreamLimit(),
            uses=UsageTracker(self._store.downloads.transitions.mark_used, self._clock),
        )

    @cached_property
    def library(self) -> LibraryBrowser:
        """The Jellyfin library as people look through it."""
        return LibraryBrowser(
            client=self.accounts.client,
            buttons=DownloadStates(
                offline=self._store.offline,
                downloads=self._store.downloads,
                devices=self.desk.devices,
                running=self.transfers.last,
            ),
            covers=self.covers,
            clock=self._clock,
        )

    @cached_property
    def plays_desk(self) -> PlayHistory:
        """What was and is played, as people see it."""
        store = self._store
        coming = UpcomingDownloads(store.holds, store.downloads, store.devices)
        return PlayHistory(store.plays, self.watching, self.accounts.all, coming.of)

    @cached_property
    def transfers_desk(self) -> TransferStatus:
        """What may be fetched now, as people see it."""
        return TransferStatus(self.network, self.speed, self.registry, self.access)

    @cached_property
    def plans(self) -> PlanService:
        """What comes and goes, as people see it."""
        return PlanService(
            access=self.access,
            ownership=self.ownership,
            devices=self.desk.devices,
            room=self.room,
            inventory=Inventory(self._store.db),
            formats=self.formats,
        )

    @cached_property
    def leavers(self) -> EvictionPreview:
        """What would go first, as people see it."""
        inventory = Inventory(self._store.db)
        return EvictionPreview(devices=self.desk.devices, room=self.room, inventory=inventory)

    @cached_property
    def peers_desk(self) -> SyncStatus:
        """Where devices are carried to, as people see it."""
        return SyncStatus(
            self.peers,
            access=self.access,
            devices=self.desk.devices,
            download=self.desk.download,
            arrivals=self._store.arrivals,
            registry=self.registry,
            problems=self.problems,
        )

    def _syncthing_notices(self, person: Person) -> Sequence[Notice]:
        return self.peers_desk.notices(person)

    @cached_property
    def removals_desk(self) -> RemovalReview:
        """What people are asked of files that are missing."""
        return RemovalReview(
            self.removals,
            ownership=self.ownership,
            access=self.access,
            registry=self.registry,
        )

    @cached_property
    def unplugging(self) -> EjectService:
        """How devices are pulled out."""
        return EjectService(
            access=self.access,
            registry=self.registry,
            claims=self.claims,
            clock=self._clock,
        )

    @cached_property
    def explaining(self) -> Explainer:
        """Why something is here, and why not."""
        store = self._store
        return Explainer(
            downloads=store.downloads,
            holds=store.holds,
            tombstones=store.tombstones,
            exclusions=store.exclusions,
            problems=self.problems,
            devices=self.device_book,
            rules=self.rule_book,
            names=lambda: {one.user_id: one.name for one in self.accounts.all()},
            clock=self._clock,
            resting=store.rests.until,
            held_back=self._why_held_back,
        )

    def _why_held_back(self, download: Download) -> str | None:
        return self.network.why_held_back(download) or self.room.why_held_back(download)

    @cached_property
    def undoing(self) -> UndoService:
        """What people did a moment ago, and how it is taken back."""
        store = self._store
        reversing = Reversing(
            db=store.db,
            access=self.access,
            planning=self.planning,
            actions=self.actions,
            tombstones=store.tombstones,
            exclusions=store.exclusions,
            chosen=store.chosen,
            library=self.accounts.client,
            wake=self.following.look_through_soon,
        )
        return UndoService(reversing.reverse, self._clock)

    @cached_property
    def steering(self) -> PreferenceService:
        """What people say about rules, holds and devices."""
        store = self._store
        return PreferenceService(
            access=self.access,
            devices=self.device_book,
            rules=self.rule_book,
            planning=self.planning,
            downloads=store.downloads,
            holds=store.holds,
            tombstones=store.tombstones,
            exclusions=store.exclusions,
            chosen=store.chosen,
            explaining=self.explaining,
            library=self.accounts.client,
            accounts=self.accounts.signed_in,
            remarks=self.followers.remarks,
            wake=self.following.look_through_soon,
            clock=self._clock,
        )

    @cached_property
    def web(self) -> WebServices:
        """What the pages and the API use."""
        return WebServices(
            sign_in=self.desk,
            api_keys=self.keys,
            users=self.people,
            downloads=self.desk,
            actions=self.actions,
            undo=self.undoing,
            preferences=self.steering,
            plans=self.plans,
            eviction_preview=self.leavers,
            removals=self.removals_desk,
            eject=self.unplugging,
            sync_status=self.peers_desk,
            adoption=self.adoption,
            player_logs=self.log_return,
            library=self.library,
            media=self.media,
            file_search=self.offline,
            files=self.on_the_device,
            playback=self.plays_desk,
            transfers=self.transfers_desk,
            system=self.hood,
        )
