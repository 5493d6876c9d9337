"""Declares the API's routes with their role, arguments and answer, and binds them to Flask.

    @api.get("/downloads", role=Role.SIGNED_IN, query=DownloadsQuery, returns=Listed[Download])
    def downloads(services: WebServices, query: DownloadsQuery) -> DownloadPage: ...

    declared ─┬─▶ routes(services)      checked arguments → view → value → schema → JSON
              ├─▶ authorization         the role that is needed (`security.permissions`)
              └─▶ openapi               the description

The first line of a view's docstring is its summary, and the role is added. A route without a role
cannot be declared.

Why not a library: flask-openapi3 and spectree were tried on two routes. Neither has a notion of
roles; both answer 422 to a body that is not JSON (ours: 415 and 400) and add routes of their own
without authorization; flask-openapi3 also sends fields that the answer's schema does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Required, TypedDict, TypeVar, Unpack

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as BaseResponse

from sidecar.web.api.schemas.base import write_json
from sidecar.web.request import json_body
from sidecar.web.request.errors import answer
from sidecar.web.request.json_body import Body
from sidecar.web.request.query_params import Query, check_item_id
from sidecar.web.security.permissions import Role, declare
from sidecar.web.services import WebServices

PREFIX = "/api/v1"
NOTHING: Mapping[Any, Any] = MappingProxyType({})
V = TypeVar("V", bound=Callable[..., Any])
# Added to what a route does; of all others, everybody who is signed in is one.
WHO_MAY: Mapping[Role, str] = MappingProxyType(
    {
        Role.ANYBODY: " (needs no sign-in)",
        Role.MANAGER: " (managers)",
        Role.ADMIN: " (admins)",
        Role.OWNER: " (owners)",
    }
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Turns an error of a service into a problem with this status; `{}` is the error's message."""

    status: HTTPStatus
    sentence: str = "{}"

    def __call__(self, error: Exception) -> BaseResponse:
        """Return the answer."""
        return answer(self.status, self.sentence.format(error))


NOT_FOUND = Refusal(HTTPStatus.NOT_FOUND)
Errors = Mapping[type[Exception], Callable[[Any], BaseResponse]]


class Declared(TypedDict, total=False):
    """The arguments of a route's declaration.

    Attributes:
        role: The role that is needed at least.
        returns: The schema of the answer; 204 if there is neither this nor `media`.
        query: The query parameters; passed to the view as `query`.
        body: The JSON body; passed to the view as `body`.
        may_be_empty: The body may be left out.
        status: The status of a success, if it is not 200 (or 204 without an answer).
        also: Another status with the same answer.
        errors: Handlers for errors of the service, in addition to those of the group and to the
            common ones in `request.errors`.
        media: The media type of an answer that is not JSON.
        answers_head: HEAD is allowed too.
        may_be_ordered: Another machine may have to do it: then the answer is 202 with the order.
    """

    role: Required[Role]
    returns: Any
    query: type[Query] | None
    body: type[Body] | None
    may_be_empty: bool
    status: HTTPStatus
    also: HTTPStatus | None
    errors: Errors
    media: str | None
    answers_head: bool
    may_be_ordered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One route of the API with one method; see `Declared` for the attributes."""

    name: str
    verb: str
    path: str
    view: Callable[..., Any]
    role: Role
    returns: Any = None
    query: type[Query] | None = None
    body: type[Body] | None = None
    may_be_empty: bool = False
    status: HTTPStatus = HTTPStatus.OK
    also: HTTPStatus | None = None
    errors: Errors = field(default_factory=dict)
    media: str | None = None
    answers_head: bool = False
    may_be_ordered: bool = False

    @property
    def summary(self) -> str:
        """The first line of the view's docstring, without its full stop, and who may call it."""
        text = (self.view.__doc__ or "").partition("\n")[0].removesuffix(".")
        return f"{text}{WHO_MAY.get(self.role, '')}"

    @property
    def success(self) -> HTTPStatus:
        """The status of a success."""
        says_nothing = self.returns is None and self.media is None
        return HTTPStatus.NO_CONTENT if says_nothing else self.status

    def bound(self, services: WebServices) -> Callable[..., BaseResponse]:
        """Return the view function for Flask: it reads the arguments and maps errors to answers."""

        def handle(**arguments: Any) -> BaseResponse:  # noqa: ANN401 - of any route
            if "item_id" in arguments:
                check_item_id(arguments["item_id"])
            if self.query is not None:
                arguments["query"] = self.query.read(request.args)
            if self.body is not None:
                read = json_body.read_if_any if self.may_be_empty else json_body.read
                arguments["body"] = read(self.body)
            try:
                return self._reply(self.view(services, **arguments))
            except tuple(self.errors) as error:
                return next(
                    refuse(error) for kind, refuse in self.errors.items() if isinstance(error, kind)
                )

        verbs = (self.verb, "HEAD") if self.answers_head else (self.verb,)
        return declare(handle, self.role, verbs)

    def _reply(self, value: object) -> BaseResponse:
        if isinstance(value, BaseResponse):
            return value
        if self.returns is None:
            return Response(status=HTTPStatus.NO_CONTENT)
        return json_reply(self.returns, value, self.status)


