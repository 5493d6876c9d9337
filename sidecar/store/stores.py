"""All stores, made together: what a service is handed that uses more than one or two of them."""

from __future__ import annotations

from sidecar.clock import Clock
from sidecar.events import Bus
from sidecar.store.accounts.accounts import Accounts
from sidecar.store.accounts.api_keys import ApiKeys
from sidecar.store.accounts.choices import Choices
from sidecar.store.accounts.hidden_items import HiddenItems
from sidecar.store.accounts.push_subscriptions import PushSubscriptions
from sidecar.store.accounts.sessions import Sessions
from sidecar.store.database import Database
from sidecar.store.devices.devices import Devices
from sidecar.store.devices.machines import DeviceMachines
from sidecar.store.devices.orders import Orders
from sidecar.store.devices.samples import Samples
from sidecar.store.downloads.formats import FormatStore
from sidecar.store.downloads.inventory import Inventory
from sidecar.store.downloads.queue import Downloads
from sidecar.store.files.albums import AlbumIndex
from sidecar.store.files.search import FileIndex
from sidecar.store.findings import Findings
from sidecar.store.meta import Meta
from sidecar.store.notifications import NotificationStore
from sidecar.store.page_settings import PageSettings
from sidecar.store.playback.imported_plays import ImportedPlays
from sidecar.store.playback.player_states import PlayerStates
from sidecar.store.playback.plays import Plays
from sidecar.store.processes import Processes
from sidecar.store.rules.cooldowns import EvictionCooldowns
from sidecar.store.rules.device_playlists import DevicePlaylists
from sidecar.store.rules.exclusions import Exclusions
from sidecar.store.rules.favourites import FavouriteStates
from sidecar.store.rules.holds import Holds
from sidecar.store.rules.playlist_orders import PlaylistOrders
from sidecar.store.rules.playlists import ChosenPlaylists
from sidecar.store.rules.selections import Selections
from sidecar.store.rules.tombstones import Tombstones
from sidecar.store.schema.tables import BrowserPlayRow
from sidecar.store.syncthing.arrivals import Arrivals


class Stores:
    """One for each table, over one database."""

    def __init__(self, db: Database, bus: Bus, clock: Clock, *, machine: str | None = None) -> None:
        """Make them; with a machine, devices are where they are on that one."""
        self.db = db
        self.accounts = Accounts(db)
        self.albums_on_device = AlbumIndex(db)
        self.api_keys = ApiKeys(db, clock)
        self.browser_plays = ImportedPlays(db, BrowserPlayRow)
        self.arrivals = Arrivals(db)
        self.choices = Choices(db)
        self.chosen = ChosenPlaylists(db)
        self.device_playlists = DevicePlaylists(db)
        self.devices = Devices(db, machine)
        self.device_machines = DeviceMachines(db, clock)
        self.downloads = Downloads(db, bus, clock)
        # The same one: it knows which entries are of this process.
        self.activity = self.downloads.transitions.activity
        self.exclusions = Exclusions(db, clock)
        self.findings = Findings(db)
        self.hearts = FavouriteStates(db, clock)
        self.hidden = HiddenItems(db, clock)
        self.holds = Holds(db, bus, is_shared=machine is not None)
        self.imported = ImportedPlays(db)
        self.formats = FormatStore(db)
        self.inventory = Inventory(db)
        self.meta = Meta(db)
        self.notifications = NotificationStore(db, self.choices)
        self.offline = FileIndex(db)
        self.orders = Orders(db, clock)
        self.page_settings = PageSettings(db)
        self.player_states = PlayerStates(db)
        self.playlist_orders = PlaylistOrders(db, bus)
        self.plays = Plays(db)
        self.processes = Processes(db, clock)
        self.push_subscriptions = PushSubscriptions(db, clock)
        self.rests = EvictionCooldowns(db, clock)
        self.samples = Samples(db)
        self.selections = Selections(db)
        self.sessions = Sessions(db, clock)
        self.tombstones = Tombstones(db, clock)
