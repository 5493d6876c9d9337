from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from sidecar.web.api.endpoints import PREFIX, Endpoint, Endpoints
from sidecar.web.api.openapi import described
from sidecar.web.api.routes import endpoints
from sidecar.web.api.schemas.base import Schema
from sidecar.web.app import Web
from sidecar.web.request.json_body import Body
from sidecar.web.security.permissions import Role
from tests.web.all_routes import all_routes
from tests.web.house import Browser


def routes_of(web: Web) -> Iterator[tuple[str, str]]:
    for rule in all_routes(web).iter_rules():
        if rule.rule.startswith(PREFIX):
            for verb in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                yield rule.endpoint, verb


def test_every_route_of_the_api_is_described_and_no_other(web: Web) -> None:
    told = described(endpoints())
    described_ones = {
        (operation["operationId"], verb.upper())
        for verbs in told["paths"].values()  # type: ignore[attr-defined]
        for verb, operation in verbs.items()
    }

    assert set(routes_of(web)) == described_ones


def test_the_description_is_served_to_who_is_signed_in(ann: Browser) -> None:
    told = ann.client.get(f"{PREFIX}/openapi.json").json

    assert told is not None
    assert told["openapi"] == "3.1.0"
    assert f"{PREFIX}/downloads/{{download_id}}/pause" in told["paths"]


def test_every_reference_leads_somewhere() -> None:
    told = described(endpoints())

    names = set(told["components"]["schemas"])  # type: ignore[index]
    assert set(re.findall(r"#/components/schemas/([^'\"]+)", str(told))) <= names


def test_no_name_tells_where_its_class_is() -> None:
    # Two classes of one name are told apart by their modules, and moving one would rename it.
    names = described(endpoints())["components"]["schemas"]  # type: ignore[index]

    assert [one for one in names if "__" in one] == []


@pytest.mark.parametrize("endpoint", endpoints(), ids=lambda one: one.name)
def test_every_argument_of_a_path_is_described(endpoint: Endpoint) -> None:
    told = described([endpoint])

    for path, verbs in told["paths"].items():  # type: ignore[attr-defined]
        for operation in verbs.values():
            named = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))


def test_it_says_what_only_some_may_call_and_what_needs_no_sign_in() -> None:
    told = described(endpoints())["paths"]

    def of(verb: str, path: str) -> dict[str, Any]:
        return told[f"{PREFIX}{path}"][verb]  # type: ignore[index,no-any-return]  # it is JSON

    assert of("get", "/webhooks")["summary"].endswith(" (owners)")
    assert of("post", "/machines/code")["summary"].endswith(" (owners)")
    assert of("post", "/accounts/{user_id}/try")["summary"].endswith(" (admins)")
    assert of("patch", "/devices/{device_id}/settings")["summary"].endswith(" (managers)")
    assert of("get", "/downloads")["summary"] == "List downloads, newest first"
    assert "security" not in of("get", "/downloads")
    assert of("post", "/session")["security"] == []


def test_a_description_makes_nothing_that_models_keep() -> None:
    class Told(Schema):
        number: int

    class Sent(Body):
        number: int

    rare = Endpoint(
        name="rare",
        verb="PUT",
        path=f"{PREFIX}/rare",
        view=len,
        role=Role.SIGNED_IN,
        returns=Told,
        body=Sent,
    )

    assert {"Told", "Sent"} <= described([rare])["components"]["schemas"].keys()  # type: ignore[index]

    assert not Told.__pydantic_complete__
    assert not Sent.__pydantic_complete__


def test_a_route_without_a_role_cannot_be_declared() -> None:
    with pytest.raises(TypeError, match="role"):
        Endpoints("any").get("/any", returns=None)(lambda _services: None)  # type: ignore[call-arg]
