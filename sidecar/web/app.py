"""Creates the web application. Creating it starts no thread and opens no port.

WebServer → Middleware (hosts, proxies, base URL, headers) → live connection
                                                           | pages (authorization → view)
                                                           | API   (authorization → view)

Pages and API are two Flask applications: the API is loaded with the first request for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, g, request
from werkzeug.wrappers import Response

from sidecar.clock import Clock, SystemClock
from sidecar.errors import ConfigError
from sidecar.events import Bus
from sidecar.process.shares import Shares
from sidecar.web import pages, static_files
from sidecar.web.api.devices import orders
from sidecar.web.api.library import media
from sidecar.web.api.operations import health, metrics
from sidecar.web.compiled_templates import CompiledTemplates
from sidecar.web.late import LateApp
from sidecar.web.live.news import NewsPublisher
from sidecar.web.live.socketio import SocketIOServer
from sidecar.web.pages import alerts
from sidecar.web.pages.account import theme
from sidecar.web.pages.admin import set_up
from sidecar.web.pages.downloads import routes as downloads_pages
from sidecar.web.pages.help import routes as help_pages
from sidecar.web.request import errors, jellyfin_wait
from sidecar.web.request.json_body import LONGEST_BODY
from sidecar.web.request.refusals import Refusals
from sidecar.web.routing import ITEM, LateRule, RowId
from sidecar.web.security import auth, compression, jellyfin_web
from sidecar.web.security.hosts import HostList, networks
from sidecar.web.security.middleware import Middleware
from sidecar.web.security.permissions import SAFE, Role, declare, take_only_declared
from sidecar.web.server import resting
from sidecar.web.services import WebServices
from sidecar.web.undefined import OfObjects

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PACKAGE = Path(__file__).parent
SOURCE_TREE = PACKAGE.parent.parent
BELOW_API = "/api/"
API_ROUTES = "sidecar.web.api.routes"
# Addresses of the API that pages link to.
OF_API = {
    "api.cover": "/api/v1/downloads/<int:download_id>/cover",
    "items.cover": f"/api/v1/items/{ITEM}/cover",
    "replays_api.put_history": "/api/v1/replay/history",
    "system.backup": "/api/v1/backups/<string(maxlength=80):name>",
    "system.support": "/api/v1/support",
}


@dataclass(frozen=True, slots=True)
class WebFiles:
    """The folders with the templates and the static files."""

    templates: Path
    static: Path


def web_files() -> WebFiles:
    """Return the folders in the installed package, or those at the top of the source tree."""
    home = PACKAGE if (PACKAGE / "templates").is_dir() else SOURCE_TREE
    return WebFiles(home / "templates", home / "static")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebOptions:
    """How the web application is reached.

    Attributes:
        host: The address that the server is bound to.
        allowed_hosts: More host names that it answers to; `.example.org` includes all subdomains.
        base_url: The path below which a proxy serves it, such as `/sidecar`; empty for the root.
        trusted_proxies: Addresses or networks whose forwarded headers are trusted.
        proxies_in_a_row: The number of proxies that a request passes; the last one is trusted.
        jellyfin_web_origins: Where Jellyfin's own pages may show our button (see
            `security.jellyfin_web`).
        jellyfin_pages: The address of Jellyfin's own pages; empty where there are none.
        compiled: The folder in which compiled templates are kept; None keeps none.
    """

    host: str = "127.0.0.1"
    allowed_hosts: tuple[str, ...] = ()
    base_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    proxies_in_a_row: int = 1
    jellyfin_web_origins: tuple[str, ...] = ()
    jellyfin_pages: str = ""
    compiled: Path | None = None


@dataclass(frozen=True, slots=True)
class Web:
    """The application.

    Attributes:
        flask: The Flask application with the pages.
        api: The one with the API.
        wsgi: The application for the web server.
        live: The live connection; its thread runs from `live.start` to `live.stop`.
    """

    flask: Flask
    api: LateApp
    wsgi: WSGIApplication
    live: NewsPublisher


def create_app(
    services: WebServices,
    bus: Bus,
    options: WebOptions | None = None,
    clock: Clock | None = None,
) -> Web:
    """Create the application.

    Args:
        services: The services that the pages and the API use.
        bus: The source of events for the live connection.
        options: How the application is reached.
        clock: The clock for times on the pages and for throttling the live connection.

    Raises:
        errors.ConfigError: A trusted proxy is not an address.
    """
    options, clock = options or WebOptions(), clock or SystemClock()
    sockets = SocketIOServer(services.sign_in)
    live = NewsPublisher(services, bus, clock, sockets)
    sockets.listen(live)
    guard = partial(_guard, services, options, live, jellyfin_wait.shares())
    flask = _pages(services, options, clock, live, guard)
    api = LateApp(partial(_api, services, guard))
    refusals = Refusals(flask)
    wsgi = sockets.around(flask, refusals, _by_path(flask, api))
    return Web(flask, api, behind_gate(wsgi, refusals, options), live)


def behind_gate(app: WSGIApplication, refusals: Refusals, options: WebOptions) -> Middleware:
    """Wrap an application in the middleware.

    Raises:
        errors.ConfigError: A trusted proxy is not an address.
    """
    try:
        proxies = networks(options.trusted_proxies)
    except ValueError as error:
        raise ConfigError("settings", "server.trusted_proxies", None, str(error)) from None
    return Middleware(
        app,
        refusals=refusals,
        hosts=HostList.of(options.host, options.allowed_hosts),
        proxies=proxies,
        proxies_in_a_row=options.proxies_in_a_row,
        base_url=options.base_url,
    )


def plain_flask(clock: Clock, compiled: Path | None = None) -> Flask:
    """Create a Flask application with templates, static files and error pages, without any page.

    Args:
        clock: The time.
        compiled: The folder in which compiled templates are kept; None keeps none.
    """
    files = web_files()
    app = _bare_flask(files.templates)
    static_files.register(app, files.static)

    def send_favicon() -> Response:
        return app.send_static_file("icons/favicon.ico")

    # Browsers ask for it at the root whatever the page says.
    app.add_url_rule("/favicon.ico", "favicon", declare(send_favicon, Role.ANYBODY, ("GET",)))
    app.jinja_env.bytecode_cache = CompiledTemplates(compiled)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.undefined = OfObjects
    downloads_pages.give_words(app, clock)
    theme.teach(app)
    return app


def _bare_flask(templates: Path | None = None) -> Flask:
    folder = None if templates is None else str(templates)
    app = Flask("sidecar.web", template_folder=folder, static_folder=None)
    app.config |= {
        "MAX_CONTENT_LENGTH": LONGEST_BODY,
        "MAX_FORM_PARTS": 20,
        "PROVIDE_AUTOMATIC_OPTIONS": False,
    }
    app.url_rule_class = LateRule
    app.url_map.converters["int"] = RowId
    app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    compression.register(app)
    errors.register(app)
    return app


def _read_once(app: Flask, services: WebServices) -> None:
    """Let a request that changes nothing read once what it asks for in several places."""

    def begin() -> None:
        if request.method in SAFE:
            g.looking = ExitStack()
            g.looking.enter_context(services.look())

    def end(_error: BaseException | None) -> None:
        looking: ExitStack | None = g.pop("looking", None)
        if looking is not None:
            looking.close()

    app.before_request(begin)
    app.teardown_request(end)


def _give_version(app: Flask, live: NewsPublisher) -> None:
    """Let each page say of which version it is: of the one before its first value was read."""

    def begin() -> None:
        g.version = live.version()

    app.before_request(begin)
    app.jinja_env.globals["page_version"] = lambda: g.get("version", "")


def _jellyfin_page(pages: str, item_id: str) -> str:
    """Return the address of an item on Jellyfin's own pages; empty where there are none."""
    return f"{pages}/web/#/details?id={item_id}" if pages else ""


