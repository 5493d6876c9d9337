"""Parses the server's JSON, with limits on the memory that all threads together use for it.

Each value costs up to 250 bytes while it is parsed and each object up to 650, far more than they
have in the JSON, whether we read them or not. So they are counted first, large texts are parsed one
at a time and small ones a few at a time, and what was freed goes back to the system. An error in a
large one has no place: pydantic would build the whole input for it.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import SchemaValidator, core_schema

from sidecar.bounded_json import UnboundedJson, check_bounds
from sidecar.process.heap import return_freed

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

# A page of five hundred tracks, or fifty films with twenty-five streams each, and as much again.
MOST_VALUES = 120_000
# Five queues of five thousand tracks each.
MOST_OBJECTS = 40_000
# More is large; a usual page of a listing is not.
SMALL_VALUES = 20_000
SMALL_BYTES = 512 * 1024

# Large texts together take 50 MB, small ones 20 MB.
_one_large = Lock()
_few_small = BoundedSemaphore(4)


class _Nothing:
    """What large JSON is parsed as that does not fit."""


_NOTHING = _Nothing()


class Unfit(ValueError):
    """The content is not JSON or does not have the shape.

    Attributes:
        place: Where, as dotted keys: empty for the start, None if unknown.
    """

    def __init__(self, place: str | None) -> None:
        super().__init__("unfit" if place is None else f"unfit at {place or 'the start'}")
        self.place = place


def parse(content: bytes | bytearray, shape: TypeAdapter[T], *, most_bytes: int) -> T:
    """Parse JSON as `shape`.

    Raises:
        UnboundedJson: It is too long, or has too many values.
        Unfit: It is not JSON, or does not fit.
    """
    check_bounds(content, most_bytes=most_bytes, most_values=MOST_VALUES, most_objects=MOST_OBJECTS)
    try:
        check_bounds(content, most_bytes=SMALL_BYTES, most_values=SMALL_VALUES)
    except UnboundedJson:
        with _alone():
            return _parse_large(content, shape)
    try:
        with _few_small:
            return shape.validate_json(content)
    except ValidationError as error:
        where = error.errors(include_input=False, include_url=False, include_context=False)[0]
    raise Unfit(".".join(str(part) for part in where["loc"]))


@contextmanager
def _alone() -> Iterator[None]:
    with _one_large:
        try:
            yield
        finally:
            return_freed()


def _parse_large(content: bytes | bytearray, shape: TypeAdapter[T]) -> T:
    try:
        found: T | _Nothing = _without_errors(shape).validate_json(content)
    except ValidationError:
        # It is not JSON.
        raise Unfit(None) from None
    if isinstance(found, _Nothing):
        raise Unfit(None)
    return found


@cache
def _without_errors(shape: TypeAdapter[Any]) -> SchemaValidator:
    """Return a validator that answers `_NOTHING` in place of an error."""
    return SchemaValidator(
        core_schema.with_default_schema(shape.core_schema, default=_NOTHING, on_error="default")
    )
