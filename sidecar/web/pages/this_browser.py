"""`/this-browser`: what a person keeps in the browser that they use; its scripts fetch and keep it.

GET  /this-browser            what is kept here, with its limit
POST /this-browser/begin · /choose · /drop · /change · /forget
GET  /this-browser/wanted     the files that this browser is to keep, for its scripts
POST /this-browser/kept       what it has
POST /this-browser/plays      what was heard in it, also a while ago
POST /this-browser/states     where playing was stopped, and hearts that were pressed

Which browser it is, a cookie says. It gives no rights: what is kept belongs to an account, and each
account that uses a browser keeps its own there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from flask import (
    Blueprint,
    Response,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from pydantic import ByteSize, Field, TypeAdapter, ValidationError
from werkzeug.wrappers import Response as AnyResponse

from sidecar.domain.accounts.browser_names import name_browser
from sidecar.domain.items.item import Item, ItemType
from sidecar.errors import NotVisible
from sidecar.services.browsers.browsers import LONGEST_NAME, KeptBrowser
from sidecar.services.browsers.plays import HeardInBrowser
from sidecar.services.browsers.states import BrowserState
from sidecar.services.players.player_logs.views import LogInUse
from sidecar.web.i18n.numbers import translatable
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.redirects import safe_target
from sidecar.web.request.cookies import A_YEAR_S, set_cookie
from sidecar.web.request.errors import ApiError
from sidecar.web.request.json_body import Body, read
from sidecar.web.request.query_params import check_item_id
from sidecar.web.security.auth import caller, person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

COOKIE = "sidecar_browser"
MOST_PLAYS = 100
LARGEST_BYTES = 1 << 53
LONGEST_S = 2e6
SOUNDS = frozenset({ItemType.AUDIO, ItemType.AUDIO_BOOK})
SIZE: TypeAdapter[ByteSize] = TypeAdapter(ByteSize)
NOT_A_SIZE = translatable("This is not a size. Write it like 500 MB or 2 GB.")


class HeardBody(Body):
    """A listening: what, since when, and for how long."""

    item_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    started_at: Annotated[float, Field(ge=0, lt=4e9)]
    seconds_heard: Annotated[float, Field(gt=0, le=86400)]


class PlaysBody(Body):
    """Listenings of one browser."""

    plays: Annotated[list[HeardBody], Field(max_length=MOST_PLAYS)]


class StateBody(Body):
    """What a browser knows of an item: its times in seconds since 1970."""

    item_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    position: Annotated[float, Field(ge=0, le=LONGEST_S)] | None = None
    position_at: Annotated[float, Field(ge=0, lt=4e9)] | None = None
    is_favourite: bool | None = None


class StatesBody(Body):
    """Positions and hearts of one browser."""

    states: Annotated[list[StateBody], Field(max_length=MOST_PLAYS)]


class KeptBody(Body):
    """What a browser has."""

    files: Annotated[int, Field(ge=0, le=100_000)]
    bytes: Annotated[int, Field(ge=0, le=LARGEST_BYTES)]


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    pages = PageRoutes("this_browser", url_prefix="/this-browser")
    _steer(pages, services)

    @pages.get("", role=Role.SIGNED_IN)
    def show() -> Response:
        return _page(services)

    @pages.get("/wanted", role=Role.SIGNED_IN)
    def wanted() -> Response:
        browser = _this(services)
        if browser is None:
            return jsonify({"budget": 0, "files": []})
        plan = services.browsers.plan(person(), browser.id)
        files = [_file(one) for one in plan.files]
        return jsonify({"budget": browser.budget, "files": files, "left_out": len(plan.left_out)})

    @pages.post("/kept", role=Role.SIGNED_IN)
    def kept() -> Response:
        told, browser = read(KeptBody), _this(services)
        if browser is not None:
            services.browsers.report(person(), browser.id, files=told.files, size=told.bytes)
        return Response(status=204)

    @pages.post("/plays", role=Role.SIGNED_IN)
    def plays() -> Response:
        heard = [
            HeardInBrowser(
                one.item_id, datetime.fromtimestamp(one.started_at, UTC), one.seconds_heard
            )
            for one in read(PlaysBody).plays
        ]
        browser = _this(services)
        name = browser.name if browser else _agent()
        try:
            taken = services.browser_plays.take(person(), heard, name)
        except LogInUse as busy:
            raise ApiError(HTTPStatus.CONFLICT, str(busy)) from None
        return jsonify({"taken": taken})

    @pages.post("/states", role=Role.SIGNED_IN)
    def states() -> Response:
        told = [_state(one) for one in read(StatesBody).states]
        return jsonify({"taken": services.browser_states.take(person(), told)})

    return pages.blueprint


def _steer(pages: PageRoutes, services: WebServices) -> None:
    browsers = services.browsers

    @pages.post("/begin", role=Role.SIGNED_IN)
    def begin() -> AnyResponse:
        return _with_cookie(redirect(_back(), 303), _begin(services))

    @pages.post("/choose", role=Role.SIGNED_IN)
    def choose() -> AnyResponse:
        item_id = check_item_id(request.form.get("item", ""))
        browser = _begin(services)
        browsers.choose(person(), browser.id, item_id)
        return _with_cookie(redirect(_back(), 303), browser)

    @pages.post("/drop", role=Role.SIGNED_IN)
    def drop() -> AnyResponse:
        item_id = check_item_id(request.form.get("item", ""))
        browsers.drop(person(), _chosen(services).id, item_id)
        return redirect(_back(), 303)

    @pages.post("/change", role=Role.SIGNED_IN)
    def change() -> AnyResponse:
        browser, limit = _chosen(services), request.form.get("budget", "")[:LONGEST_NAME]
        try:
            budget = int(SIZE.validate_python(limit.replace(",", ".")))
        except ValidationError:
            return _page(services, trouble=NOT_A_SIZE, typed=limit, status=400)
        name = request.form.get("name", "")
        browsers.change(person(), browser.id, name=name, budget=min(budget, LARGEST_BYTES))
        return redirect(_back(), 303)

    @pages.post("/forget", role=Role.SIGNED_IN)
    def forget() -> AnyResponse:
        browsers.forget(person(), _chosen(services).id)
        return redirect(_back(), 303)


def _page(
    services: WebServices, *, trouble: str = "", typed: str | None = None, status: int = 200
) -> Response:
    page = render_template(
        "account/this_browser.html",
        browser=_this(services),
        others=[one for one in services.browsers.all(person()) if one.id != _cookie()],
        agent=_agent(),
        trouble=trouble,
        typed=typed,
    )
    return make_response(page, status)


def _begin(services: WebServices) -> KeptBrowser:
    name = request.form.get("name", "").strip() or _agent()
    return services.browsers.begin(person(), _cookie(), name)


def _chosen(services: WebServices) -> KeptBrowser:
    """Return the browser that a form names, else this one; only a person's own."""
    browser_id = request.form.get("browser", "") or _cookie()
    found = services.browsers.find(person(), browser_id)
    if found is None:
        raise NotVisible
    return found


def _this(services: WebServices) -> KeptBrowser | None:
    return services.browsers.find(person(), _cookie())


def _cookie() -> str:
    return request.cookies.get(COOKIE, "")[:LONGEST_NAME]


def _agent() -> str:
    return str(name_browser(caller().agent))[:LONGEST_NAME]


def _back() -> str:
    return safe_target(url_for("this_browser.show"))


def _with_cookie(reply: AnyResponse, browser: KeptBrowser) -> AnyResponse:
    path = request.root_path.rstrip("/") or "/"
    set_cookie(reply, COOKIE, browser.id, path=path, lasts_s=A_YEAR_S)
    return reply


def _state(told: StateBody) -> BrowserState:
    at = told.position_at
    return BrowserState(
        item_id=told.item_id,
        position_s=told.position,
        position_at=None if at is None else datetime.fromtimestamp(at, UTC),
        is_favourite=told.is_favourite,
    )


def _file(item: Item) -> dict[str, object]:
    return {
        "item": item.id,
        "title": item.title,
        "artist": item.artist or item.series or item.album_artist,
        "album": item.album,
        "media": "audio" if item.type in SOUNDS else "video",
        "size": item.size,
        "heart": bool(item.is_favorite),
    }