def _guard(
    services: WebServices, options: WebOptions, live: NewsPublisher, waiting: Shares, app: Flask
) -> None:
    """Let an application know who asks, and refuse what they may not do."""
    _read_once(app, services)
    orders.register(app)
    jellyfin_web.register(app, options.jellyfin_web_origins)
    auth.register(app, services.sign_in, is_demo=services.set_up is not None)
    jellyfin_wait.apply_limits(app, auth.account_id, resting, waiting)
    app.extensions[auth.END_SESSION] = live.end_session


def _pages(
    services: WebServices,
    options: WebOptions,
    clock: Clock,
    live: NewsPublisher,
    guard: Callable[[Flask], None],
) -> Flask:
    app = plain_flask(clock, options.compiled)
    _give_version(app, live)
    guard(app)
    alerts.teach(app, services)
    help_pages.teach(app)
    app.jinja_env.globals["jellyfin_page"] = partial(_jellyfin_page, options.jellyfin_pages)
    blueprints = (
        *pages.blueprints(services, live.end_session),
        *(group.routes(services) for group in (health.health, metrics.metrics, media.media)),
        set_up.routes(services.set_up) if services.set_up is not None else set_up.over(),
    )
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    for name, path in OF_API.items():
        app.add_url_rule(path, name, build_only=True)
    take_only_declared(app)
    return app


def _api(services: WebServices, guard: Callable[[Flask], None]) -> Flask:
    app = _bare_flask()
    guard(app)
    register: Callable[[Flask, WebServices], None] = import_module(API_ROUTES).register
    register(app, services)
    for one in media.media:
        app.add_url_rule(one.path, one.name, build_only=True)
    take_only_declared(app)
    return app


def _by_path(pages: WSGIApplication, api: WSGIApplication) -> WSGIApplication:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        is_api = environ.get("PATH_INFO", "").startswith(BELOW_API)
        return (api if is_api else pages)(environ, start_response)

    return answer
