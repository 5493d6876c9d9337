"""The application that answers while the sidecar starts.

People get a progress page at every URL; it reloads itself, so the page they wanted appears once
the sidecar runs. Programs get 503 with `Retry-After`.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Response, jsonify, make_response, render_template, request

from sidecar.clock import Clock
from sidecar.services.configuration.setup.service import SetUpService
from sidecar.web.app import WebOptions, behind_gate, plain_flask
from sidecar.web.i18n.numbers import translatable
from sidecar.web.pages.account import language, theme
from sidecar.web.pages.admin import set_up as set_up_pages
from sidecar.web.request import errors
from sidecar.web.request.errors import ApiError
from sidecar.web.request.refusals import Refusals
from sidecar.web.security import auth
from sidecar.web.security.permissions import SAFE

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

AGAIN_AFTER_S = 2
SETTING_UP = translatable("Opening the database, the devices and the queue.")
MAKING_MEDIA = translatable(
    "The demo makes its own music and films. It does this once and takes a minute or two."
)
NO_FFMPEG = translatable(
    "The demo makes its own music with ffmpeg, and there is none on this machine that can. Install"
    " it and start the sidecar again. Your own Jellyfin can be set up without it."
)
STARTING = translatable("Jellyfin Sidecar is starting: ask again in a moment.")


@dataclass(frozen=True, slots=True)
class StartupStep:
    """The current step of the start.

    Attributes:
        sentence: What is being done.
        done: The number of files made so far.
        total: The number of files to make; 0 if there are none or they are not counted yet.
        is_stuck: Whether it goes on only when somebody does something.
    """

    sentence: str = SETTING_UP
    done: int = 0
    total: int = 0
    is_stuck: bool = False


class Startup:
    """The progress of the start: set by the starting thread, read by the web server's threads."""

    def __init__(self) -> None:
        self.now = StartupStep()


def starting_app(
    startup: Startup, options: WebOptions, clock: Clock, set_up: SetUpService | None = None
) -> WSGIApplication:
    """Create the application that answers until the sidecar runs.

    Args:
        startup: The progress of the start.
        options: How the application is reached.
        clock: The time.
        set_up: The first set-up, which needs no demo to be ready; None if there is none.

    Raises:
        errors.ConfigError: A trusted proxy is not an address.
    """
    app = plain_flask(clock, options.compiled)
    app.register_blueprint(language.routes())
    if set_up is not None:
        app.register_blueprint(set_up_pages.routes(set_up))
    app.register_blueprint(theme.routes())
    # Only for `url_for`: the URL itself gets the progress page, like every other.
    app.add_url_rule("/", "home.show", build_only=True)

    @app.before_request
    def answer() -> Response | None:
        match request.endpoint:
            case "static" | "favicon":
                return None
            case str(endpoint) if endpoint in {"languages.choose", "themes.choose"} or (
                endpoint.startswith("set_up.")
            ):
                is_safe = request.method in SAFE
                if not is_safe and auth.is_from_elsewhere(request.environ):
                    raise ApiError(HTTPStatus.FORBIDDEN)
                return None
            case _:
                return _answer(startup.now)

    return behind_gate(app, Refusals(app), options)


def _answer(step: StartupStep) -> Response:
    if request.path == "/health":
        return _not_yet(jsonify(status="starting"))
    if request.path.startswith(errors.FOR_PROGRAMS):
        facts = {"code": "starting", "done": step.done, "total": step.total}
        return _not_yet(errors.answer(HTTPStatus.SERVICE_UNAVAILABLE, STARTING, facts=facts))
    page = make_response(render_template("starting.html", step=step, again_after_s=AGAIN_AFTER_S))
    # A form or a script must not take the progress page for its answer.
    is_page = request.method in SAFE and "HX-Request" not in request.headers
    return page if is_page else _not_yet(page)


def _not_yet(reply: Response) -> Response:
    reply.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    reply.headers["Retry-After"] = str(AGAIN_AFTER_S)
    return reply
