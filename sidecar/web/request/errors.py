"""Renders errors: as a page for people, as problem+json for programs.

Answers show no traceback, path or version. An unexpected error is logged with its traceback and
an id, and only the id is shown.
"""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Mapping
from http import HTTPStatus

from flask import Flask, Response, json, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response as BaseResponse

from sidecar.errors import (
    DatabaseError,
    JellyfinError,
    NotAManager,
    NotVisible,
    OutsideHours,
    ServerAway,
    SidecarError,
    SignInRefused,
    TooManyTries,
)
from sidecar.messages import as_sentence, msg
from sidecar.services.health.jellyfin_status import AWAY
from sidecar.web import redirects
from sidecar.web.i18n.numbers import translatable

log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
AGAIN_AFTER_S = 10
FOR_PROGRAMS = ("/api/", "/health", "/metrics", "/media/", "/socket.io")
SENTENCES = {
    HTTPStatus.BAD_REQUEST: translatable("This request cannot be understood."),
    HTTPStatus.UNAUTHORIZED: translatable("Sign in first."),
    HTTPStatus.FORBIDDEN: translatable("You may not do this."),
    HTTPStatus.NOT_FOUND: translatable("There is nothing here, or it is not yours to see."),
    HTTPStatus.METHOD_NOT_ALLOWED: translatable("This address does not take that kind of request."),
    HTTPStatus.REQUEST_TIMEOUT: translatable("This request took too long to arrive."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: translatable("This request is too long."),
    HTTPStatus.REQUEST_URI_TOO_LONG: translatable("This address is too long."),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: translatable(
        "Send JSON, with the content type application/json."
    ),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: translatable(
        "This request says too much about itself. In a browser, delete the cookies of this site."
    ),
    HTTPStatus.NOT_IMPLEMENTED: translatable("This server does not know that kind of request."),
    HTTPStatus.SERVICE_UNAVAILABLE: translatable(
        "The sidecar is stopping or has too much to do: try again in a minute."
    ),
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED: translatable(
        "This server does not speak that version of HTTP."
    ),
}
TITLES = {
    HTTPStatus.BAD_REQUEST: translatable("Not understood"),
    HTTPStatus.METHOD_NOT_ALLOWED: translatable("Not understood"),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: translatable("Not understood"),
    HTTPStatus.NOT_IMPLEMENTED: translatable("Not understood"),
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED: translatable("Not understood"),
    HTTPStatus.REQUEST_TIMEOUT: translatable("Too slow"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: translatable("Too long"),
    HTTPStatus.REQUEST_URI_TOO_LONG: translatable("Too long"),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: translatable("Too long"),
    HTTPStatus.FORBIDDEN: translatable("Not allowed"),
    HTTPStatus.NOT_FOUND: translatable("Page not found"),
    HTTPStatus.INTERNAL_SERVER_ERROR: translatable("Something went wrong"),
    HTTPStatus.SERVICE_UNAVAILABLE: translatable("Not available right now"),
    HTTPStatus.BAD_GATEWAY: translatable("Jellyfin does not answer as it should"),
}


# What may work a moment later.
PASSING = frozenset({HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.BAD_GATEWAY})
TITLE_SIGNED_OUT = translatable("Signed out")
SIGNED_OUT = translatable("You are signed out, so nothing was done. Sign in, then do it again.")
UNREACHABLE = translatable("Jellyfin is unreachable")


class ApiError(Exception):
    """Raised by a view to end a request with a status and a sentence.

    Attributes:
        facts: More fields of the problem for programs, such as a `code` or a time.
    """

    def __init__(
        self,
        status: HTTPStatus,
        sentence: str | None = None,
        *,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(sentence or SENTENCES.get(status, status.phrase))
        self.status = status
        self.facts = facts or {}


class SignInNeeded(Exception):
    """The request needs a signed-in person.

    Attributes:
        owner: The owner of the request's valid key, if Jellyfin has signed them out; else None.
    """

    def __init__(self, owner: str | None = None) -> None:
        super().__init__()
        self.owner = owner


def answer(
    status: HTTPStatus,
    sentence: str,
    *,
    error_id: str | None = None,
    facts: Mapping[str, object] | None = None,
    title: str | None = None,
    sign_in: str | None = None,
) -> Response:
    """Return a problem, as JSON for programs and as a page for people.

    `title` is that of the page; None takes the usual one of the status. `sign_in` is where the page
    leads whoever has to sign in.
    """
    if request.path.startswith(FOR_PROGRAMS):
        problem: dict[str, object] = {"type": "about:blank", "title": status.phrase}
        problem |= {"status": status.value, "detail": sentence, **(facts or {})}
        problem |= {"id": error_id} if error_id else {}
        return Response(json.dumps(problem), status=status, content_type=PROBLEM)
    page = render_template(
        "problem.html",
        title=title or TITLES.get(status, status.phrase),
        sentence=sentence,
        error_id=error_id,
        sign_in=sign_in,
        can_try=status in PASSING and request.method == "GET",
    )
    return Response(page, status=status, content_type="text/html; charset=utf-8")


def refuse(status: HTTPStatus, sentence: str | None = None, *, reason: str = "") -> Response:
    """Return the problem with this status's usual sentence; programs get the reason as well."""
    said = sentence or SENTENCES.get(status, f"{status.phrase}.")
    is_told = reason and request.path.startswith(FOR_PROGRAMS)
    return answer(status, f"{said} {reason}" if is_told else said)


def register(app: Flask) -> None:
    """Register the handlers for all exceptions."""
    app.register_error_handler(ApiError, _problem)
    app.register_error_handler(SignInNeeded, _sign_in)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(NotVisible, _not_visible)
    app.register_error_handler(SidecarError, _ours)
    app.register_error_handler(Exception, _unexpected)


def _problem(problem: ApiError) -> Response:
    return answer(problem.status, str(problem), facts=problem.facts)


def _sign_in(needed: SignInNeeded) -> BaseResponse:
    if request.path.startswith(FOR_PROGRAMS):
        text = SENTENCES[HTTPStatus.UNAUTHORIZED]
        if needed.owner is not None:
            text = msg(
                "The key is good, but Jellyfin has signed {name} out: {name} must sign in again",
                name=needed.owner,
            )
        problem = answer(HTTPStatus.UNAUTHORIZED, text)
        problem.headers["WWW-Authenticate"] = "Bearer"
        return problem
    if "HX-Request" in request.headers or request.method != "GET":
        back = url_for("sign_in.show", next=redirects.asked_from())
        gone = answer(HTTPStatus.UNAUTHORIZED, SIGNED_OUT, title=TITLE_SIGNED_OUT, sign_in=back)
        gone.headers["HX-Redirect"] = back
        return gone
    wanted = request.full_path.rstrip("?")
    return redirect(url_for("sign_in.show", next=None if wanted == "/" else wanted), 303)


def _http(problem: HTTPException) -> BaseResponse:
    if problem.code is None or problem.code < HTTPStatus.BAD_REQUEST:
        return BaseResponse(status=problem.code, headers=problem.get_headers())
    status = HTTPStatus(problem.code)
    if above := _page_of_form(problem):
        return redirect(above, 303)
    reply = refuse(status)
    for name, value in problem.get_headers():
        if name in {"Allow", "Retry-After"}:
            reply.headers[name] = value
    return reply


def _page_of_form(problem: HTTPException) -> str | None:
    """Return where a person is led who opens the address that a form was sent to.

    Browsers do so with an address that is entered once more, and after a refused form was left.
    """
    is_form = isinstance(problem, MethodNotAllowed) and "POST" in (problem.valid_methods or ())
    is_opened = request.method == "GET" and not request.path.startswith(FOR_PROGRAMS)
    return redirects.page_above() if is_form and is_opened else None


def _not_visible(error: NotVisible) -> Response:
    return answer(HTTPStatus.NOT_FOUND, str(error))


def _ours(error: SidecarError) -> Response:
    match error:
        case TooManyTries(wait_s=wait_s):
            refusal = answer(HTTPStatus.TOO_MANY_REQUESTS, str(error))
            refusal.headers["Retry-After"] = str(math.ceil(wait_s))
            return refusal
        case SignInRefused():
            return answer(HTTPStatus.UNAUTHORIZED, str(error))
        case NotAManager():
            return answer(
                HTTPStatus.FORBIDDEN, as_sentence(str(error)), facts={"code": "managers-only"}
            )
        case DatabaseError() | ServerAway() | OutsideHours():
            title = UNREACHABLE if isinstance(error, ServerAway) else None
            refusal = answer(HTTPStatus.SERVICE_UNAVAILABLE, _told(error), title=title)
            again = getattr(error, "retry_after_s", None)
            refusal.headers["Retry-After"] = str(math.ceil(again or AGAIN_AFTER_S))
            return refusal
        case JellyfinError():
            return answer(HTTPStatus.BAD_GATEWAY, str(error))
        case _:
            return _unexpected(error)


def _told(error: SidecarError) -> str:
    """Return the sentence; people get the one of the alert if the server is away."""
    is_away = isinstance(error, ServerAway) and error.retry_after_s is None
    return AWAY if is_away and not request.path.startswith(FOR_PROGRAMS) else str(error)


def _unexpected(error: Exception) -> Response:
    error_id = secrets.token_hex(4)
    log.error("%s %s failed (%s)", request.method, request.path, error_id, exc_info=error)
    return answer(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        translatable(
            "Something went wrong in the sidecar, and it was written to the log. Try "
            "again; nothing is lost."
        ),
        error_id=error_id,
    )
