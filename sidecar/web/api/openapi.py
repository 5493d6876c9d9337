"""`/api/v1/openapi.json`: the API's own description, made from the routes that are really there.

routes ──┐
table ───┼──▶ OpenAPI 3.1
shapes ──┘
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, Response, current_app, jsonify
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from sidecar import __version__
from sidecar.web.api import schemas as schemas_api
from sidecar.web.api.operations import OPERATIONS, Json, Operation, Table

PREFIX = "/api/v1"
REF = "#/components/schemas/{model}"


def routes(table: Table = OPERATIONS) -> Blueprint:
    """Return the route."""
    openapi = Blueprint("openapi", __name__, url_prefix=PREFIX)

    @openapi.get("/openapi.json")
    def show() -> Response:
        return jsonify(described(list(current_app.url_map.iter_rules()), table))

    return openapi


def described(rules: list[Rule], table: Table = OPERATIONS) -> Json:
    """Return the description of those routes that the table knows."""
    paths: dict[str, Json] = {}
    names, schemas = _schemas(table)
    for rule in rules:
        for verb in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            operation = table.get((rule.endpoint, verb))
            if operation is not None:
                path, arguments = _path(rule.rule)
                paths.setdefault(path, {})[verb.lower()] = _operation(
                    rule.endpoint, operation, arguments, names
                )
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


def _schemas(table: Table) -> tuple[Mapping[type[BaseModel], str], Json]:
    answers = {shape for one in table.values() for shape in (one.answer, one.also) if shape}
    sent = {one.body for one in table.values() if one.body}
    wanted = [(one, "serialization") for one in [*answers, schemas_api.ProblemDetails]]
    made, all_of_them = models_json_schema(
        [*wanted, *((one, "validation") for one in sent)],  # type: ignore[list-item]
        ref_template=REF,
    )
    names = {model: str(schema["$ref"]) for (model, _), schema in made.items()}
    return names, dict(all_of_them["$defs"])  # type: ignore[return-value]


def _operation(
    endpoint: str, operation: Operation, arguments: list[Json], names: Mapping[type[BaseModel], str]
) -> Json:
    told: Json = {
        "operationId": endpoint,
        "summary": operation.summary,
        "parameters": [
            *arguments,
            *(
                {"name": name, "in": "query", "schema": schema}
                for name, schema in operation.query.items()
            ),
        ],
        "responses": {
            str(operation.status): _answer(operation, names),
            "default": _content("What went wrong", names[schemas_api.ProblemDetails], problem=True),
        },
    }
    if operation.status == HTTPStatus.CREATED and operation.answer is schemas_api.Added:
        told["responses"] |= {"200": _answer(operation, names)}  # type: ignore[operator]
    if operation.body is not None:
        told["requestBody"] = {
            "required": operation.needs_body,
            "content": {"application/json": {"schema": {"$ref": names[operation.body]}}},
        }
    return told


def _answer(operation: Operation, names: Mapping[type[BaseModel], str]) -> Json:
    if operation.media is not None:
        return {"description": operation.summary, "content": {operation.media: {}}}
    if operation.answer is None:
        return {"description": "Done"}
    either = [names[one] for one in (operation.answer, operation.also) if one]
    return _content(operation.summary, *either)


def _content(description: str, *references: str, problem: bool = False) -> Json:
    kind = "application/problem+json" if problem else "application/json"
    refs = [{"$ref": one} for one in references]
    schema: Json = dict(refs[0]) if len(refs) == 1 else {"anyOf": refs}
    return {"description": description, "content": {kind: {"schema": schema}}}


def _path(rule: str) -> tuple[str, list[Json]]:
    """Return a route's path in OpenAPI's words, and its arguments."""
    arguments: list[Json] = []
    for converter, name in re.findall(r"<(?:([a-z]+)(?:\([^)]*\))?:)?(\w+)>", rule):
        schema: Json = (
            {"type": "integer", "minimum": 1} if converter == "int" else {"type": "string"}
        )
        if name == "item_id":
            schema["pattern"] = "^[0-9a-f]{32}$"
        arguments.append({"name": name, "in": "path", "required": True, "schema": schema})
    return re.sub(r"<(?:[^<>]*:)?(\w+)>", r"{\1}", rule), arguments