class Endpoints:
    """A group of routes; its name is the prefix of their names."""

    def __init__(
        self,
        name: str,
        prefix: str = PREFIX,
        *,
        errors: Errors = NOTHING,
        preflight: Callable[..., BaseResponse] | None = None,
    ) -> None:
        """Prepare; `preflight` answers browsers that ask for a page of another origin."""
        self._name = name
        self._prefix = prefix
        self._errors = errors
        self._preflight = preflight
        self._all: list[Endpoint] = []

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._all)

    def get(self, path: str, **declared: Unpack[Declared]) -> Callable[[V], V]:
        """Declare a GET route."""
        return self._add("GET", path, declared)

    def post(self, path: str, **declared: Unpack[Declared]) -> Callable[[V], V]:
        """Declare a POST route."""
        return self._add("POST", path, declared)

    def put(self, path: str, **declared: Unpack[Declared]) -> Callable[[V], V]:
        """Declare a PUT route."""
        return self._add("PUT", path, declared)

    def patch(self, path: str, **declared: Unpack[Declared]) -> Callable[[V], V]:
        """Declare a PATCH route."""
        return self._add("PATCH", path, declared)

    def delete(self, path: str, **declared: Unpack[Declared]) -> Callable[[V], V]:
        """Declare a DELETE route."""
        return self._add("DELETE", path, declared)

    def routes(self, services: WebServices) -> Blueprint:
        """Return the routes as a blueprint; calls no service."""
        blueprint = Blueprint(self._name, __name__)
        for one in self:
            name = one.name.removeprefix(f"{self._name}.")
            blueprint.add_url_rule(one.path, name, one.bound(services), methods=[one.verb])
        if self._preflight is not None:
            answer = declare(self._preflight, Role.ANYBODY, ("OPTIONS",))
            for path in dict.fromkeys(one.path for one in self):
                blueprint.add_url_rule(path, "preflight", answer, methods=["OPTIONS"])
        return blueprint

    def _add(self, verb: str, path: str, declared: Declared) -> Callable[[V], V]:
        # The first match wins: a route's own handlers override those of its group.
        own = dict(declared.get("errors", NOTHING))
        errors = own | {kind: how for kind, how in self._errors.items() if kind not in own}

        def add(view: V) -> V:
            name = f"{self._name}.{view.__name__}"
            made = Endpoint(name=name, verb=verb, path=self._prefix + path, view=view, **declared)
            self._all.append(replace(made, errors=errors))
            return view

        return add


def json_reply(schema: Any, value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:  # noqa: ANN401
    """Return a JSON response with a value of a service in the form of this schema."""
    return Response(write_json(schema, value), status, mimetype="application/json")
