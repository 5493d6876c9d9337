"""What is declared at a route is what is asked and answered."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, cast

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sidecar.errors import DeviceError, NotVisible
from sidecar.web.api.endpoints import NOT_FOUND, Endpoints, Refusal
from sidecar.web.api.schemas.base import Schema, left_out_if_empty
from sidecar.web.request import errors
from sidecar.web.request.query_params import PageQuery
from sidecar.web.security.permissions import Role, role_needed
from sidecar.web.services import WebServices


class Told(Schema):
    """What is told of a thing."""

    name: str
    note: str | None = left_out_if_empty("note")


class Thing:
    name = "one"
    note = None
    secret = "a token"


things = Endpoints("things", errors={DeviceError: NOT_FOUND})


@things.get("/thing/<int:number>", role=Role.SIGNED_IN, returns=Told)
def thing(_services: WebServices, number: int) -> Thing:
    """One thing."""
    if number > 1:
        raise NotVisible
    return Thing()


@things.get("/pages", role=Role.ADMIN, query=PageQuery)
def pages(_services: WebServices, query: PageQuery) -> None:
    """Nothing but its arguments."""
    assert query.page <= 1000


@things.get(
    "/own",
    role=Role.SIGNED_IN,
    answers_head=True,
    errors={DeviceError: Refusal(HTTPStatus.CONFLICT, "{}. Then ask once more.")},
)
def own(_services: WebServices) -> None:
    """Fail as a device does."""
    raise DeviceError("missing", "It is away")


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    errors.register(app)
    app.register_blueprint(things.routes(cast("WebServices", None)))
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def test_only_what_the_schema_names_is_answered(client: FlaskClient) -> None:
    assert client.get("/api/v1/thing/1").json == {"name": "one"}


def test_what_is_not_visible_is_not_found_without_a_word_of_the_route(client: FlaskClient) -> None:
    assert client.get("/api/v1/thing/2").status_code == 404


def test_a_route_that_returns_nothing_has_no_content(client: FlaskClient) -> None:
    answer = client.get("/api/v1/pages?page=3")

    assert (answer.status_code, answer.data) == (204, b"")


@pytest.mark.parametrize("page", ["0", "x", "", "1000001", "-1", "٣"])
def test_an_argument_out_of_range_is_refused_before_the_view(
    client: FlaskClient, page: str
) -> None:
    answer = client.get("/api/v1/pages", query_string={"page": page})

    assert answer.status_code == 422
    assert cast("Any", answer.json)["detail"] == "page: a whole number from 1 to 1000000"


def test_a_route_s_own_error_goes_before_its_group_s(client: FlaskClient) -> None:
    answer = client.get("/api/v1/own")

    assert answer.status_code == 409
    assert cast("Any", answer.json)["detail"] == "It is away. Then ask once more."


def test_the_role_is_found_for_the_verbs_that_are_answered_alone(app: Flask) -> None:
    assert role_needed(app, "things.pages", "GET") is Role.ADMIN
    assert role_needed(app, "things.pages", "HEAD") is None
    assert role_needed(app, "things.own", "HEAD") is Role.SIGNED_IN
    assert role_needed(app, "things.unknown", "GET") is None
