"""The route table: which function answers a request, and who may ask it.

    method + path ──▶ Route ──▶ access ──▶ answer(Ask) ──▶ Reply

A path that exists for other methods only is 405 with `Allow`; one that nobody knows is 404.
Paths count in any case and GET does not bring HEAD along, both unlike werkzeug's routes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from sidecar.demo.library.items import DemoItem
from sidecar.demo.protocol.authorization import Claim
from sidecar.demo.protocol.formats import now, parse_id
from sidecar.demo.protocol.messages import (
    ErrorReply,
    Reply,
    Request,
    empty_reply,
    problem_reply,
    server_error,
)
from sidecar.demo.state.core import ServerState
from sidecar.demo.state.devices import ClientDevice
from sidecar.demo.state.sessions import DemoSession
from sidecar.demo.state.users import DemoUser


class AccessLevel(Enum):
    """Who may use a route."""

    ANYONE = "anyone"
    USER = "a signed-in user"
    ADMIN = "an administrator"


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A request, and who sent it.

    Attributes:
        device: The sign-in behind the token; None if there is no good one.
        user: Whose it is.
        places: The parts of the path that the route leaves open.
    """

    core: ServerState
    request: Request
    claim: Claim
    device: ClientDevice | None
    user: DemoUser | None
    places: dict[str, str]

    @property
    def asker(self) -> DemoUser:
        """The user who sent the request; only for routes that need one."""
        if self.user is None:
            raise ErrorReply(empty_reply(HTTPStatus.UNAUTHORIZED))
        return self.user

    def on_behalf_of(self) -> DemoUser:
        """Return the user that `userId` names; somebody else's only for an administrator.

        Raises:
            ErrorReply: 403 for another user, 404 for one that is not there.
        """
        return self.person(self.places.get("user") or self.request.value("userId"))

    def person(self, written: str | None) -> DemoUser:
        """Return the user of an id that the asker may act for; the asker if there is none."""
        user_id = parse_id(written or "")
        if user_id is None or user_id == self.asker.id:
            return self.asker
        if not self.asker.is_administrator:
            raise ErrorReply(server_error(HTTPStatus.FORBIDDEN))
        user = self.core.users.by_id.get(user_id)
        if user is None:
            raise ErrorReply(problem_reply(HTTPStatus.NOT_FOUND))
        return user

    def item(self, user: DemoUser | None = None) -> DemoItem:
        """Return the item that the path names.

        Raises:
            ErrorReply: 404 if the user may not know of it, or there is none.
        """
        item = self.core.find(parse_id(self.places["item"]))
        seer = user or self.user
        if item is None or (seer is not None and not self.core.may_see(seer, item)):
            raise ErrorReply(problem_reply(HTTPStatus.NOT_FOUND))
        return item

    def session(self) -> DemoSession:
        """Return the session of the request; it is created if there is none."""
        if self.device is None:
            raise ErrorReply(empty_reply(HTTPStatus.UNAUTHORIZED))
        return self.core.join(self.device, self.claim, self.request.remote_addr)

    def number(self, name: str) -> int | None:
        """Return a query parameter that is a whole number from 0; None if it is not there.

        Raises:
            ErrorReply: 400 for anything else.
        """
        written = self.request.value(name)
        if not written:
            return None
        if not written.isdigit():
            raise ErrorReply(problem_reply(HTTPStatus.BAD_REQUEST))
        return int(written)


Answer = Callable[[RequestContext], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table; `{item}` in a path stands for anything up to the next slash."""

    method: str
    path: str
    answer: Answer
    access: AccessLevel = AccessLevel.USER


class RouteTable:
    """All routes."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = [(route, _pattern(route.path)) for route in routes]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Return the route of a request, and the variable parts of its path.

        Raises:
            ErrorReply: 404 or 405.
        """
        fitting = [
            (route, found) for route, pattern in self._routes if (found := pattern.fullmatch(path))
        ]
        for route, found in fitting:
            if route.method == method:
                return route, found.groupdict()
        if not fitting:
            raise ErrorReply(empty_reply(HTTPStatus.NOT_FOUND))
        allowed = ", ".join(dict.fromkeys(route.method for route, _ in fitting))
        if method == "HEAD":
            raise ErrorReply(
                Reply(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": allowed})
            )
        raise ErrorReply(empty_reply(HTTPStatus.METHOD_NOT_ALLOWED, Allow=allowed))


def check_access(route: Route, ask: RequestContext) -> None:
    """Check that the user may use this route.

    Raises:
        ErrorReply: 401 without a good token, 403 outside the asker's hours and for
            administrators' business.
    """
    if route.access is AccessLevel.ANYONE:
        return
    if ask.user is None or ask.user.policy["IsDisabled"]:
        raise ErrorReply(empty_reply(HTTPStatus.UNAUTHORIZED))
    if not ask.user.is_within_hours(now()):
        raise ErrorReply(empty_reply(HTTPStatus.FORBIDDEN))
    if route.access is AccessLevel.ADMIN and not ask.user.is_administrator:
        raise ErrorReply(empty_reply(HTTPStatus.FORBIDDEN))


def _pattern(path: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w+)\}", path)
    names = (f"(?P<{one}>[^/]+)" for one in pieces[1::2])
    texts = (re.escape(one) for one in pieces[::2])
    joined = "".join(text + name for text, name in zip(texts, [*names, ""], strict=True))
    return re.compile(joined + "/?", re.IGNORECASE)
