"""The database, its tables, and the signing in that the command line uses alone."""

from __future__ import annotations

from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.errors import ConfigError
from sidecar.events import Bus
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.problems import Problems
from sidecar.store.accounts.accounts import Accounts
from sidecar.store.accounts.api_keys import ApiKeys
from sidecar.store.accounts.sessions import Sessions
from sidecar.store.database import Database
from sidecar.store.devices.devices import Devices
from sidecar.store.downloads.queue import Downloads
from sidecar.store.files.albums import AlbumIndex
from sidecar.store.files.search import FileIndex
from sidecar.store.meta import Meta
from sidecar.store.playback.imported_plays import ImportedPlays
from sidecar.store.playback.plays import Plays as PlayTable
from sidecar.store.rules.cooldowns import EvictionCooldowns
from sidecar.store.rules.exclusions import Exclusions
from sidecar.store.rules.favourites import FavouriteStates
from sidecar.store.rules.holds import Holds
from sidecar.store.rules.playlist_orders import PlaylistOrders
from sidecar.store.rules.playlists import ChosenPlaylists
from sidecar.store.rules.tombstones import Tombstones
from sidecar.store.syncthing.arrivals import Arrivals

DATABASE = "sidecar.db"
KEY_FILE = "token.key"


class Store:
    """The database and its tables, each with its own hand."""

    def __init__(self, db: Database, bus: Bus, clock: Clock) -> None:
        self.db = db
        self.accounts = Accounts(db)
        self.albums_on_device = AlbumIndex(db)
        self.api_keys = ApiKeys(db, clock)
        self.arrivals = Arrivals(db)
        self.chosen = ChosenPlaylists(db)
        self.devices = Devices(db)
        self.downloads = Downloads(db, bus, clock)
        self.exclusions = Exclusions(db, clock)
        self.hearts = FavouriteStates(db, clock)
        self.holds = Holds(db, bus)
        self.imported = ImportedPlays(db)
        self.meta = Meta(db)
        self.offline = FileIndex(db)
        self.playlist_orders = PlaylistOrders(db, bus)
        self.plays = PlayTable(db)
        self.rests = EvictionCooldowns(db, clock)
        self.sessions = Sessions(db, clock)
        self.tombstones = Tombstones(db, clock)


def account_service(
    settings: Settings, store: Store, problems: Problems, bus: Bus, clock: Clock
) -> AccountService:
    """Return what signs accounts in and out.

    Raises:
        errors.ConfigError: No Jellyfin server is set.
    """
    if settings.jellyfin.url is None:
        raise ConfigError("settings", "jellyfin.url", None, "must be given")
    return AccountService(
        settings.jellyfin.url,
        ca_file=settings.jellyfin.ca_file,
        accounts=store.accounts,
        meta=store.meta,
        box=TokenBox(settings.server.data_dir / KEY_FILE),
        problems=problems,
        bus=bus,
        clock=clock,
    )
