"""Parses and validates JSON bodies; refuses invalid ones with 400, 413, 415 or 422."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from sidecar.web.request.errors import ApiError

JSON = "application/json"
LONGEST_BODY = 64 * 1024
# The patterns of ids: plain, or as a UUID, which has 32.
_ID = re.compile(r"\^\[0-9a-f\]\{(\d+)\}\$|\^\[0-9a-fA-F\]\{8\}.*\{12\}\\z")


class Body(BaseModel):
    """Base class of request bodies: frozen, strict types, unknown fields refused."""

    model_config = ConfigDict(
        defer_build=True, frozen=True, extra="forbid", strict=True, hide_input_in_errors=True
    )


class NoBody(Body):
    """An empty body, for actions without arguments."""


B = TypeVar("B", bound=Body)


def read_if_any(kind: type[B]) -> B:
    """Return the body of the current request, or one with default values if it has none.

    Raises:
        ApiError: As `read`.
    """
    has_none = request.mimetype == "" and not request.content_length and not _is_chunked()
    return kind() if has_none else read(kind)


def _is_chunked() -> bool:
    return "Transfer-Encoding" in request.headers


def read(kind: type[B]) -> B:
    """Return the body of the current request.

    Raises:
        ApiError: It is not JSON (415), malformed (400), too long (413) or invalid (422).
    """
    if request.mimetype != JSON:
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    raw = request.get_data(cache=False)
    # A chunked body has no length to check before; reading it stops at the limit.
    if len(raw) >= LONGEST_BODY:
        raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        return kind.model_validate_json(raw)
    except ValidationError as error:
        raise ApiError(*_told(error, kind)) from None


def _told(error: ValidationError, kind: type[Body]) -> tuple[HTTPStatus, str]:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return HTTPStatus.BAD_REQUEST, "This is not well-formed JSON."
    if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
        known = ", ".join(kind.model_fields)
        told = f"takes {known} and nothing else" if known else "takes nothing"
        return HTTPStatus.UNPROCESSABLE_ENTITY, f"The body {told}."
    return HTTPStatus.UNPROCESSABLE_ENTITY, refused_field(error)


def refused_field(error: ValidationError) -> str:
    """Return the name of the first invalid field, and what is wrong with it."""
    first = error.errors(include_url=False, include_input=False)[0]
    # The name of an unknown field comes from the client and is not repeated.
    known = first["type"] != "extra_forbidden"
    where = ".".join(str(one) for one in first["loc"]) if known else ""
    return f"{where}: {_expected(first)}".lstrip(": ")


def _expected(error: ErrorDetails) -> str:
    """Return what is wrong, in words also where a pattern says it."""
    pattern = error.get("ctx", {}).get("pattern", "")
    if not (digits := _ID.fullmatch(pattern)):
        return error["msg"]
    return f"Should be an id of {digits[1] or 32} hexadecimal digits (0-9, a-f)"
