"""Starts and stops the whole sidecar, and owns its threads.

    lock of the data folder → database → web server with the starting page → `prepare` →
    devices are opened → recovery of the queue → web application → background threads, workers,
    and two threads for each account → the files on the devices are looked at

Stopping signals all threads at once, then waits for them in reverse order.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from importlib import import_module
from threading import Event
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from sidecar.assembly.assembly import Assembly, assemble
from sidecar.assembly.base import name_machine
from sidecar.assembly.store import database_place, page_configuration
from sidecar.clock import Clock, SystemClock
from sidecar.config import Settings
from sidecar.device.filesystem import database_risk
from sidecar.domain.processes.roles import ALONE, Roles
from sidecar.errors import LockedOut
from sidecar.events import AccountChanged, Bus, NewsMissed, SettingsChanged, WorkArrived
from sidecar.events import Event as News
from sidecar.process import heap, limits, logs, private_files
from sidecar.process.logs import LineFormatter
from sidecar.process.threads import ThreadGroup, Wakeup
from sidecar.services.configuration.service import ConfigurationService
from sidecar.services.configuration.setup.service import SetUpService
from sidecar.services.health.system_status import RecentLog
from sidecar.services.transfers.claims import Claims
from sidecar.store.database import Database
from sidecar.store.stores import Stores
from sidecar.web.app import Web, WebOptions, create_app
from sidecar.web.security.hosts import is_in, networks
from sidecar.web.server import WebServer
from sidecar.web.starting import Startup, starting_app
from sidecar.web.without_pages import without_pages

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

STOP_WITHIN_S = 3.0
# Who starts it finds the devices attached, unless a look at their files takes longer than this.
LOOK_WITHIN_S = 2.0
SHARED_EVENTS = "sidecar.assembly.shared_events"
COMPILED_TEMPLATES = "templates"  # a folder of the data folder

Prepare = Callable[[str, Startup], Settings]
"""Gets ready what the sidecar needs, while the page at this address says how far it is.

