"""What is answered while the sidecar starts: a page that says how far it is, and goes on by itself.

People get the page under every address, and find what they asked for there once it is loaded
again, which it does alone; programs get 503 with `Retry-After`.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Response, jsonify, make_response, render_template, request

from sidecar.clock import Clock
from sidecar.web.app import WebOptions, behind_gate, plain_flask
from sidecar.web.i18n.numbers import translatable
from sidecar.web.pages import language
from sidecar.web.request import errors
from sidecar.web.request.errors import ApiError
from sidecar.web.request.refusals import Refusals
from sidecar.web.security import auth

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

AGAIN_AFTER_S = 2
SETTING_UP = translatable("Opening the database, the devices and the queue.")
MAKING_MEDIA = translatable(
    "The demo makes its own music and films. It does this once and takes a minute or two."
)
STARTING = translatable("Jellyfin Sidecar is starting: ask again in a moment.")


@dataclass(frozen=True, slots=True)
class StartupStep:
    """What the start is at.

    Attributes:
        sentence: What happens.
        total: How many files it makes, 0 if it makes none or has not counted them yet.
    """

    sentence: str = SETTING_UP
    done: int = 0
    total: int = 0


class Startup:
    """Where the start has got to, told by the thread that starts and shown by those of the web."""

    def __init__(self) -> None:
        self.now = StartupStep()


def starting_app(startup: Startup, options: WebOptions, clock: Clock) -> WSGIApplication:
    """Return the application that answers until everything runs.

    Raises:
        errors.ConfigError: A trusted proxy is not an address.
    """
    app = plain_flask(clock)
    app.register_blueprint(language.routes())
    # Only for links: what is asked for there is answered like everything else.
    app.add_url_rule("/", "pages.home", build_only=True)

    @app.before_request
    def answer() -> Response | None:
        match request.endpoint:
            case "static":
                return None
            case "languages.choose":
                if auth.is_from_elsewhere(request.environ):
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
    # A form or a part of an open page must not take this for its answer.
    is_page = request.method in auth.SAFE and "HX-Request" not in request.headers
    return page if is_page else _not_yet(page)


def _not_yet(reply: Response) -> Response:
    reply.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    reply.headers["Retry-After"] = str(AGAIN_AFTER_S)
    return reply
