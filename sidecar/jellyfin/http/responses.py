"""Decides what a response means, from its status, headers and body.

    200, 204              success          401   not yet known: see `Unconfirmed`
    429, 502, 503         ServerAway       403   NotAllowed, unless it is a web page; see `Unsaid`
    504                   TooSlow
    3xx, HTML, the rest   UnexpectedAnswer 404   NotFound, if it is Jellyfin's own (JSON)
    4xx with anything else than JSON       RefusedBefore, an UnexpectedAnswer

Proxies, login pages and a server that is starting respond with almost anything; only what Jellyfin
itself would send changes any state. Bodies of errors are never interpreted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import TypeAdapter

from sidecar.bounded_json import UnboundedJson
from sidecar.errors import NotAllowed, NotFound, ServerAway, TooSlow, UnexpectedAnswer
from sidecar.jellyfin.http.parsing import Unfit, parse
from sidecar.messages import msg

T = TypeVar("T")

AWAY = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
REDIRECTS = range(300, 400)
REFUSALS = range(400, 500)
SUCCESS = frozenset({HTTPStatus.OK, HTTPStatus.NO_CONTENT})
LONGEST_RETRY_AFTER_S = 3600.0


class Unconfirmed(NotAllowed):
    """A 401: the token is refused, or only this request; `/Users/Me` decides.

    Attributes:
        is_jellyfin: Nothing in the response shows that a proxy wants a sign-in.
    """

    def __init__(self, message: str, *, is_jellyfin: bool) -> None:
        super().__init__(message)
        self.is_jellyfin = is_jellyfin


class RefusedBefore(UnexpectedAnswer):
    """A 4xx that is not Jellyfin's: something before it refuses the request, as a proxy does."""


class Unsaid(NotAllowed):
    """A 403 without a body: one request is refused, or all are; `/Users/Me` decides.

    Jellyfin sends this for every request of an account outside its access hours.
    """


@dataclass(slots=True, weakref_slot=True, eq=False)
class Answer:
    """One response, read to its end.

    Attributes:
        asked: Method and path, for messages and logs; never a query.
        body: Of an error, one byte at most.
        when_dropped: What is called once the body is not needed any more.
    """

    server: str
    asked: str
    status: int
    headers: Mapping[str, str]
    body: bytes | bytearray
    when_dropped: Callable[[], object] | None = None

    def drop(self) -> None:
        """Free the body: an error may be kept, and with it the frames that know the answer."""
        self.body = b""
        if self.when_dropped is not None:
            self.when_dropped()

    @property
    def mime_type(self) -> str:
        """The content type without parameters, lower case; empty if the server named none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def is_json(self) -> bool:
        """Whether it says that it is JSON (errors may be `application/problem+json`)."""
        return self.mime_type == "application/json" or self.mime_type.endswith("+json")


def check_answer(answer: Answer) -> None:
    """Return if the status is a success; the content is not checked yet.

    Raises:
        ServerAway, Unconfirmed, Unsaid, NotAllowed, NotFound, UnexpectedAnswer: As in the table
            of this module.
    """
    status, server = answer.status, answer.server
    if status in SUCCESS:
        return
    if status in AWAY:
        # A proxy that waited in vain for this answer says 504.
        kind = TooSlow if status == HTTPStatus.GATEWAY_TIMEOUT else ServerAway
        raise kind(
            msg(
                "Jellyfin at {server} is not ready (it answered {status})",
                server=server,
                status=status,
            ),
            retry_after_s=retry_after(answer.headers.get("Retry-After")),
        )
    if status == HTTPStatus.UNAUTHORIZED:
        raise Unconfirmed(
            msg(
                "Jellyfin at {server} does not let this account see what was asked for",
                server=server,
            ),
            is_jellyfin="WWW-Authenticate" not in answer.headers
            and answer.mime_type != "text/html",
        )
    if status == HTTPStatus.FORBIDDEN and answer.mime_type != "text/html":
        text = msg("Jellyfin at {server} does not allow this account to do that", server=server)
        raise NotAllowed(text) if answer.body or answer.mime_type else Unsaid(text)
    if status == HTTPStatus.NOT_FOUND and answer.is_json:
        raise NotFound(msg("Jellyfin at {server} does not know what was asked for", server=server))
    raise unexpected_answer(answer)


def unexpected_answer(answer: Answer) -> UnexpectedAnswer:
    """Return the error for a response that Jellyfin would not send, naming what came."""
    came = msg("an answer of type {type}", type=answer.mime_type or msg("nothing"))
    if answer.status in REDIRECTS:
        came = msg(
            "a redirect to {place}", place=_redirect_target(answer.headers.get("Location", ""))
        )
    elif answer.mime_type == "text/html":
        came = msg("a web page (status {status})", status=answer.status)
    elif answer.status not in SUCCESS:
        came = msg("status {status}", status=answer.status)
    is_refused = answer.status in REFUSALS and not answer.is_json
    return (RefusedBefore if is_refused else UnexpectedAnswer)(
        msg(
            "{server} did not answer as Jellyfin does: {came} for {request}. Check the "
            "address, its base path, and any proxy before it",
            server=answer.server,
            came=came,
            request=answer.asked,
        )
    )


def read(answer: Answer, shape: TypeAdapter[T]) -> T:
    """Parse the JSON body as `shape`, and drop it.

    Raises:
        UnexpectedAnswer: It is not JSON, does not fit `shape`, or has too many values.
    """
    if answer.status != HTTPStatus.OK or not answer.is_json:
        raise unexpected_answer(answer)
    try:
        return parse(answer.body, shape, most_bytes=len(answer.body))
    except UnboundedJson:
        wrong = too_much(answer.server, answer.asked)
    except Unfit as error:
        wrong = _unfit(answer, error)
    finally:
        answer.drop()
    # Here, as the errors above would keep the body.
    raise wrong


def _unfit(answer: Answer, error: Unfit) -> UnexpectedAnswer:
    place = msg("an unknown place") if error.place is None else error.place
    return UnexpectedAnswer(
        msg(
            "{server} answered JSON that is not Jellyfin's for {request} (at {place})",
            server=answer.server,
            request=answer.asked,
            place=place or msg("the start"),
        )
    )


def too_much(server: object, asked: str) -> UnexpectedAnswer:
    """Return the error for a response that is too large."""
    return UnexpectedAnswer(
        msg("{server} sent far too much for {asked}", server=server, asked=asked)
    )


def retry_after(value: str | None) -> float | None:
    """Return the seconds of a `Retry-After` header; a date or nonsense counts as absent."""
    text = (value or "").strip()
    if not (text.isascii() and text.isdigit()):
        return None
    return min(float(text[:9]), LONGEST_RETRY_AFTER_S)


def _redirect_target(location: str) -> str:
    """Return where a redirect leads without its query and name, which may hold secrets."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return msg("an unreadable place")
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if host else parts.path