Returns the settings to go on with; the web server and the data folder must stay as they were.
"""


class Runtime:
    """The whole sidecar, from `start` to `stop`. Can be started once only."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock | None = None,
        *,
        prepare: Prepare | None = None,
        ignored: Collection[str] = (),
        set_up: SetUpService | None = None,
        roles: Roles = ALONE,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            settings: Those of the file and the environment; the page's come on top at the start.
            clock: The time.
            prepare: Gets ready what the sidecar needs.
            ignored: Settings of the page with which the last start failed.
            set_up: The first set-up, offered as long as it runs on the demo.
            roles: What this process does.
        """
        self._settings = settings
        self._ignored = ignored
        self._set_up = set_up
        self._roles = roles
        self.restart_wanted = Event()
        self.is_over = Event()
        self._end: LockedOut | None = None
        self._prepare = prepare
        self._clock = clock or SystemClock()
        self._bus = Bus()
        self._running = ExitStack()
        self._recent = RecentLog(LineFormatter())
        self._workers_wakeup = Wakeup()
        self._housekeeping_wakeup = Wakeup()
        self.url = ""
        self.web: Web | None = None

    @property
    def settings(self) -> Settings:
        """The settings that it runs with."""
        return self._settings

    @property
    def port(self) -> int:
        """The port of the page; 0 before the start."""
        return urlsplit(self.url).port or 0

    def start(self) -> None:
        """Create everything and start the threads. If this raises, nothing is left running.

        Raises:
            errors.AlreadyRunning: Another sidecar uses the data folder or a device.
            errors.SidecarError: Something cannot be used.
            Exception: Whatever `prepare` raises.
        """
        heap.keep_little()
        sys.setswitchinterval(limits.TURN_S)
        with ExitStack() as building:
            self._build(building)
            self._running = building.pop_all()

    def raise_end(self) -> None:
        """Raise why it must not go on, if there is a reason.

        Raises:
            errors.LockedOut: An admin has removed this machine from the installation.
        """
        if self._end is not None:
            raise self._end

    def _be_over(self, why: LockedOut) -> None:
        self._end = why
        self.is_over.set()

    def stop(self) -> None:
        """Stop all threads and release all resources, in less than 9 s, usually less than 1."""
        self._running.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _build(self, building: ExitStack) -> None:
        db = database_place(self._settings).open(self._clock, self._roles)
        building.callback(db.close)
        machine = None if self._roles.is_alone else name_machine(self._settings)
        store = Stores(db, self._bus, self._clock, machine=machine)
        configuration = page_configuration(
            self._settings,
            store,
            self._bus,
            ignored=self._ignored,
            restart=self.restart_wanted.set,
        )
        self._settings = settings = configuration.now()
        if any(configuration.set_on_page(key) is not None for key in ("log.level", "log.format")):
            logs.set_form(settings.log.level, settings.log.format)
        _keep_others_out(settings)
        building.callback(logging.getLogger().removeHandler, self._recent)
        logging.getLogger().addHandler(self._recent)
        if db.recovery is not None:
            log.warning("%s", db.recovery)
        is_file = settings.database.url is None
        if is_file and (risk := database_risk(settings.server.data_dir)) is not None:
            log.warning("%s", risk)
        threads = ThreadGroup(db.thread)
        with ExitStack() as opening:
            opening.callback(threads.stop_all, within_s=STOP_WITHIN_S)
            http, startup = self._open(opening, threads)
            if self._prepare is not None:
                prepared = self._prepare(self.url, startup)
                self._settings = configuration.rebase(prepared)
            services = self._assemble(building, threads, store, configuration)
            building.callback(self._end_threads, threads, services.devices.claims)
            building.callback(http.stop)
            opening.pop_all()
        self._serve(building, http, services, db)
        building.callback(services.rules.threads.end)
        building.callback(self._bus.subscribe(self._hear))
        building.callback(self._bus.subscribe(partial(self._hear_settings, services)))
        if self._settings.redis.url is not None:
            # Most have none, and do not load what it needs.
            start: Callable[..., object] = import_module(SHARED_EVENTS).start_event_bridge
            start(self._settings.redis.url, self._settings, self._bus, self._clock, threads)
        self._start_threads(threads, services)
        building.callback(self._ask_to_stop, threads, services.devices.claims)
        # Pages are served already.
        services.background.housekeeping.wait_for_devices(LOOK_WITHIN_S)

    def _open(self, opening: ExitStack, threads: ThreadGroup) -> tuple[WebServer, Startup]:
        """Start the web server with the page that says that the sidecar is starting."""
        server, startup = self._settings.server, Startup()
        app = starting_app(startup, self._web_options, self._clock, self._set_up)
        proxies = networks(server.trusted_proxies)
        http = WebServer(
            app, server.host, server.port, is_proxy=lambda address: is_in(address, proxies)
        )
        http.bind()
        self.url = http.url + server.base_url
        opening.callback(http.stop)
        threads.add("http", lambda _stop: http.serve())
        return http, startup

    def _assemble(
        self,
        building: ExitStack,
        threads: ThreadGroup,
        store: Stores,
        configuration: ConfigurationService,
    ) -> Assembly:
        services = assemble(
            self._settings,
            store,
            self._bus,
            self._clock,
            lambda: threads.all_alive() and store.db.is_answering(),
            is_stopping=threads.stop.is_set,
            recent=self._recent,
            configuration=configuration,
            roles=self._roles,
            locked_out=self._be_over,
        )
        building.callback(services.devices.registry.close)
        building.callback(services.background.leases.end)
        services.background.housekeeping.recover()
        return services

    @property
    def _jellyfin_pages(self) -> str:
        """Where browsers reach Jellyfin's pages; we may know it by a name of our own network."""
        url = self._settings.jellyfin.url
        if url is None or self._set_up is not None:
            # The demo has no pages.
            return ""
        address = urlsplit(url)
        known = next(iter(self._settings.server.jellyfin_web_origins), None)
        return f"{known or f'{address.scheme}://{address.netloc}'}{address.path}".rstrip("/")

    @property
    def _web_options(self) -> WebOptions:
        server = self._settings.server
        return WebOptions(
            host=server.host,
            allowed_hosts=server.allowed_hosts,
            base_url=server.base_url,
            trusted_proxies=server.trusted_proxies,
            proxies_in_a_row=server.proxies_in_a_row,
            jellyfin_web_origins=server.jellyfin_web_origins,
            jellyfin_pages=self._jellyfin_pages,
            compiled=server.data_dir / COMPILED_TEMPLATES,
        )

    def _serve(
        self, building: ExitStack, http: WebServer, services: Assembly, db: Database
    ) -> None:
        offered = replace(services.web, set_up=self._set_up)
        web = create_app(offered, self._bus, self._web_options, self._clock)
        self.web = web
        answer = web.wsgi
        if not self._roles.serves_pages:
            answer = without_pages(answer, self._settings.server.base_url)

        def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            with db.thread():
                return answer(environ, start_response)

        # Stopped before the server: a page that uses long polling occupies a worker.
        building.callback(web.live.stop)
        web.live.start(around=db.thread)
        http.answer_with(wsgi)

    def _start_threads(self, threads: ThreadGroup, services: Assembly) -> None:
        background, housekeeping = services.background, self._housekeeping_wakeup
        threads.add("leases", background.leases.run)
        threads.add(
            "keeper", partial(background.housekeeping.run, wakeup=housekeeping), housekeeping
        )
        threads.add("accounts", services.accounts.permissions.run)
        if self._roles.serves_pages:
            threads.add("checks", services.web.doctor.run, services.web.doctor.wakeup)
            threads.add("replays", services.web.replays.run, services.web.replays.wakeup)
        if self._roles.watches:
            self._start_watching(threads, services)
        if self._roles.works:
            self._start_working(threads, services)

    def _start_watching(self, threads: ThreadGroup, services: Assembly) -> None:
        """Start what is done once in an installation."""
        rules, background, web = services.rules, services.background, services.web
        threads.add("watching", rules.watching.run, rules.watching.wakeup)
        threads.add(
            "client-messages", background.client_messages.run, background.client_messages.wakeup
        )
        threads.add("casting", rules.casting.run, rules.casting.wakeup)
        threads.add("cast-orders", rules.cast_orders.run, rules.cast_orders.wakeup)
        threads.add("fill", background.fill.run)
        threads.add("backups", background.backups.run, background.backups.wakeup)
        threads.add("notifications", web.notifier.run)
        threads.add("webhooks", web.webhooks.run, web.webhooks.wakeup)

    def _start_working(self, threads: ThreadGroup, services: Assembly) -> None:
        """Start what is done on the machine of a device."""
        transfers, background = services.transfers, services.background
        threads.add("reporter", transfers.progress.run, transfers.progress.wakeup)
        threads.add("watcher", background.removals.run, background.removals.wakeup)
        threads.add("stick", background.index.run, background.index.wakeup)
        threads.add("tags", transfers.tags.run)
        threads.add("playlists", background.playlists.run, background.playlists.wakeup)
        threads.add("companions", background.companions.run, background.companions.wakeup)
        if not self._roles.is_alone:
            threads.add("orders", services.orders.run, services.orders.wakeup)
        if services.devices.peers is not None:
            threads.add("syncthing", services.devices.peers.run)
        if transfers.engine_thread is not None:
            threads.add("aria2", transfers.engine_thread)
        for number in range(1, self._settings.transfer.workers + 1):
            worker = transfers.new_worker()
            body = partial(worker.run, wakeup=self._workers_wakeup)
            threads.add(f"worker-{number}", body, self._workers_wakeup)
        for number in range(1, self._settings.transfer.converters + 1):
            converters = transfers.converters
            threads.add(f"converter-{number}", converters.run, converters.wakeup)

    def _ask_to_stop(self, threads: ThreadGroup, claims: Claims) -> None:
        threads.ask_to_stop()
        claims.stop_all()

    def _end_threads(self, threads: ThreadGroup, claims: Claims) -> None:
        self._ask_to_stop(threads, claims)
        threads.stop_all(within_s=STOP_WITHIN_S)

    def _hear(self, news: News) -> None:
        match news:
            case WorkArrived():
                self._workers_wakeup.set()
            case AccountChanged():
                self._housekeeping_wakeup.set()
            case NewsMissed():
                self._workers_wakeup.set()
                self._housekeeping_wakeup.set()
            case _:
                pass

    def _hear_settings(self, services: Assembly, news: News) -> None:
        if isinstance(news, SettingsChanged):
            chosen = services.configuration.now().log
            logs.set_form(chosen.level, chosen.format)
            services.rules.threads.look_through_soon()
            self._housekeeping_wakeup.set()


def _keep_others_out(settings: Settings) -> None:
    """Make the data folder private, unless a device is inside it and others need to get there."""
    folder = settings.server.data_dir
    if not any(one.path.is_relative_to(folder) for one in settings.devices):
        private_files.keep_others_out(folder)
