"""Where the objects meet: tables, then the use cases over them. Starts nothing.

`runtime` owns the threads; the command line uses the parts it needs.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cached_property
from threading import Event

from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.config.zones import zone
from sidecar.domain.downloads import Download
from sidecar.domain.eviction import in_use
from sidecar.errors import ConfigError
from sidecar.events import Bus
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.accounts import AccountDesk
from sidecar.services.actions import Actions
from sidecar.services.cast_orders import CastOrders
from sidecar.services.casting import Casting
from sidecar.services.claims import Claims
from sidecar.services.copies import Copies
from sidecar.services.covers import Covers
from sidecar.services.device_book import DeviceBook
from sidecar.services.devices import DeviceShelf
from sidecar.services.downloading import Worker
from sidecar.services.explaining import Explaining
from sidecar.services.failing import Failing
from sidecar.services.followers import Followers
from sidecar.services.following import Following
from sidecar.services.front_desk import FrontDesk
from sidecar.services.keeping import Keeping
from sidecar.services.keys import Keys
from sidecar.services.network import NetworkRule
from sidecar.services.planning import Planning
from sidecar.services.plans import Plans
from sidecar.services.plays_desk import ListeningDesk
from sidecar.services.progress import Transfers
from sidecar.services.removals import Removals
from sidecar.services.removals_desk import RemovalsCounter
from sidecar.services.room import Room
from sidecar.services.rule_book import RuleBook
from sidecar.services.server import ServerWatch
from sidecar.services.settling import Settling
from sidecar.services.speed import SpeedLimits
from sidecar.services.steering import Steering
from sidecar.services.transfers_desk import TransfersCounter
from sidecar.services.troubles import Troubles
from sidecar.services.unattended import Unattended
from sidecar.services.verdicts import Verdicts
from sidecar.services.watching import Watching
from sidecar.store.accounts import Accounts
from sidecar.store.api_keys import ApiKeys
from sidecar.store.chosen import ChosenPlaylists
from sidecar.store.database import Database
from sidecar.store.device_settings import DeviceSettingsStore
from sidecar.store.devices import Devices
from sidecar.store.downloads import Downloads
from sidecar.store.exclusions import Exclusions
from sidecar.store.hearts import Hearts
from sidecar.store.holds import Holds
from sidecar.store.inventory import Inventory
from sidecar.store.meta import Meta
from sidecar.store.plays import Plays as PlayTable
from sidecar.store.rests import Rests
from sidecar.store.rule_settings import RuleSettingsStore
from sidecar.store.sessions import Sessions
from sidecar.store.tombstones import Tombstones
from sidecar.transfer.bandwidth import Bandwidth
from sidecar.transfer.engine import Engine
from sidecar.transfer.making import make_engine
from sidecar.transfer.network import WayOut

DATABASE = "sidecar.db"
KEY_FILE = "token.key"
COVERS = "covers"


class Store:
    """The database and its tables, each with its own hand."""

    def __init__(self, db: Database, bus: Bus, clock: Clock) -> None:
        self.db = db
        self.accounts = Accounts(db)
        self.api_keys = ApiKeys(db, clock)
        self.chosen = ChosenPlaylists(db)
        self.devices = Devices(db)
        self.downloads = Downloads(db, bus, clock)
        self.exclusions = Exclusions(db, clock)
        self.hearts = Hearts(db, clock)
        self.holds = Holds(db, bus)
        self.meta = Meta(db)
        self.plays = PlayTable(db)
        self.rests = Rests(db, clock)
        self.sessions = Sessions(db, clock)
        self.tombstones = Tombstones(db, clock)


def account_desk(
    settings: Settings, store: Store, troubles: Troubles, bus: Bus, clock: Clock
) -> AccountDesk:
    """Return what signs accounts in and out.

    Raises:
        errors.ConfigError: No Jellyfin server is set.
    """
    if settings.jellyfin.url is None:
        raise ConfigError("settings", "jellyfin.url", None, "must be given")
    return AccountDesk(
        settings.jellyfin.url,
        ca_file=settings.jellyfin.ca_file,
        accounts=store.accounts,
        meta=store.meta,
        box=TokenBox(settings.server.data_dir / KEY_FILE),
        troubles=troubles,
        bus=bus,
        clock=clock,
    )


class Assembly:
    """The use cases, each made with what it needs when it is first asked for. Starts nothing."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        bus: Bus,
        clock: Clock,
        is_healthy: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._store = store
        self._bus = bus
        self._clock = clock
        self._is_healthy = is_healthy

    # Jellyfin and its accounts

    @cached_property
    def troubles(self) -> Troubles:
        """What stands in the way now."""
        return Troubles(self._bus)

    @cached_property
    def accounts(self) -> AccountDesk:
        """Who is signed in."""
        return account_desk(self._settings, self._store, self.troubles, self._bus, self._clock)

    @cached_property
    def server(self) -> ServerWatch:
        """Whether Jellyfin is there."""
        return ServerWatch(self.accounts.anonymous, self.troubles, self._clock)

    # Devices

    @cached_property
    def claims(self) -> Claims:
        """What the workers hold."""
        claims = Claims()
        self._bus.subscribe(claims.hear)
        return claims

    @cached_property
    def device_book(self) -> DeviceBook:
        """What is set of each device."""
        return DeviceBook(
            self._settings.devices,
            devices=self._store.devices,
            store=DeviceSettingsStore(self._store.db),
            stop_on=self.claims.stop_on,
            bus=self._bus,
        )

    @cached_property
    def shelf(self) -> DeviceShelf:
        """The devices as they are now."""
        return DeviceShelf(
            self._settings.devices,
            current=self.device_book.current,
            devices=self._store.devices,
            downloads=self._store.downloads,
            troubles=self.troubles,
            clock=self._clock,
        )

    @cached_property
    def room(self) -> Room:
        """Keeps the devices within their limits."""
        return Room(
            db=self._store.db,
            shelf=self.shelf,
            downloads=self._store.downloads,
            troubles=self.troubles,
            bus=self._bus,
            in_use=lambda: in_use(self.watching.now()),
            clock=self._clock,
        )

    @cached_property
    def removals(self) -> Removals:
        """Notices what people do on the devices."""
        store = self._store
        return Removals(
            downloads=store.downloads,
            verdicts=Verdicts(store.db, store.downloads, store.holds, self._clock),
            shelf=self.shelf,
            troubles=self.troubles,
            bus=self._bus,
            clock=self._clock,
        )

    # What people want

    @cached_property
    def planning(self) -> Planning:
        """Turns wishes into holds and into the queue."""
        store = self._store
        return Planning(store.db, store.holds, store.downloads, self._clock)

    @cached_property
    def rule_book(self) -> RuleBook:
        """What is set of each rule."""
        return RuleBook(self._settings.rules, RuleSettingsStore(self._store.db))

    @cached_property
    def followers(self) -> Followers:
        """Makes what follows an account."""
        store = self._store
        return Followers(
            planning=self.planning,
            shelf=self.shelf,
            server=self.server,
            hearts=store.hearts,
            holds=store.holds,
            plays=store.plays,
            chosen=store.chosen,
            book=self.rule_book,
            favourites=self._settings.rules.favourites,
            clock=self._clock,
        )

    @cached_property
    def watching(self) -> Watching:
        """Everybody's playback."""
        return Watching(
            self._store.plays,
            self._store.downloads,
            on_play=lambda play: self.followers.play_ended(play.user_id),
            clock=self._clock,
        )

    @cached_property
    def following(self) -> Following:
        """The threads of the accounts."""
        return Following(
            accounts=self.accounts,
            make=self.followers,
            watching=self.watching,
            server=self.server,
            around=self._store.db.thread,
            clock=self._clock,
            chance=random.random,
        )

    @cached_property
    def keeping(self) -> Keeping:
        """The housekeeping."""
        unattended = Unattended(
            self._settings.jellyfin.username,
            self._settings.jellyfin.password,
            accounts=self.accounts,
            server=self.server,
            troubles=self.troubles,
        )
        return Keeping(
            db=self._store.db,
            downloads=self._store.downloads,
            shelf=self.shelf,
            settling=Settling(self._store.downloads),
            planning=self.planning,
            room=self.room,
            network=self.network,
            server=self.server,
            sign_in=unattended.step,
            look_at_accounts=self.following.look,
            device_came=self.following.look_through_soon,
            clock=self._clock,
        )

    @cached_property
    def cast_orders(self) -> CastOrders:
        """Turns what people cast into pins."""
        return CastOrders(
            accounts=self.accounts,
            shelf=self.shelf,
            planning=self.planning,
            downloads=self._store.downloads,
            clock=self._clock,
        )

    @cached_property
    def casting(self) -> Casting:
        """The devices in the menus of Jellyfin's clients."""
        return Casting(
            accounts=self.accounts,
            shelf=self.shelf,
            orders=self.cast_orders,
            is_paused=self.shelf.is_paused,
            around=self._store.db.thread,
            clock=self._clock,
            chance=random.random,
        )

    # Transfers

    @cached_property
    def network(self) -> NetworkRule:
        """What may be fetched now."""
        settings = self._settings.network
        return NetworkRule(
            settings,
            zone=zone(settings.time_zone),
            look=WayOut().look,
            shelf=self.shelf,
            claims=self.claims,
            holds=self._store.holds,
            meta=self._store.meta,
            bus=self._bus,
            clock=self._clock,
        )

    @cached_property
    def transfers(self) -> Transfers:
        """What runs now, and how fast."""
        return Transfers(self._bus, self._clock)

    @cached_property
    def failing(self) -> Failing:
        """Decides what follows from a failure."""
        return Failing(
            downloads=self._store.downloads,
            accounts=self.accounts,
            shelf=self.shelf,
            server=self.server,
            clock=self._clock,
            chance=random.random,
            make_room=self.room.make_room,
        )

    @cached_property
    def speed(self) -> SpeedLimits:
        """How fast transfers may be."""
        return SpeedLimits(
            self._settings.transfer,
            zone=zone(self._settings.network.time_zone),
            shelf=self.shelf,
            meta=self._store.meta,
            clock=self._clock,
        )

    @cached_property
    def engine(self) -> tuple[Engine, Callable[[Event], None] | None]:
        """What moves the bytes, and the thread that it needs, if it needs one.

        Raises:
            errors.ConfigError: The program that is asked for is not installed.
        """
        bandwidth = Bandwidth(self._clock, self.speed.of)
        return make_engine(self._settings, self._clock, bandwidth)

    def new_worker(self) -> Worker:
        """Return another worker."""
        return Worker(
            engine=self.engine[0],
            downloads=self._store.downloads,
            accounts=self.accounts,
            shelf=self.shelf,
            server=self.server,
            troubles=self.troubles,
            transfers=self.transfers,
            claims=self.claims,
            failing=self.failing,
            copies=Copies(self.shelf, self._store.downloads),
            clock=self._clock,
            held_back=self.room.held_back,
            own_only=self.network.own_only,
        )

    # What the pages stand at

    @cached_property
    def desk(self) -> FrontDesk:
        """Downloads and devices as people see them."""
        store = self._store
        return FrontDesk(
            accounts=self.accounts,
            sessions=store.sessions,
            api_keys=store.api_keys,
            downloads=store.downloads,
            holds=store.holds,
            devices=store.devices,
            shelf=self.shelf,
            troubles=self.troubles,
            transfers=self.transfers,
            covers=Covers(self._settings.server.data_dir / COVERS),
            further_notices=(self.removals_desk.notices, self.transfers_desk.notices),
            is_healthy=self._is_healthy,
            clock=self._clock,
        )

    @cached_property
    def actions(self) -> Actions:
        """What people do with downloads."""
        store = self._store
        return Actions(
            db=store.db,
            downloads=store.downloads,
            holds=store.holds,
            devices=store.devices,
            accounts=self.accounts,
            planning=self.planning,
            shelf=self.shelf,
            claims=self.claims,
            show=self.desk.download,
            clock=self._clock,
        )

    @cached_property
    def keys(self) -> Keys:
        """The keys of people's programs."""
        return Keys(self._store.api_keys)

    @cached_property
    def plays_desk(self) -> ListeningDesk:
        """What was and is played, as people see it."""
        return ListeningDesk(self._store.plays, self.watching, self.accounts.all)

    @cached_property
    def transfers_desk(self) -> TransfersCounter:
        """What may be fetched now, as people see it."""
        return TransfersCounter(self.network, self.speed, self.shelf)

    @cached_property
    def plans(self) -> Plans:
        """What comes and goes, as people see it."""
        return Plans(devices=self.desk.devices, room=self.room, inventory=Inventory(self._store.db))

    @cached_property
    def removals_desk(self) -> RemovalsCounter:
        """What people are asked of files that are missing."""
        store = self._store
        return RemovalsCounter(
            self.removals,
            downloads=store.downloads,
            holds=store.holds,
            devices=store.devices,
            shelf=self.shelf,
        )

    @cached_property
    def explaining(self) -> Explaining:
        """Why something is here, and why not."""
        store = self._store
        return Explaining(
            downloads=store.downloads,
            holds=store.holds,
            tombstones=store.tombstones,
            exclusions=store.exclusions,
            troubles=self.troubles,
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
    def steering(self) -> Steering:
        """What people say about rules, holds and devices."""
        store = self._store
        return Steering(
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
