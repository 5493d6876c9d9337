"""The services that the pages, the API and the live connection use, in one object."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sidecar.services.accounts.api_keys import ApiKeyService
from sidecar.services.accounts.hidden_files import HiddenFilesService
from sidecar.services.accounts.sign_in import SignInService
from sidecar.services.accounts.users import UserService
from sidecar.services.activity.history import ActivityHistory
from sidecar.services.activity.replays.service import ReplayService
from sidecar.services.browsers.browsers import BrowserService
from sidecar.services.browsers.plays import BrowserPlays
from sidecar.services.browsers.states import BrowserStates
from sidecar.services.configuration.service import ConfigurationService
from sidecar.services.configuration.setup.service import SetUpService
from sidecar.services.devices.editor import DeviceEditor
from sidecar.services.devices.listing import DeviceListing
from sidecar.services.downloads.actions import DownloadActions
from sidecar.services.downloads.listing import DownloadListing
from sidecar.services.downloads.undo import UndoService
from sidecar.services.files.adoption.adopt import AdoptionService
from sidecar.services.files.browse import FileBrowser
from sidecar.services.files.removals.review import RemovalReview
from sidecar.services.files.search import FileSearch
from sidecar.services.files.streaming import MediaStreaming
from sidecar.services.health.system_status import SystemStatus
from sidecar.services.identity.file_names import FileNames
from sidecar.services.identity.review import IdentityReview
from sidecar.services.identity.server_change import ServerChange
from sidecar.services.library.browse import LibraryBrowser
from sidecar.services.notifications.notice_board import NoticeBoard
from sidecar.services.notifications.notifier import Notifier
from sidecar.services.notifications.preferences import NotificationPreferences
from sidecar.services.notifications.push import BrowserPush
from sidecar.services.notifications.webhooks.webhooks import Webhooks
from sidecar.services.operations.backups.nightly import NightlyBackups
from sidecar.services.operations.doctor import Doctor
from sidecar.services.operations.machine_list import MachineList
from sidecar.services.operations.machines import MachineService
from sidecar.services.operations.support import SupportBundle
from sidecar.services.operations.task_list import TaskList
from sidecar.services.orders.service import OrderService
from sidecar.services.playback.client_messages.preferences import ClientMessagePreferences
from sidecar.services.playback.history import PlayHistory
from sidecar.services.players.device_playlists.returns import PlaylistReturns
from sidecar.services.players.player_logs.importer import PlayerLogImporter
from sidecar.services.players.player_logs.listeners import Listeners
from sidecar.services.players.player_logs.states import PlayerStateImporter
from sidecar.services.rules.preferences import PreferenceService
from sidecar.services.rules.selections.selections import SelectionService
from sidecar.services.rules.settings.editor import SettingsEditor
from sidecar.services.space.next_to_go import EvictionPreview
from sidecar.services.space.plans import PlanService
from sidecar.services.syncthing.status import SyncStatus
from sidecar.services.transfers.eject import EjectService
from sidecar.services.transfers.policy.status import TransferStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class WebServices:
    """One service for each capability of the web application.

    Attributes:
        look: Begins and ends a request that only looks: what is asked for in several places of a
            page is read once.
        metrics: The figures for Prometheus, in its text format.
    """

    look: Callable[[], AbstractContextManager[None]]
    sign_in: SignInService
    api_keys: ApiKeyService
    users: UserService
    client_messages: ClientMessagePreferences
    devices: DeviceListing
    notices: NoticeBoard
    downloads: DownloadListing
    actions: DownloadActions
    undo: UndoService
    preferences: PreferenceService
    selections: SelectionService
    settings: SettingsEditor
    configuration: ConfigurationService
    device_editor: DeviceEditor
    plans: PlanService
    eviction_preview: EvictionPreview
    removals: RemovalReview
    identity: IdentityReview
    file_names: FileNames
    server_change: ServerChange
    hidden: HiddenFilesService
    eject: EjectService
    orders: OrderService
    sync_status: SyncStatus
    adoption: AdoptionService
    player_logs: PlayerLogImporter
    listeners: Listeners
    player_states: PlayerStateImporter
    playlist_returns: PlaylistReturns
    browsers: BrowserService
    browser_plays: BrowserPlays
    browser_states: BrowserStates
    library: LibraryBrowser
    media: MediaStreaming
    file_search: FileSearch
    files: FileBrowser
    playback: PlayHistory
    activity: ActivityHistory
    replays: ReplayService
    transfers: TransferStatus
    system: SystemStatus
    metrics: Callable[[], bytes]
    notifications: NotificationPreferences
    notifier: Notifier
    push: BrowserPush
    support: SupportBundle
    doctor: Doctor
    backups: NightlyBackups
    machines: MachineService
    machine_list: MachineList
    tasks: TaskList
    webhooks: Webhooks
    # Only while the sidecar runs on its demo.
    set_up: SetUpService | None = None
