"""Builds the API's OpenAPI 3.1 document from the declared routes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from http import HTTPStatus
from types import UnionType
from typing import get_args

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from sidecar import __version__
from sidecar.web.api.endpoints import PREFIX, Endpoint, Refusal
from sidecar.web.api.schemas.orders import Order
from sidecar.web.api.schemas.users import ProblemDetails
from sidecar.web.request.query_params import LARGEST_ID
from sidecar.web.security.permissions import Role

REF = "#/components/schemas/{model}"
Json = dict[str, object]
Names = Mapping[tuple[type[BaseModel], JsonSchemaMode], str]


def described(endpoints: Iterable[Endpoint]) -> Json:
    """Return the OpenAPI document of the routes below `/api/v1`."""
    ours = sorted(
        (one for one in endpoints if one.path.startswith(PREFIX)), key=lambda one: one.path
    )
    paths: dict[str, Json] = {}
    names, schemas = _schemas(ours)
    for one in ours:
        path, arguments = _path(one.path)
        paths.setdefault(path, {})[one.verb.lower()] = _operation(one, arguments, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Jellyfin Sidecar", "version": __version__},
        "security": [{"key": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "sidecar_session"},
            },
        },
    }


def _answers(one: Endpoint) -> tuple[type[BaseModel], ...]:
    if one.returns is None:
        return ()
    return get_args(one.returns) if isinstance(one.returns, UnionType) else (one.returns,)


def _add_order(one: Endpoint, responses: Json, names: Names) -> None:
    """Add that another machine may have been asked, beside an answer with the same status."""
    status = str(HTTPStatus.ACCEPTED.value)
    returns = one.returns | Order if status in responses else Order
    summary = "Another machine was asked to do it"
    responses[status] = _answer(replace(one, returns=returns), names) | {"description": summary}


def _schemas(endpoints: Iterable[Endpoint]) -> tuple[Names, Json]:
    told: set[type[BaseModel]] = {schema for one in endpoints for schema in _answers(one)} | {
        ProblemDetails,
        Order,
    }
    sent = {one.body for one in endpoints if one.body}
    # Of each list one type, which is freed: what is made of a model the model keeps for ever.
    ways: list[tuple[JsonSchemaMode, list[type[BaseModel]]]] = [
        ("serialization", list(told)),
        ("validation", list(sent)),
    ]
    made, all_of_them = TypeAdapter.json_schemas(
        [(way, way, TypeAdapter(tuple[*models])) for way, models in ways],  # type: ignore[valid-type]
        ref_template=REF,
    )
    names = {
        (model, way): str(schema["$ref"])
        for way, models in ways
        for model, schema in zip(models, made[way, way].get("prefixItems", ()), strict=True)
    }
    return names, dict(all_of_them["$defs"])


def _operation(one: Endpoint, arguments: list[Json], names: Names) -> Json:
    responses: Json = {str(one.success.value): _answer(one, names)}
    if one.also is not None:
        responses[str(one.also.value)] = _answer(one, names)
    if one.may_be_ordered:
        _add_order(one, responses, names)
    problem = {
        "application/problem+json": {"schema": {"$ref": names[ProblemDetails, "serialization"]}}
    }
    statuses = {refuse.status for refuse in one.errors.values() if isinstance(refuse, Refusal)}
    if arguments:
        # What a path parameter names may not exist, or not be visible to the person.
        statuses.add(HTTPStatus.NOT_FOUND)
    for status in sorted(statuses):
        responses[str(status.value)] = {"description": status.phrase, "content": problem}
    responses["default"] = {"description": "What went wrong", "content": problem}
    told: Json = {
        "operationId": one.name,
        "summary": one.summary,
        "parameters": [*arguments, *_query(one)],
        "responses": responses,
    }
    if one.role is Role.ANYBODY:
        told["security"] = []
    if one.body is not None:
        reference = {"$ref": names[one.body, "validation"]}
        told["requestBody"] = {
            "required": not one.may_be_empty,
            "content": {"application/json": {"schema": reference}},
        }
    return told


def _query(one: Endpoint) -> list[Json]:
    if one.query is None:
        return []
    fields = one.query.model_json_schema()["properties"]
    return [
        {
            "name": name,
            "in": "query",
            "schema": {key: schema[key] for key in schema if key != "title"},
        }
        for name, schema in fields.items()
    ]


def _answer(one: Endpoint, names: Names) -> Json:
    if one.media is not None:
        return {"description": one.summary, "content": {one.media: {}}}
    refs: list[Json] = [{"$ref": names[each, "serialization"]} for each in _answers(one)]
    if not refs:
        return {"description": "Done"}
    schema: Json = refs[0] if len(refs) == 1 else {"anyOf": refs}
    return {"description": one.summary, "content": {"application/json": {"schema": schema}}}


def _path(rule: str) -> tuple[str, list[Json]]:
    """Convert a Flask rule to an OpenAPI path and its parameters."""
    arguments: list[Json] = []
    for converter, name in re.findall(r"<(?:([a-z]+)(?:\([^)]*\))?:)?(\w+)>", rule):
        schema: Json = (
            {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}
            if converter == "int"
            else {"type": "string"}
        )
        if name == "item_id":
            schema["pattern"] = "^[0-9a-f]{32}$"
        arguments.append({"name": name, "in": "path", "required": True, "schema": schema})
    return re.sub(r"<(?:[^<>]*:)?(\w+)>", r"{\1}", rule), arguments
