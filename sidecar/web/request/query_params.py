"""Parses and validates query parameters; refuses invalid ones with 422.

The parameters of each route are declared beside it, with the types that are defined here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Self, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
)
from pydantic_core import PydanticCustomError, core_schema
from werkzeug.datastructures import MultiDict

from sidecar.domain.items.kinds import TYPES, Kind, find_kind
from sidecar.web.request.errors import ApiError
from sidecar.web.request.json_body import refused_field

PAGE_SIZE = 10
LARGEST_PAGE = 100
LAST_PAGE = 1_000_000
LARGEST_ID = 2**63 - 1
LONGEST_TEXT = 200
MOST_OWNERS = 50
ITEM_ID = re.compile(r"[0-9a-f]{32}")
LOG_LEVELS = ("INFO", "WARNING", "ERROR")


class Query(BaseModel):
    """Base class of a route's query parameters: frozen; unknown parameters are ignored."""

    model_config = ConfigDict(
        defer_build=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    @classmethod
    def read(cls, args: MultiDict[str, str]) -> Self:
        """Parse the query parameters of a request.

        Raises:
            ApiError: One is invalid (422).
        """
        given: dict[str, object] = {}
        for name, described in cls.model_fields.items():
            if name in args:
                is_list = get_origin(described.annotation) in {tuple, frozenset}
                given[name] = args.getlist(name) if is_list else args[name]
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, refused_field(error)) from None


def check_item_id(item_id: str) -> str:
    """Return the item id if it has the right format: 32 lower-case hexadecimal digits.

    Raises:
        ApiError: It does not (404).
    """
    if not ITEM_ID.fullmatch(item_id):
        raise ApiError(HTTPStatus.NOT_FOUND)
    return item_id


def refused(text: str) -> PydanticCustomError:
    """Return the validation error that says what a parameter must be."""
    return PydanticCustomError("argument", "{text}", {"text": text})


def words(values: Iterable[str]) -> frozenset[str]:
    """Return the values of a parameter that may be repeated and may have commas."""
    return frozenset(name.strip() for one in values for name in one.split(",")) - {""}


@dataclass(frozen=True, slots=True)
class Argument:
    """How a parameter's text is parsed, and its JSON schema. Used in `Annotated`."""

    read: Callable[[Any], object]
    schema: Mapping[str, object]

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Return the validator for pydantic."""
        return core_schema.no_info_before_validator_function(self.read, handler(source))

    def __get_pydantic_json_schema__(
        self, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the JSON schema for pydantic."""
        return dict(self.schema)


def whole_number(most: int, *, least: int = 1, **described: object) -> Argument:
    """Return the argument type of whole numbers from `least` to `most`."""

    def read(text: str) -> int:
        digits = text.isascii() and text.isdecimal() and len(text) <= len(str(most))
        if not digits or not least <= int(text) <= most:
            raise refused(f"a whole number from {least} to {most}")
        return int(text)

    return Argument(read, {"type": "integer", "minimum": least, "maximum": most} | described)


def one_of(values: Iterable[str], *, may_be_empty: bool = False) -> Argument:
    """Return the argument type of these values; `may_be_empty` reads empty text as None."""
    known = tuple(map(str, values))

    def read(text: str) -> str | None:
        if may_be_empty and not text:
            return None
        if text not in known:
            raise refused(f"one of {', '.join(known)}")
        return text

    return Argument(read, {"type": "string", "enum": known})


def _short(text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST_TEXT:
        raise refused(f"at most {LONGEST_TEXT} characters")
    return text


def _kinds(values: Iterable[str]) -> frozenset[Kind | None]:
    found = frozenset(map(find_kind, words(values)))
    if None in found:
        raise refused(f"one or several of {', '.join(TYPES)}")
    return found


def _width(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 0


def array_of(values: Iterable[str]) -> dict[str, object]:
    """Return the JSON schema of a parameter that may be repeated."""
    return {"type": "array", "items": {"type": "string", "enum": list(map(str, values))}}


Text = Annotated[str, Argument(_short, {"type": "string", "maxLength": LONGEST_TEXT})]
Kinds = Annotated[frozenset[Kind], Argument(_kinds, array_of(TYPES))]
Width = Annotated[int, Argument(_width, {"type": "integer"})]
Page = Annotated[int, whole_number(LAST_PAGE, default=1)]
PageSize = Annotated[int, whole_number(LARGEST_PAGE, default=PAGE_SIZE)]


class PageQuery(Query):
    """The page of a list."""

    page: Page = 1
    page_size: PageSize = PAGE_SIZE
